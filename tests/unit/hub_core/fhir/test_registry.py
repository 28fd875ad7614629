"""The registry knows every R4 type, and its paths exist in the specification."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub_core.fhir import elements
from hub_core.fhir.registry import RESOURCE_TYPES, ResourceType, clinical_date, patient_id

if TYPE_CHECKING:
    from hub_core.fhir.canonical import Json


def leaf_types(owner: str, path: str) -> set[str]:
    owners = {owner}
    for name in path.split("."):
        reached: set[str] = set()
        for each in owners:
            if found := elements.element(each, name):
                reached.update(found.types)
            elif name in elements.json_elements(each):
                reached.add(elements.json_elements(each)[name][0])
        owners = reached
    return owners


def test_every_type_the_specification_has_is_known() -> None:
    assert all(elements.is_resource_type(name) for name in RESOURCE_TYPES)
    assert len(RESOURCE_TYPES) == 146


@pytest.mark.parametrize("known", RESOURCE_TYPES.values(), ids=lambda known: known.name)
def test_the_paths_of_a_type_exist_and_hold_what_they_are_used_for(known: ResourceType) -> None:
    if known.patient and known.name != "Patient":
        assert leaf_types(known.name, ".".join(known.patient)) == {"Reference"}
    for path in known.dates:
        assert leaf_types(known.name, path) <= {"date", "dateTime", "instant"}, path
        assert leaf_types(known.name, path), path


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "Patient", "id": "p1"}, "p1"),
        ({"resourceType": "Observation", "subject": {"reference": "Patient/p1"}}, "p1"),
        ({"resourceType": "Observation", "subject": {"reference": "Patient/p1/_history/2"}}, "p1"),
        ({"resourceType": "Observation", "subject": {"reference": "Group/g1"}}, None),
        ({"resourceType": "Observation", "subject": {"identifier": {"value": "x"}}}, None),
        ({"resourceType": "Observation", "subject": "Patient/p1"}, None),
        ({"resourceType": "Coverage", "beneficiary": {"reference": "Patient/p1"}}, "p1"),
        ({"resourceType": "Task", "for": {"reference": "Patient/p1"}}, "p1"),
        ({"resourceType": "Organization", "id": "o1"}, None),
        ({"resourceType": "Nonsense", "subject": {"reference": "Patient/p1"}}, None),
        (
            {
                "resourceType": "Appointment",
                "participant": [
                    {"actor": {"reference": "Practitioner/d1"}},
                    {"status": "accepted"},
                    {"actor": {"reference": "Patient/p1"}},
                ],
            },
            "p1",
        ),
    ],
)
def test_the_patient_of_a_resource_is_found_in_its_compartment_reference(resource: Json, expected: str | None) -> None:
    assert patient_id(resource) == expected


def test_the_clinical_date_is_the_best_one_present_as_written() -> None:
    observation = {"resourceType": "Observation", "issued": "2021-01-02T03:04:05Z"}
    assert clinical_date(observation) == "2021-01-02T03:04:05Z"
    assert clinical_date(observation | {"effectivePeriod": {"start": "2021-01"}}) == "2021-01"
    assert clinical_date(observation | {"effectiveDateTime": "2020"}) == "2020"
    assert clinical_date({"resourceType": "Observation"}) is None
    assert clinical_date({"resourceType": "Nonsense"}) is None
