"""When the patients of one account are one person, and when a number is not enough."""

from __future__ import annotations

from typing import Any

import pytest

from ehr_pm.identity.claims import account_numbers, may_be_one
from hub_core.fhir.systems import PATIENT_CONTROL_NUMBER


def patient(family: str = "Doe", given: str = "Kit", **elements: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "name": [{"family": family, "given": [given]}], **elements}


@pytest.mark.parametrize(
    "other",
    [
        patient(),
        patient("DOE", "KIT"),
        patient("Doë", birthDate="2015-06-06"),
        patient(birthDate="2015"),
        {"name": [{"family": "Roe", "given": ["Kit"]}, {"family": "Doe", "given": ["Kit", "Q"]}]},
    ],
    ids=["same name", "capitals", "accent", "year of birth", "one of several names"],
)
def test_same_name_and_no_other_birth_date_is_one_person(other: dict[str, Any]) -> None:
    assert may_be_one(patient(birthDate="2015-06-06"), other)
    assert may_be_one(other, patient(birthDate="2015-06-06"))


@pytest.mark.parametrize(
    "other",
    [
        patient(given="Lou"),
        patient("Roe"),
        patient(birthDate="2012-01-31"),
        {"name": [{"family": "Doe"}]},
        {},
        {"name": [{"family": "Doe", "given": ["Lou", "Kit"]}]},
        {"name": "Doe"},
    ],
    ids=["sibling", "other family", "namesake", "no first name", "nobody named", "second name", "not a name"],
)
def test_one_number_does_not_make_others_one_person(other: dict[str, Any]) -> None:
    assert not may_be_one(patient(birthDate="2015-06-06"), other)


def test_the_number_is_the_providers() -> None:
    numbered: dict[str, Any] = {
        "resourceType": "ExplanationOfBenefit",
        "id": "e",
        "identifier": [{"system": "urn:payer", "value": "I1"}, {"system": PATIENT_CONTROL_NUMBER, "value": "C1"}],
    }
    others = [{**numbered, "id": "o", "resourceType": "Observation"}, {"resourceType": "Claim", "id": "c"}]
    assert account_numbers([numbered, *others]) == {"e": "C1"}
