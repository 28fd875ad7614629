"""People who work here as FHIR R4: Practitioners, and their roles as PractitionerRoles."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ehr_pm.users.models import Licence, RoleAssignment, Staff
from hub_core.clock import instant
from hub_core.fhir.canonical import Json
from hub_core.fhir.systems import IDENTIFIER_TYPE, NPI, PROVIDER_TAXONOMY

ROLE: Final = "https://wholechart.example/fhir/role"
LICENCE: Final = "https://wholechart.example/fhir/licence"
"""Prefix of the systems of licence numbers; each state counts for itself."""


def practitioner(row: Staff) -> Json:
    """Return a person who works here as a Practitioner."""
    resource: Json = {
        "resourceType": "Practitioner",
        "id": str(row.practitioner_id),
        "active": row.principal.disabled_at is None,
        "name": [{"use": "official", "family": row.family, "given": [row.given]}],
    }
    identifiers: list[Json] = [{"system": NPI, "value": row.npi}] if row.npi else []
    identifiers += [_licence_number(each) for each in row.licences]
    if identifiers:
        resource["identifier"] = identifiers
    if row.licences:
        resource["qualification"] = [_qualification(each) for each in row.licences]
    return resource


def practitioner_role(row: RoleAssignment, staff: Staff, now: datetime) -> Json:
    """Return a role somebody holds, at a place or in the whole group, as a PractitionerRole."""
    resource: Json = {
        "resourceType": "PractitionerRole",
        "id": str(row.assignment_id),
        "active": row.valid_from <= now and (row.valid_to is None or row.valid_to > now),
        "period": {"start": instant(row.valid_from)} | ({"end": instant(row.valid_to)} if row.valid_to else {}),
        "practitioner": {"reference": f"Practitioner/{staff.practitioner_id}"},
        "code": [{"coding": [{"system": ROLE, "code": row.role}]}],
    }
    if staff.taxonomy:
        resource["specialty"] = [{"coding": [{"system": PROVIDER_TAXONOMY, "code": staff.taxonomy}]}]
    if row.location is not None:
        resource["organization"] = {"reference": f"Organization/{row.location.organization_id}"}
        resource["location"] = [{"reference": f"Location/{row.location_id}"}]
    return resource


def _licence_number(row: Licence) -> Json:
    return {
        "type": {"coding": [{"system": IDENTIFIER_TYPE, "code": "MD"}]},
        "system": f"{LICENCE}/{row.state}",
        "value": row.number,
    }


def _qualification(row: Licence) -> Json:
    found: Json = {
        "identifier": [_licence_number(row)],
        "code": {"text": f"Licence to practise in {row.state}"},
    }
    if row.expires_on is not None:
        found["period"] = {"end": row.expires_on.isoformat()}
    return found
