"""A resource is indexed by the R4 search parameters of its type, whatever it holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub_core.fhir import search_values
from hub_core.fhir.search_values import EARLIEST, LATEST, index, interval


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


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
        ("identifier", "urn:oid:1.2.3", "4711"),
        ("identifier", None, "no system"),
        ("telecom", "phone", "555-0100"),
        ("phone", None, "555-0100"),
        ("telecom", "url", "https://example.org"),
        ("gender", None, "female"),
    ]
    assert values.strings == [
        ("name", "nunez de la pena"),
        ("family", "nunez de la pena"),
        ("name", "ana"),
        ("given", "ana"),
        ("name", "ana nunez"),
        ("address", "1 main st"),
        ("address", "springfield"),
        ("address-city", "springfield"),
        ("address", "01101"),
        ("address-postalcode", "01101"),
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
        ("status", None, "final"),
        ("code", "http://loinc.org", "718-7"),
        ("code", None, "HGB"),
        ("category", "s", "laboratory"),
    ]
    assert values.dates == [("date", at(2020, 1, 1), at(2020, 1, 4))]
    assert values.references == [
        ("subject", "Patient", "p1"),
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
    resource: dict[str, object], expected: tuple[str, str | None, str]
) -> None:
    assert index(resource).tokens == [expected]


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


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2020", at(2020, 1, 1), at(2021, 1, 1)),
        ("2020-12", at(2020, 12, 1), at(2021, 1, 1)),
        ("2024-02-29", at(2024, 2, 29), at(2024, 3, 1)),
        ("2020-03-04T05:06", at(2020, 3, 4, 5, 6), at(2020, 3, 4, 5, 7)),
        ("2020-03-04T05:06:07", at(2020, 3, 4, 5, 6, 7), at(2020, 3, 4, 5, 6, 8)),
        ("2020-03-04T05:06:07+02:00", at(2020, 3, 4, 3, 6, 7), at(2020, 3, 4, 3, 6, 8)),
        ("9999-12-31", at(9999, 12, 31), LATEST),
        ("9999", at(9999, 1, 1), LATEST),
    ],
)
def test_a_partial_date_stands_for_the_whole_of_it(text: str, start: datetime, end: datetime) -> None:
    found = interval(text)
    assert found is not None
    assert found[0] == start
    assert abs(found[1] - end) <= timedelta(microseconds=1)


def test_an_instant_keeps_its_milliseconds() -> None:
    start = at(2020, 3, 4, 5, 6, 7) + timedelta(milliseconds=250)
    assert interval("2020-03-04T05:06:07.250Z") == (start, start + timedelta(milliseconds=1))


@pytest.mark.parametrize(
    "text",
    ["", "20200101", "2020-W01-1", "2020-13", "2020-02-30", "0000", "2020-01-01T25:00:00Z", "yesterday", "٢٠٢٠",
     "0001-01-01T00:00:00+14:00"],
)  # fmt: skip
def test_what_is_no_fhir_date_has_no_interval(text: str) -> None:
    assert interval(text) is None


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
        assert all(text == "text" for _, text in values.strings)


def test_values_an_index_cannot_hold_are_cut_or_left_out() -> None:
    values = index({"resourceType": "Patient", "identifier": [{"value": "x" * 5000}], "name": [{"family": "Y" * 5000}]})
    assert values.tokens == []
    assert values.strings == [("name", "y" * 200), ("family", "y" * 200)]


def test_types_without_parameters_of_their_own_still_have_identifier_and_status() -> None:
    library = {"resourceType": "Library", "status": "draft", "identifier": [{"value": "1"}]}
    assert index(library).tokens == [("status", None, "draft"), ("identifier", None, "1")]
    assert index({"resourceType": "Nonsense", "status": "draft"}) == search_values.SearchValues()


def test_folding_takes_case_accents_and_doubled_spaces() -> None:
    assert search_values.fold("  Åsa   ÖSTERGREN\tStraße ") == "asa ostergren strasse"
