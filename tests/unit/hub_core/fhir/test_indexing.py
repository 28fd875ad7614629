"""A resource is indexed by the R4 search parameters of its type, whatever it holds."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hub_core.fhir.canonical import load_object
from hub_core.fhir.indexed_types import SearchValues
from hub_core.fhir.indexing import index
from hub_core.fhir.search_values import EARLIEST, LATEST


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def tokens(resource: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    """Return parameter, system and code of the tokens of a resource."""
    return [token[:3] for token in index(resource).tokens]


def test_a_patient_is_found_by_identifier_name_birth_date_gender_and_address() -> None:
    values = index(
        {
            "resourceType": "Patient",
            "id": "p1",
            "identifier": [{"system": "urn:oid:1.2.3", "value": "4711"}, {"value": "no system"}],
            "name": [{"family": "Núñez  de la Peña", "given": ["Ana", "ANA"], "text": "Ana Núñez"}],
            "telecom": [{"system": "phone", "value": "555-0100"}, {"system": "url", "value": "https://example.org"}],
            "gender": "female",
            "birthDate": "1980-02",
            "address": [{"line": ["1 Main St"], "city": "Springfield", "postalCode": "01101"}],
            "managingOrganization": {"reference": "Organization/o1"},
        }
    )
    assert values.tokens == [
        ("identifier", "urn:oid:1.2.3", "4711", None, None),
        ("identifier", None, "no system", None, None),
        ("telecom", "phone", "555-0100", None, None),
        ("telecom", "url", "https://example.org", None, None),
        ("gender", None, "female", None, None),
        ("deceased", None, "false", None, None),
    ]
    assert sorted(values.strings) == [
        ("address", "01101", None),
        ("address", "1 main st", "1 Main St"),
        ("address", "springfield", "Springfield"),
        ("address-city", "springfield", "Springfield"),
        ("address-postalcode", "01101", None),
        ("family", "nunez de la pena", "Núñez  de la Peña"),
        ("given", "ana", "ANA"),
        ("given", "ana", "Ana"),
        ("name", "ana", "ANA"),
        ("name", "ana", "Ana"),
        ("name", "ana nunez", "Ana Núñez"),
        ("name", "nunez de la pena", "Núñez  de la Peña"),
    ]
    assert values.dates == [("birthdate", at(1980, 2, 1), at(1980, 3, 1))]
    assert values.references == [("organization", "Organization", "o1")]


def test_an_observation_is_found_by_code_category_date_and_whom_it_concerns() -> None:
    values = index(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {
                "coding": [{"system": "http://loinc.org", "code": "718-7"}, {"code": "HGB"}],
                "text": "Hemoglobin",
            },
            "category": [{"coding": [{"system": "s", "code": "laboratory"}]}] * 2,
            "subject": {"reference": "Patient/p1"},
            "encounter": {"reference": "Encounter/e1"},
            "performer": [{"reference": "Practitioner/d1"}, {"display": "nobody in particular"}],
            "effectivePeriod": {"start": "2020-01-01", "end": "2020-01-03"},
        }
    )
    assert values.tokens == [
        ("status", None, "final", None, None),
        ("code", "http://loinc.org", "718-7", None, None),
        ("code", None, "HGB", None, None),
        ("code", None, None, "hemoglobin", None),
        ("category", "s", "laboratory", None, None),
    ]
    assert values.dates == [("date", at(2020, 1, 1), at(2020, 1, 4))]
    assert values.references == [
        ("encounter", "Encounter", "e1"),
        ("performer", "Practitioner", "d1"),
    ]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "Encounter", "class": {"system": "a", "code": "AMB"}}, ("class", "a", "AMB")),
        (
            {"resourceType": "Condition", "clinicalStatus": {"coding": [{"code": "active"}]}},
            ("clinical-status", None, "active"),
        ),
        (
            {"resourceType": "MedicationRequest", "medicationCodeableConcept": {"coding": [{"code": "5640"}]}},
            ("code", None, "5640"),
        ),
        ({"resourceType": "Immunization", "vaccineCode": {"coding": [{"code": "140"}]}}, ("vaccine-code", None, "140")),
        ({"resourceType": "Schedule", "active": True}, ("active", None, "true")),
    ],
)
def test_parameters_are_named_as_in_r4_whatever_the_element_is_called(
    resource: dict[str, Any], expected: tuple[str, str | None, str]
) -> None:
    assert tokens(resource) == [expected]


def test_references_inside_arrays_of_backbone_elements_are_found() -> None:
    appointment = {
        "resourceType": "Appointment",
        "status": "booked",
        "start": "2024-05-01T09:00:00-04:00",
        "participant": [{"actor": {"reference": "Patient/p1"}}, {"actor": {"reference": "Location/l1"}}],
    }
    values = index(appointment)
    assert values.references == [("actor", "Patient", "p1"), ("actor", "Location", "l1")]
    assert values.dates == [("date", at(2024, 5, 1, 13), at(2024, 5, 1, 13, 0, 1))]


def test_an_open_period_reaches_to_the_end_of_time_and_a_reversed_one_keeps_its_start() -> None:
    encounter = {"resourceType": "Encounter", "period": {"start": "2020-01-01"}}
    assert index(encounter).dates == [("date", at(2020, 1, 1), LATEST)]
    encounter["period"] = {"end": "2020-01-01"}
    assert index(encounter).dates == [("date", EARLIEST, at(2020, 1, 2))]
    encounter["period"] = {"start": "2020-01-05", "end": "2020-01-01"}
    assert index(encounter).dates == [("date", at(2020, 1, 5), at(2020, 1, 6))]
    encounter["period"] = {}
    assert index(encounter).dates == []


@pytest.mark.parametrize("wrong", ["text", 7, True, None, [], {}, [[{}]], [None], {"coding": "x"}, {"coding": [7]}])
def test_wrongly_shaped_elements_are_passed_over(wrong: object) -> None:
    for resource_type in ("Patient", "Observation", "Encounter", "Appointment", "Claim"):
        names = ("identifier", "name", "telecom", "code", "category", "subject", "period", "participant", "birthDate")
        values = index({"resourceType": resource_type, **dict.fromkeys(names, wrong)})
        assert values.dates == []
        assert values.references == []
        assert all(text == "text" for _, text, _ in values.strings)


def test_values_an_index_cannot_hold_are_cut_or_left_out() -> None:
    values = index({"resourceType": "Patient", "identifier": [{"value": "x" * 5000}], "name": [{"family": "Y" * 5000}]})
    assert values.tokens == [("deceased", None, "false", None, None)]
    assert values.strings == [("name", "y" * 200, "Y" * 200), ("family", "y" * 200, "Y" * 200)]


def test_what_r4_does_not_have_is_found_by_nothing() -> None:
    assert index({"resourceType": "Nonsense", "status": "draft"}) == SearchValues()


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ({}, "false"),
        ({"deceasedBoolean": False}, "false"),
        ({"deceasedBoolean": True}, "true"),
        ({"deceasedDateTime": "2020"}, "true"),
    ],
)
def test_whether_a_patient_is_deceased_is_always_said(said: dict[str, Any], fact: str) -> None:
    assert ("deceased", None, fact) in tokens({"resourceType": "Patient", **said})


def test_what_stands_in_one_repetition_has_one_place() -> None:
    pressure = load_object("""{"resourceType": "Observation", "component": [
        {"code": {"coding": [{"code": "s", "display": "Systolic"}]}, "valueQuantity": {"value": 120.0, "code": "kPa"}},
        {"code": {"coding": [{"code": "d"}]}, "valueQuantity": {"value": 80, "comparator": "<", "unit": "mmHg"}}]}""")
    values = index(pressure)
    assert values.tokens == [
        ("component-code", None, "s", "systolic", 1),
        ("component-code", None, "d", None, 2),
    ]
    assert values.quantities == [
        ("component-value-quantity", Decimal(120), Decimal(120), None, "kPa", None, 1, "s"),
        ("component-value-quantity", Decimal("-Infinity"), Decimal(80), None, None, "mmHg", 2, "d"),
    ]


def test_a_value_is_kept_once_for_each_code_of_what_it_is() -> None:
    glucose = load_object("""{"resourceType": "Observation", "valueQuantity": {"value": 5.4}, "code": {"text": "Sugar",
        "coding": [{"system": "http://loinc.org", "code": "2345-7"}, {"code": "GLU"}, {"system": "x", "code": "GLU"},
        {"display": "Glucose"}]}}""")
    number = Decimal("5.4")
    value = ("value-quantity", number, number, None, None, None, None)
    assert index(glucose).quantities == [(*value, "2345-7"), (*value, "GLU")]
    glucose["valueQuantity"] = [{"value": 5.4}, {"value": 7}]  # not what R4 says
    assert index(glucose).quantities == [(*value, "2345-7"), (*value, "GLU")]
    del glucose["code"]
    assert index(glucose).quantities == [(*value, None)]


def test_numbers_out_of_reach_are_passed_over() -> None:
    for number in ("1e200", "1e-200", "true", '"7"', "null"):
        observation = f'{{"resourceType": "Observation", "valueQuantity": {{"value": {number}}}}}'
        assert index(load_object(observation)).quantities == []


def test_identifiers_have_a_type_and_references_an_identifier() -> None:
    number = {"type": {"coding": [{"system": "v2", "code": "MR"}], "text": "Record No."}, "system": "s", "value": "7"}
    assert index({"resourceType": "Observation", "identifier": [number]}).tokens == [
        ("identifier", "s", "7", "record no.", None),
        ("identifier:of-type", "v2", "MR|7", None, None),
    ]
    named = {"resourceType": "Observation", "subject": {"identifier": {"system": "s", "value": "7"}}}
    assert tokens(named) == [("subject:identifier", "s", "7")]


def test_references_to_elsewhere_are_kept_as_they_are_and_canonical_ones_with_and_without_version() -> None:
    answers = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "http://example.org/q|2",
        "subject": {"reference": "Patient/p1"},
        "author": {"reference": "http://elsewhere.org/Practitioner/1"},
        "source": {"reference": "#inside"},
    }
    assert index(answers).references == [
        ("questionnaire", "", "http://example.org/q"),
        ("questionnaire", "", "http://example.org/q|2"),
        ("author", "", "http://elsewhere.org/Practitioner/1"),
    ]
