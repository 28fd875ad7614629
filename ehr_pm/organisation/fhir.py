"""The organisation as FHIR R4: bodies and payers are Organizations, places and rooms Locations, devices Devices."""

from __future__ import annotations

from itertools import groupby

from ehr_pm.organisation.models import Location, LocationHours, Organization, Payer, Room
from hub_core.fhir.canonical import Json
from hub_core.fhir.systems import (
    EIN,
    LOCATION_PHYSICAL_TYPE,
    NPI,
    ORGANIZATION_TYPE,
    PLACE_OF_SERVICE,
    coding,
    concept,
    identifier,
    said,
)

CLIA = "urn:oid:2.16.840.1.113883.4.7"
PAYER_NUMBER = "https://wholechart.example/fhir/payer-number"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def organization(row: Organization) -> Json:
    """Return an organization of the group as an Organization."""
    return said(
        resourceType="Organization",
        id=str(row.organization_id),
        identifier=_identifiers((NPI, row.npi), (EIN, row.tax_id)),
        active=row.is_active,
        type=[concept(coding(ORGANIZATION_TYPE, "prov"))],
        name=row.name,
    )


def payer(row: Payer) -> Json:
    """Return a payer as an Organization."""
    return said(
        resourceType="Organization",
        id=str(row.payer_id),
        identifier=_identifiers((PAYER_NUMBER, row.number)),
        active=row.is_active,
        type=[concept(coding(ORGANIZATION_TYPE, "pay"))],
        name=row.name,
    )


def location(row: Location) -> Json:
    """Return a place of care as a Location."""
    address = said(
        line=[row.address_line] if row.address_line else None,
        city=row.city,
        state=row.state,
        postalCode=row.postal_code,
    )
    return said(
        resourceType="Location",
        id=str(row.location_id),
        identifier=_identifiers((NPI, row.npi), (CLIA, row.clia)),
        status="active" if row.is_active else "inactive",
        name=row.name,
        mode="instance",
        type=[concept(coding(PLACE_OF_SERVICE, row.place_of_service))],
        telecom=[{"system": "phone", "value": row.phone, "use": "work"}] if row.phone else None,
        address=address,
        managingOrganization={"reference": f"Organization/{row.organization_id}"},
        hoursOfOperation=[_hours(list(each)) for _, each in groupby(row.hours, key=lambda hours: hours.weekday)],
    )


def room(row: Room) -> Json:
    """Return a room as a Location within its location, a device as a Device there."""
    if row.kind == "device":
        return said(
            resourceType="Device",
            id=str(row.room_id),
            status="active" if row.is_active else "inactive",
            deviceName=[{"name": row.name, "type": "user-friendly-name"}],
            location={"reference": f"Location/{row.location_id}"},
        )
    return said(
        resourceType="Location",
        id=str(row.room_id),
        status="active" if row.is_active else "inactive",
        name=row.name,
        mode="instance",
        physicalType=concept(coding(LOCATION_PHYSICAL_TYPE, "ro")),
        partOf={"reference": f"Location/{row.location_id}"},
    )


def _hours(spans: list[LocationHours]) -> Json:
    """Return the hours of a weekday; R4 holds one span, from when it opens first to when it closes last."""
    return {
        "daysOfWeek": [_DAYS[spans[0].weekday - 1]],
        "openingTime": f"{spans[0].opens:%H:%M:%S}",
        "closingTime": f"{spans[-1].closes:%H:%M:%S}",
    }


def _identifiers(*pairs: tuple[str, str | None]) -> list[Json]:
    return [identifier(system, value) for system, value in pairs if value]
