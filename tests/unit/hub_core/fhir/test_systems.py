"""Builders write what is said and leave out what is not."""

from __future__ import annotations

from decimal import Decimal

from hub_core.fhir import systems


def test_builders_leave_out_what_is_empty() -> None:
    assert systems.concept(systems.coding(systems.LOINC, "718-7"), {}, text="Hgb") == {
        "coding": [{"system": "http://loinc.org", "code": "718-7"}],
        "text": "Hgb",
    }
    assert systems.concept(text=None) == {}
    assert systems.period("2020", None) == {"start": "2020"}
    assert systems.reference("Patient", "p1") == {"reference": "Patient/p1"}


def test_an_identifier_says_its_type_in_table_0203() -> None:
    assert systems.identifier("urn:oid:1.2", "4711", type_code="MR", assigner="North Clinic") == {
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
        "system": "urn:oid:1.2",
        "value": "4711",
        "assigner": {"display": "North Clinic"},
    }


def test_a_logical_reference_names_by_identifier() -> None:
    npi = systems.identifier(systems.NPI, "1234567893")
    assert systems.logical_reference("Practitioner", npi, "Dr. Test") == {
        "type": "Practitioner",
        "identifier": {"system": systems.NPI, "value": "1234567893"},
        "display": "Dr. Test",
    }


def test_amounts_keep_their_digits_and_zero_is_said() -> None:
    assert systems.money(Decimal("0.00")) == {"value": Decimal("0.00"), "currency": "USD"}
    assert str(systems.quantity(Decimal("1.10"), "mg/dL", system=systems.UCUM, code="mg/dL")["value"]) == "1.10"
    assert systems.quantity(Decimal(0), system=systems.UCUM) == {"value": Decimal(0)}
