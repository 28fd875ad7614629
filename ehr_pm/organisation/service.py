"""What can be done to the organisation; each function is part of an act and commits nothing itself."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from ehr_pm.acts import Act
from ehr_pm.organisation import fhir
from ehr_pm.organisation.models import ChartGroup, Department, Location, LocationHours, Organization, Payer, Room
from ehr_pm.organisation.schemas import (
    Hours,
    LocationDetails,
    NewDepartment,
    NewLocation,
    NewOrganization,
    NewPayer,
    NewRoom,
)
from ehr_pm.rows import get


def add_organization(doing: Act, told: NewOrganization) -> Organization:
    """Add a legal body of the group.

    Raises:
        ConflictError: if another has its NPI.
    """
    row = Organization(**told.model_dump())
    doing.add(row, conflict="another organization has this NPI")
    doing.done("organization.add", fhir.organization(row))
    return row


def add_chart_group(doing: Act, name: str) -> ChartGroup:
    """Add a group of locations that share their patients' charts.

    Raises:
        ConflictError: if there is one of that name.
    """
    row = ChartGroup(name=name)
    doing.add(row, conflict="there is a chart-sharing group of this name")
    doing.noted("chart_group.add", detail_id=str(row.chart_group_id))
    return row


def add_location(doing: Act, told: NewLocation) -> Location:
    """Add a place of care.

    Raises:
        NotFoundError: if its organization or chart-sharing group is not known.
        ConflictError: if another location has its key.
    """
    get(doing.session, Organization, told.organization_id, "organization")
    if told.chart_group_id is not None:
        get(doing.session, ChartGroup, told.chart_group_id, "chart-sharing group")
    row = Location(**told.model_dump(exclude={"hours"}), hours=list(_hours(told.hours)))
    doing.add(row, conflict="another location has this key")
    doing.done("location.add", fhir.location(row), location=row.key)
    return row


def change_location(doing: Act, location: Location, told: LocationDetails) -> None:
    """Change what is known of a location.

    Raises:
        NotFoundError: if its chart-sharing group is not known.
        ConflictError: if somebody else changed it at the same time.
    """
    if told.chart_group_id is not None:
        get(doing.session, ChartGroup, told.chart_group_id, "chart-sharing group")
    doing.change(location, **told.model_dump())
    doing.done("location.change", fhir.location(location), location=location.key)


def set_hours(doing: Act, location: Location, hours: Iterable[Hours]) -> None:
    """Replace the opening hours of a location."""
    location.hours.clear()
    doing.flush()
    doing.change(location, hours=list(_hours(hours)))
    doing.done("location.set_hours", fhir.location(location), location=location.key)


def close_location(doing: Act, location: Location) -> None:
    """Take a location out of use; what happened there stays."""
    doing.change(location, is_active=False)
    doing.done("location.close", fhir.location(location), location=location.key)


def add_department(doing: Act, told: NewDepartment) -> Department:
    """Add a part of a location.

    Raises:
        NotFoundError: if the location is not known.
        ConflictError: if the location has one of that name.
    """
    location = get(doing.session, Location, told.location_id, "location")
    row = Department(**told.model_dump())
    doing.add(row, conflict="this location has a department of that name")
    doing.noted("department.add", location=location.key, department_id=str(row.department_id))
    return row


def add_room(doing: Act, told: NewRoom) -> Room:
    """Add a room or a device that can be booked.

    Raises:
        NotFoundError: if the location is not known.
        ConflictError: if the location has one of that name.
    """
    location = get(doing.session, Location, told.location_id, "location")
    row = Room(**told.model_dump())
    doing.add(row, conflict="this location has a room or device of that name")
    doing.done("room.add", fhir.room(row), location=location.key)
    return row


def close_room(doing: Act, room_id: UUID) -> None:
    """Take a room or device out of use.

    Raises:
        NotFoundError: if it is not known.
    """
    row = get(doing.session, Room, room_id, "room")
    doing.change(row, is_active=False)
    doing.done("room.close", fhir.room(row), location=get(doing.session, Location, row.location_id, "location").key)


def add_payer(doing: Act, told: NewPayer) -> Payer:
    """Add a payer.

    Raises:
        ConflictError: if another has its number.
    """
    row = Payer(**told.model_dump())
    doing.add(row, conflict="another payer has this number")
    doing.done("payer.add", fhir.payer(row))
    return row


def _hours(told: Iterable[Hours]) -> Iterable[LocationHours]:
    return (LocationHours(weekday=each.weekday, opens=each.opens, closes=each.closes) for each in told)
