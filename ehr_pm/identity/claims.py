"""Which patients the claims of one account, and the answers to them, name: records of one person that share no number.

A payer answers under the provider's number of the claim and names a dependent without a birth date; a claim to the
secondary payer names the patient by another member number. Some providers give a whole family one number, so a number
is not enough: the names must agree, and what is said of the birth date must not differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ehr_pm.record.bodies import unpack
from hub_core.fhir.canonical import Json, load_object
from hub_core.fhir.search_values import fold
from hub_core.fhir.systems import PATIENT_CONTROL_NUMBER

if TYPE_CHECKING:
    import psycopg

_BILLED = ("Claim", "ExplanationOfBenefit")
_MOST_OF_AN_ACCOUNT = 200
"""Claims and answers of one number that are looked at: a number with more is what somebody types into every claim."""

_PATIENTS_OF_ACCOUNTS = """
    SELECT DISTINCT patient.resource_id::text, patient_body.body, other.resource_id::text, other_body.body
    FROM resource said
    JOIN search_token number ON number.resource_key = said.resource_key
        AND number.param = 'identifier' AND number.system = %(system)s
    CROSS JOIN LATERAL (
        SELECT answer.patient_id FROM search_token same JOIN resource answer USING (resource_key)
        WHERE same.resource_type = ANY(%(types)s) AND same.param = 'identifier'
            AND same.code = number.code AND same.system = number.system
            AND answer.source = said.source AND answer.patient_id <> said.patient_id
        LIMIT %(most)s
    ) answer
    JOIN resource patient ON patient.resource_type = 'Patient' AND patient.resource_id = said.patient_id
    JOIN resource_version patient_body
        ON patient_body.batch_key = patient.batch_key AND patient_body.ordinal = patient.ordinal
    JOIN resource other ON other.resource_type = 'Patient' AND other.resource_id = answer.patient_id
    JOIN resource_version other_body ON other_body.batch_key = other.batch_key AND other_body.ordinal = other.ordinal
    WHERE said.resource_type = ANY(%(types)s) AND said.resource_id = ANY(%(billed)s::uuid[])
"""


def account_numbers(resources: Sequence[Json]) -> dict[str, str]:
    """Return the provider's number of each claim, and of each answer to one, by the id of the resource."""
    return {
        resource["id"]: number
        for resource in resources
        if resource["resourceType"] in _BILLED and (number := _account_number(resource))
    }


def one_person(connection: psycopg.Connection[Any], billed: list[str]) -> list[tuple[str, str]]:
    """Return pairs of patients that are one, of the claims and answers `billed` (ids) and all others of their accounts.

    An account is what one source calls by one number. Whoever asks holds the locks of the numbers, so that of two
    messages about an account the later one sees what the earlier one said.
    """
    rows = connection.execute(
        _PATIENTS_OF_ACCOUNTS,
        {"system": PATIENT_CONTROL_NUMBER, "types": list(_BILLED), "billed": billed, "most": _MOST_OF_AN_ACCOUNT},
    ).fetchall()
    return [
        (patient, other)
        for patient, body, other, other_body in rows
        if may_be_one(_patient(patient, body), _patient(other, other_body))
    ]


def may_be_one(patient: Json, other: Json) -> bool:
    """Return whether two patients of one account are one person: same family and first name, no other birth date."""
    dates = {str(each["birthDate"]) for each in (patient, other) if each.get("birthDate")}
    shortest = min(dates, key=len, default="")
    if any(not date.startswith(shortest) for date in dates):
        return False
    return bool(_names(patient) & _names(other))


def _names(patient: Json) -> set[tuple[str, str]]:
    """Return family and first name of each name that has both, as they are compared."""
    found = set()
    names = patient.get("name")
    for name in names if isinstance(names, list) else []:
        family, given = (name.get("family"), name.get("given")) if isinstance(name, dict) else (None, None)
        first = given[0] if isinstance(given, list) and given else None
        if isinstance(family, str) and isinstance(first, str):
            found.add((fold(family), fold(first)))
    return found


def _account_number(resource: Json) -> str | None:
    identifiers = resource.get("identifier")
    for identifier in identifiers if isinstance(identifiers, list) else []:
        if isinstance(identifier, dict) and identifier.get("system") == PATIENT_CONTROL_NUMBER:
            value = identifier.get("value")
            return value if isinstance(value, str) else None
    return None


def _patient(patient_id: str, body: bytes) -> Json:
    return load_object(unpack(body, "Patient", patient_id))
