"""The practice itself, its clinicians and the payers it knows: resources that do not change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from functools import cache

from pipelines.simulation.fhir.writing import NPI, PRACTICE, Version, reference, term
from pipelines.simulation.group import BEGINS, CLINICIANS, PAYERS, Clinician, Payer
from pipelines.simulation.world import Address

ORGANIZATION = PRACTICE.source
LOCATION = "clinic"
_SINCE = datetime.combine(BEGINS, time(12), UTC)
_TAXONOMY = "http://nucc.org/provider-taxonomy"
_EIN = "urn:oid:2.16.840.1.113883.4.4"


def parties() -> Iterator[Version]:
    """Yield the practice, its place, its clinicians, and the payers."""
    telecom = [{"system": "phone", "value": PRACTICE.phone, "use": "work"}]
    home = {"active": True, "name": PRACTICE.name, "telecom": telecom}
    yield Version(
        _SINCE,
        "Organization",
        ORGANIZATION,
        {
            **home,
            "identifier": [{"system": NPI, "value": PRACTICE.npi}, {"system": _EIN, "value": PRACTICE.tax_id}],
            "type": [term("organization-type", "prov", "Healthcare Provider")],
            "address": [postal(PRACTICE.address)],
        },
    )
    yield Version(
        _SINCE,
        "Location",
        LOCATION,
        {
            "status": "active",
            "name": PRACTICE.name,
            "telecom": telecom,
            "address": postal(PRACTICE.address),
            "managingOrganization": reference("Organization", ORGANIZATION, PRACTICE.name),
        },
    )
    for clinician in CLINICIANS.values():
        if clinician.site == PRACTICE.site:
            yield _practitioner(clinician)
    for payer in PAYERS.values():
        yield _payer(payer)


@cache
def clinician_reference(key: str) -> dict[str, str]:
    """Return a reference to a clinician, with the name people read; it is shared, and not to be changed."""
    clinician = CLINICIANS[key]
    return reference("Practitioner", key, f"{clinician.given} {clinician.family}")


def postal(address: Address) -> dict[str, object]:
    """Return an Address."""
    return {
        "line": [address.line],
        "city": address.city,
        "state": address.state,
        "postalCode": address.postal_code,
        "country": "US",
    }


def _practitioner(clinician: Clinician) -> Version:
    content = {
        "identifier": [{"system": NPI, "value": clinician.npi}],
        "active": True,
        "name": [{"use": "official", "family": clinician.family, "given": [clinician.given]}],
        "qualification": [{"code": term(_TAXONOMY, clinician.taxonomy)}],
    }
    return Version(_SINCE, "Practitioner", clinician.key, content)


def _payer(payer: Payer) -> Version:
    content = {
        "identifier": [{"system": "https://riverbend.example/payer-id", "value": payer.payer_id}],
        "active": True,
        "type": [term("organization-type", "pay", "Payer")],
        "name": payer.name,
        "address": [postal(payer.address)],
    }
    return Version(_SINCE, "Organization", payer.key, content)
