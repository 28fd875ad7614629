"""The table of R4 elements answers what compilers, validators and mappers ask of it."""

from __future__ import annotations

import pytest

from hub_core.fhir import elements


@pytest.mark.parametrize(
    ("owner", "name", "types", "is_array"),
    [
        ("Patient", "id", ("id",), False),
        ("Patient", "name", ("HumanName",), True),
        ("HumanName", "given", ("string",), True),
        ("Patient", "contact", ("Patient.contact",), True),
        ("Patient.contact", "name", ("HumanName",), False),
        ("Observation.component", "referenceRange", ("Observation.referenceRange",), True),
        ("Questionnaire.item", "item", ("Questionnaire.item",), True),
        ("Bundle.entry", "resource", ("Resource",), False),
        ("Bundle.entry.request", "method", ("code",), False),
        ("Timing", "repeat", ("Timing.repeat",), False),
        ("Quantity", "value", ("decimal",), False),
    ],
)
def test_an_element_has_the_types_and_cardinality_of_the_specification(
    owner: str, name: str, types: tuple[str, ...], is_array: bool
) -> None:
    found = elements.element(owner, name)
    assert found is not None
    assert (found.types, found.is_array, found.is_choice) == (types, is_array, False)


def test_a_choice_is_named_without_its_type_and_spelled_out_in_json() -> None:
    value = elements.element("Observation", "value")
    assert value is not None
    assert value.is_choice
    assert value.types[0] == "Quantity"
    assert value.json_name("dateTime") == "valueDateTime"
    assert elements.json_elements("Observation")["valueQuantity"] == ("Quantity", False)
    assert elements.element("Observation", "valueQuantity") is None


def test_what_r4_does_not_have_is_none() -> None:
    assert elements.element("Patient", "animal") is None
    assert elements.element("Nonsense", "id") is None
    assert elements.elements("string") == {}


def test_every_type_an_element_names_is_a_primitive_or_has_elements_itself() -> None:
    seen: set[str] = set()
    waiting = ["Patient", "Claim", "Observation", "Questionnaire", "Bundle", "Timing", "Extension"]
    while waiting:
        owner = waiting.pop()
        if owner in seen or elements.is_primitive(owner):
            continue
        seen.add(owner)
        found = elements.elements(owner)
        assert found, owner
        waiting.extend(name for element in found.values() for name in element.types)
    assert "Dosage.doseAndRate" in seen


def test_resources_are_told_from_data_types_and_later_releases() -> None:
    assert elements.is_resource_type("MedicationRequest")
    assert not elements.is_resource_type("HumanName")
    assert not elements.is_resource_type("Patient.contact")
    assert not elements.is_resource_type("SubscriptionStatus")
