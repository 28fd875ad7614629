"""The compiler: what a view says is what comes out, and what cannot be compiled is refused by name."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest

from hub_core.fhir.canonical import Json
from pipelines.views.compiler import compile_view
from pipelines.views.definition import read_definition
from pipelines.views.value import ViewRefusedError


def view(*columns: dict[str, Any], resource: str = "Patient", **more: Any) -> Json:
    return {"resourceType": "ViewDefinition", "resource": resource, "select": [{"column": [*columns]}], **more}


def column(path: str, name: str = "c", **more: Any) -> dict[str, Any]:
    return {"name": name, "path": path, **more}


def run(definition: Json, *resources: Json) -> list[tuple[Any, ...]]:
    compiled = compile_view(read_definition(definition))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE TABLE lake (body VARCHAR)")
        connection.executemany("INSERT INTO lake VALUES (?)", [[json.dumps(each)] for each in resources])
        return connection.execute(compiled.over("lake")).fetchall()


def one(path: str, resource: Json, **more: Any) -> Any:
    return run(view(column(path, **more), resource=resource["resourceType"]), resource)[0][0]


BILL = {
    "resourceType": "ExplanationOfBenefit",
    "item": [
        {
            "sequence": 1,
            "adjudication": [
                {"category": {"coding": [{"code": "submitted"}]}, "amount": {"value": 100.1}},
                {"category": {"coding": [{"code": "benefit"}]}, "amount": {"value": 80.05}},
            ],
        }
    ],
}


def test_a_criterion_within_exists_is_not_lost() -> None:
    path = "item.first().adjudication.where(category.coding.exists(code = 'benefit')).first().amount.value"
    assert one(path, BILL, type="decimal") == 80.05


def test_money_is_decimal_when_the_view_says_so() -> None:
    tag = [{"name": "ansi/type", "value": "DECIMAL(18,2)"}]
    found = one("item.adjudication.first().amount.value", BILL, type="decimal", tag=tag)
    assert str(found) == "100.10"


def test_a_text_cannot_leave_its_quotes() -> None:
    patient = {"resourceType": "Patient", "name": [{"family": "O'Hara'; DROP TABLE lake; --"}]}
    assert one("name.where(family = 'O\\'Hara\\'; DROP TABLE lake; --').count()", patient) == 1


@pytest.mark.parametrize(
    ("born", "path", "expected"),
    [
        ("1980-05-03", "birthDate < @1980-06", True),
        ("1980-05-03", "birthDate < @1980-05", None),
        ("1980", "birthDate = @1980-05-03", None),
        ("1980", "birthDate = @1981-05-03", False),
        ("1980-05-03", "birthDate = @1980-05-03", True),
    ],
)
def test_partial_dates_compare_as_far_as_they_are_known(born: str, path: str, expected: bool | None) -> None:
    assert one(path, {"resourceType": "Patient", "birthDate": born}) is expected


def test_the_same_moment_in_two_zones_is_equal() -> None:
    seen = {"resourceType": "Observation", "effectiveDateTime": "2026-03-01T23:30:00-06:00"}
    assert one("effective.ofType(dateTime) = @2026-03-02T05:30:00Z", seen) is True


def test_an_empty_value_is_neither_equal_nor_unequal() -> None:
    assert one("gender = 'male'", {"resourceType": "Patient"}) is None
    assert one("gender != 'male'", {"resourceType": "Patient"}) is None


def test_any_type_of_a_choice_counts_as_existing() -> None:
    assert one("value.exists()", {"resourceType": "Observation", "valueBoolean": False}) is True
    assert one("value.exists()", {"resourceType": "Observation"}) is False


def test_several_values_where_one_is_asked_for_stop_the_query() -> None:
    patient = {"resourceType": "Patient", "name": [{"family": "A"}, {"family": "B"}]}
    with pytest.raises(duckdb.InvalidInputException, match="several values where one is asked for"):
        run(view(column("name.family")), patient)


def test_an_array_that_holds_null_gives_its_values_only() -> None:
    patient = {"resourceType": "Patient", "name": [{"given": ["Ann", None, "Marie"]}]}
    assert one("name.given.join(' ')", patient) == "Ann Marie"


@pytest.mark.parametrize(
    ("reference", "key", "of_a_patient"),
    [
        ("Patient/p1", "p1", "p1"),
        ("Patient/p1/_history/2", "p1", "p1"),
        ("https://other.example/fhir/Patient/p1", "p1", "p1"),
        ("https://other.example/fhir/Patient/p1/_history/2", "p1", "p1"),
        ("https://other.example/Patient/Group/g1", "g1", None),
        ("https://other.example/Patient/p1/_history/Group/g1", "g1", None),
        ("Group/g1", "g1", None),
        ("PatientGroup/g1", "g1", None),
        ("Patient/" + "p" * 64, "p" * 64, "p" * 64),
        ("Patient/" + "p" * 65, None, None),
        ("Patient/p1\n", None, None),
        ("Patient/p 1", None, None),
        ("Patient/", None, None),
        ("Patient", None, None),
        ("#coverage", None, None),
        ("urn:uuid:7c5f3b0e-6b0f-4c8c-8d6b-3f3c1f0a2b11", None, None),
        (None, None, None),
    ],
)
def test_a_reference_that_names_no_resource_of_the_type_has_no_key(
    reference: str | None, key: str | None, of_a_patient: str | None
) -> None:
    claim = {"resourceType": "Claim", "patient": {"reference": reference}}
    assert one("patient.getReferenceKey()", claim) == key
    assert one("patient.getReferenceKey(Patient)", claim) == of_a_patient


@pytest.mark.parametrize("name", ["P.*", "(Patient)", "Pa{1}tient", "Patient|Group", "Patient'", r"\\w+"])
def test_a_type_in_a_path_is_a_name_and_no_pattern(name: str) -> None:
    claim = {"resourceType": "Claim", "patient": {"reference": "Patient/p1"}}
    assert one(f"patient.getReferenceKey(`{name}`)", claim) is None


def items(depth: int) -> Json:
    return {"linkId": str(depth), **({"item": [items(depth - 1)]} if depth > 1 else {})}


def test_repeat_follows_items_and_stops_rather_than_leave_some_out() -> None:
    definition = view(resource="Questionnaire")
    definition["select"] = [{"repeat": ["item"], "column": [column("linkId")]}]
    shallow = {"resourceType": "Questionnaire", "item": [items(5)]}
    assert run(definition, shallow) == [("5",), ("4",), ("3",), ("2",), ("1",)]
    deep = {"resourceType": "Questionnaire", "item": [items(20)]}
    with pytest.raises(duckdb.InvalidInputException, match="deeper than 10 levels"):
        run(definition, deep)


def test_a_repeat_that_leads_nowhere_is_refused() -> None:
    definition = view(resource="Questionnaire")
    definition["select"] = [{"repeat": ["item", "itme"], "column": [column("linkId")]}]
    with pytest.raises(ViewRefusedError, match="leads to no element"):
        compile_view(read_definition(definition))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nme.family", "Patient has no element nme"),
        ("deceased", "deceased has several types"),
        ("deceased.ofType(Quantity)", "never a Quantity"),
        ("name.select(family)", r"select\(\) is not supported"),
        ("name.family.lowBoundary()", r"lowBoundary\(\)"),
        ("name # contact.name", "cannot be read at character 6"),
        ("name | contact.name", r"\| is not supported"),
        ("name.given.count() = 3 'mg'", "a number with a unit is not supported"),
        ("name[active].family", "index must be a whole number"),
        ("name", "not a primitive"),
        ("gender = 3", "cannot be compared"),
        ("name.family.where(", "ends too early"),
        ("(" * 80 + "active" + ")" * 80, "nested deeper"),
        ("name.where(use).family", "is a condition, but its type is code"),
        ("%unknown", "no constant %unknown"),
        ("active is boolean", "not supported"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(path: str, reason: str) -> None:
    with pytest.raises(ViewRefusedError, match=reason) as refused:
        compile_view(read_definition(view(column(path, "surname"), name="people")))
    assert "people" in str(refused.value)
    assert "surname" in str(refused.value)


@pytest.mark.parametrize(
    "broken",
    [
        {"select": [{"column": [column("id")], "forEech": "name"}]},
        {"select": [{"forEach": "name", "forEachOrNull": "contact", "column": [column("id")]}]},
        {"select": [{"column": [column("id", "c; DROP TABLE x")]}]},
        {"select": [{"column": [column("id"), column("gender")]}]},
        {"select": [{"column": [column("id", type="HumanName")]}]},
        {"select": [{"column": [column("active", type="integer")]}]},
        {"select": []},
        {"resource": "Person; --"},
        {"constant": [{"name": "c", "valueBoolean": "true"}]},
    ],
)
def test_a_definition_with_a_mistake_is_refused(broken: Json) -> None:
    with pytest.raises(ViewRefusedError):
        compile_view(read_definition(view(column("id")) | broken))
