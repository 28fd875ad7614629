"""Paths give what FHIRPath 2.0 says they mean: elements and types, logic, comparison, arithmetic and functions."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_core.errors import PathError
from hub_core.fhir.canonical import Json, load_object
from hub_core.fhir.fhirpath.amounts import Amount
from hub_core.fhir.fhirpath.evaluation import compile_path, evaluate
from hub_core.fhir.fhirpath.nodes import Node

BIRTH_TIME = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
PATIENT = load_object(
    b"""{"resourceType": "Patient", "id": "p1", "active": true, "birthDate": "1961-04-09",
    "_birthDate": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime",
                                  "valueDateTime": "1961-04-09T03:20:00-05:00"}]},
    "name": [{"use": "official", "family": "Okafor", "given": ["Ada", "Grace"]},
             {"use": "nickname", "given": ["Ada", null], "_given": [null, {"id": "x"}]}],
    "telecom": [{"system": "phone", "value": "555-0100"}, {"system": "email", "value": "ada@mail.example"}],
    "multipleBirthInteger": 2,
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Riverbend"}],
    "managingOrganization": {"reference": "#o"},
    "generalPractitioner": [{"reference": "Practitioner/7"}, {"reference": "https://a.example/fhir/Organization/8"},
                            {"type": "PractitionerRole", "identifier": {"value": "9"}}]}"""
)
OBSERVATION = load_object(
    b"""{"resourceType": "Observation", "status": "final", "issued": "2024-05-01T08:00:00.250Z",
    "valueQuantity": {"value": 6.30, "unit": "mmol/l", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
    "component": [{"valueString": "a"}, {"valueQuantity": {"value": 2, "unit": "kg"}}, {"valueInteger": 5}]}"""
)
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def values(path: str, resource: Json = PATIENT, **variables: Any) -> list[Any]:
    return [node.value for node in compile_path(path)(resource, variables, now=NOW)]


def kinds_of(path: str, resource: Json = PATIENT) -> list[str]:
    return [node.type for node in evaluate(path, resource)]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("name.given", ["Ada", "Grace", "Ada", None]),
        ("Patient.name.family", ["Okafor"]),
        ("Resource.id", ["p1"]),
        ("Person.name", []),
        ("name[0].given[1]", ["Grace"]),
        ("name[7]", []),
        ("nothing.of.that", []),
        (f"birthDate.extension('{BIRTH_TIME}').value", ["1961-04-09T03:20:00-05:00"]),
        ("birthDate.extension(%`ext-patient-birthTime`).exists()", [True]),
        ("name.given.id", ["x"]),
        ("multipleBirth", [2]),
        ("multipleBirthInteger", []),
        ("contained.name", ["Riverbend"]),
        ("%resource.id & %context.active.toString()", ["p1true"]),
    ],
)
def test_elements_are_found_by_their_names(path: str, expected: list[Any]) -> None:
    assert values(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("value", ["Quantity"]),
        ("value.value", ["decimal"]),
        ("component.value", ["string", "Quantity", "integer"]),
        ("component.value.ofType(Quantity)", ["Quantity"]),
        ("(component.value as string)", ["string"]),
        ("component", ["Observation.component"] * 3),
        ("issued | status", ["instant", "code"]),
        ("status = 'final'", ["System.Boolean"]),
    ],
)
def test_nodes_know_their_types(path: str, expected: list[str]) -> None:
    assert kinds_of(path, OBSERVATION) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("status is code", True),
        ("status is string", True),
        ("status is id", False),
        ("status is String", False),
        ("'a' is String", True),
        ("value is FHIR.Quantity", True),
        ("4 'mg' is System.Quantity", True),
        ("component.first() is BackboneElement", True),
        ("$this is DomainResource", True),
        ("value.is(Period)", False),
        ("1.type().name = 'Integer'", True),
    ],
)
def test_types_are_asked_for(path: str, expected: bool) -> None:
    assert values(path, OBSERVATION) == [expected]


T, F, N = "true", "false", "{}"


@pytest.mark.parametrize(
    ("operator", "table"),
    [  # true, false and empty on the left; the same on the right
        ("and", [T, F, N, F, F, F, N, F, N]),
        ("or", [T, T, T, T, F, N, T, N, N]),
        ("xor", [F, T, N, T, F, N, N, N, N]),
        ("implies", [T, F, N, T, T, T, T, N, N]),
    ],
)
def test_logic_has_three_values(operator: str, table: list[str]) -> None:
    found = [values(f"{left} {operator} {right}") for left in (T, F, N) for right in (T, F, N)]
    assert found == [{T: [True], F: [False], N: []}[answer] for answer in table]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("1 = 1.0", True),
        ("1.10 = 1.1", True),
        ("'a' = 'A'", False),
        ("'a' ~ 'A'", True),
        ("'a  b' ~ 'A B'", True),
        ("1 = '1'", False),
        ("{} = {}", None),
        ("{} ~ {}", True),
        ("(1 | 2) = (2 | 1)", False),
        ("(1 | 2) ~ (2 | 1)", True),
        ("name = name", True),
        ("name.first() ~ name.last()", False),
        ("0.67 ~ 2 / 3.0", True),
        ("@2024-03-01 < @2024-03-02", True),
        ("@2024-03 < @2024-03-02", None),
        ("@2024-02 < @2024-03-02", True),
        ("@2024-03-01 = @2024-03-01T10:00", None),
        ("@2024-03-01 = @T10:00", False),
        ("@2024-03-01T10:00:00Z = @2024-03-01T05:00:00-05:00", True),
        ("@2024-03-01T10:00:00Z = @2024-03-01T10:00:00", None),
        ("@2024-03-01T10:00:00Z < @2024-03-02T10:00:00", True),
        ("@T10:30:00 <= @T10:30:00.000", True),
        ("@T10:30 < @T10:30:00", None),
        ("4 'g' = 4000 'mg'", True),
        ("1 week = 7 'd'", True),
        ("1 year = 1 'a'", None),
        ("1 'mmol/L' = 1 'mg/dL'", None),
        ("1 '[arb]' < 2 '[arb]'", True),
        ("birthDate < today()", True),
        ("2 in (1 | 2)", True),
        ("(1 | 2) contains 3", False),
        ("{} in (1 | 2)", None),
    ],
)
def test_values_are_compared(path: str, expected: bool | None) -> None:
    assert values(path) == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("7 div 2", 3),
        ("-7 div 2", -3),
        ("7 mod 2", 1),
        ("1 / 4", Decimal("0.25")),
        ("1 / 0", None),
        ("5 mod 0", None),
        ("1.1 + 2.2", Decimal("3.3")),
        ("'a' + 'b'", "ab"),
        ("'a' + {}", None),
        ("'a' & {}", "a"),
        ("@2024-01-31 + 1 month", "2024-02-29"),
        ("@2024-02-29 - 1 year", "2023-02-28"),
        ("@2024 + 25 months", "2026"),
        ("@2024-01-01 + 23 hours", "2024-01-01"),
        ("@2024-01-01T23:30:00-05:00 + 45 'min'", "2024-01-02T00:15:00-05:00"),
        ("@2024-01-01T00:00:00.000Z + 10 milliseconds", "2024-01-01T00:00:00.010Z"),
        ("@T23:30 + 45 minutes", "00:15"),
        ("@9999-12-31 + 1 day", None),
        ("2 * 3 'mg'", Amount(Decimal(6), "mg")),
        ("6 'g' / 3 'g'", Amount(Decimal(2), "1")),
        ("1 'g' + 500 'mg'", Amount(Decimal(1500), "mg")),
    ],
)
def test_values_are_reckoned_with(path: str, expected: Any) -> None:
    assert values(path) == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("name.exists(use = 'nickname')", [True]),
        ("name.all(given.exists())", [True]),
        ("(true | false).allTrue()", [False]),
        ("(true | false).anyFalse()", [True]),
        ("name.first().subsetOf(name)", [True]),
        ("name.supersetOf(name.first())", [True]),
        ("name.given.distinct()", ["Ada", "Grace", None]),
        ("name.given.isDistinct()", [False]),
        ("telecom.where($index = 1).system", ["email"]),
        ("telecom.select(iif(system = 'phone', value, 'none'))", ["555-0100", "none"]),
        ("iif({}, 1 / 0, 'else')", ["else"]),
        ("(1 | 2 | 3).tail().take(1)", [2]),
        ("(1 | 2 | 3).skip(2)", [3]),
        ("(1 | 2 | 3).intersect(3 | 2)", [2, 3]),
        ("(1 | 2).combine(2).exclude(1)", [2, 2]),
        ("1.union(1)", [1]),
        ("(1 | 2 | 3 | 4).aggregate($this + $total, 0)", [10]),
        ("(4 | 2).aggregate(iif($total.empty() or $this < $total, $this, $total))", [2]),
        ("(3 | 1 | 2).min() | (3 | 1 | 2).max()", [1, 3]),
        ("(1 | 2).avg()", [Decimal("1.5")]),
        ("name.children().count()", [7]),
        ("descendants().where($this is Coding).empty()", [True]),
        ("name.given.hasValue()", [False]),
        ("name[0].given[0].hasValue()", [True]),
        ("%limit + 1", [4]),
        ("now() = @2026-03-04T05:06:07Z", [True]),
        ("timeOfDay()", ["05:06:07.000"]),
        ("active.not()", [False]),
    ],
)
def test_functions_of_collections(path: str, expected: list[Any]) -> None:
    assert values(path, limit=3) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("'abcd'.substring(1, 2)", "bc"),
        ("'abcd'.substring(9)", None),
        ("'abcb'.indexOf('b') + 'abcb'.lastIndexOf('b')", 4),
        ("'abc'.startsWith('ab') and 'abc'.endsWith('') and 'abc'.contains('bc')", True),
        ("'aXa'.upper() & 'aXa'.lower()", "AXAaxa"),
        ("'a-b'.replace('-', '+')", "a+b"),
        ("'first\nsecond'.matches('first.second')", True),
        ("'abc'.matchesFull('b')", False),
        ("'2024-05'.replaceMatches('(?P<y>\\\\d+)-(\\\\d+)', '$2/$1')", "05/2024"),
        ("'a,b'.split(',').join('-')", "a-b"),
        ("' a '.trim().length()", 1),
        ("'ab'.toChars().count()", 2),
        ("'a?'.encode('hex') & 'YT8='.decode('base64')", "613fa?"),
        ("(-5).abs() + 1.2.ceiling() + (-1.2).floor() + (-1.9).truncate()", 4),
        ("1.255.round(2)", Decimal("1.26")),
        ("16.log(2)", Decimal(4)),
        ("(-1).sqrt()", None),
        ("2.power(10)", 1024),
        ("10.power(400000)", None),
        ("'1'.toInteger() + '1.0'.toDecimal()", Decimal("2.0")),
        ("'1.0'.convertsToInteger()", False),
        ("'yes'.toBoolean()", True),
        ("'4 days'.toQuantity() = 4 days", True),
        ("'4 wk'.convertsToQuantity()", False),
        ("'2024-02-30'.convertsToDate()", False),
        ("@2024-05-01T10:00.toDate()", "2024-05-01"),
        ("1 week.toString() & 1.50.toString()", "1 week1.50"),
        ("1.50.lowBoundary()", Decimal("1.49500000")),
        ("(-1.587).highBoundary(2)", Decimal("-1.58")),
        ("@2023-02.highBoundary(8)", "2023-02-28"),
        ("@2024-05-01T10.lowBoundary(17)", "2024-05-01T10:00:00.000+14:00"),
        ("@T10:30.highBoundary()", "10:30:59.999"),
        ("1.5870.precision() + @2024-05.precision()", 10),
        ("1 'cm'.comparable(1 '[in_i]')", True),
    ],
)
def test_functions_of_single_values(path: str, expected: Any) -> None:
    assert values(path) == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("generalPractitioner.where(resolve() is Practitioner).reference", ["Practitioner/7"]),
        ("generalPractitioner.resolve().where($this is Organization).id", ["8"]),
        ("generalPractitioner.where(resolve() is PractitionerRole).identifier.value", ["9"]),
        ("managingOrganization.resolve().name", ["Riverbend"]),
        ("generalPractitioner.getReferenceKey(Practitioner)", ["7"]),
        ("getResourceKey()", ["p1"]),
    ],
)
def test_references_are_followed_as_far_as_they_tell(path: str, expected: list[Any]) -> None:
    assert values(path) == expected


def test_a_resolver_is_asked_for_the_resource_itself() -> None:
    known = {"Practitioner/7": {"resourceType": "Practitioner", "name": [{"family": "Rey"}]}}
    found = compile_path("generalPractitioner.resolve().name.family")(PATIENT, resolver=known.get)
    assert [node.value for node in found] == ["Rey"]


def test_numbers_keep_the_digits_they_were_written_with() -> None:
    [node] = evaluate("value.value", OBSERVATION)
    assert str(node.value) == "6.30"
    assert values("value.value.precision()", OBSERVATION) == [2]
    assert values("value > 6.2 'mmol/L'", OBSERVATION) == [True]


def test_an_element_can_be_what_a_path_starts_from() -> None:
    component = evaluate("component", OBSERVATION)[1]
    path = compile_path("value.unit | %resource.status")
    assert [node.value for node in path.of(component, OBSERVATION)] == ["kg", "final"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("name.single()", "several values where one is asked for, as what single() is of, at character 6"),
        ("name.given > 'a'", "several values where one is asked for, as an operand of >, at character 12"),
        ("name.where(given)", "several values where one is asked for, as a criterion, at character 6"),
        ("1 < 'a'", "asks for < of a System.Integer and a System.String at character 3"),
        ("name[0] < name[1]", "has no order at character 9"),
        ("-'a'", "has a sign - before what is no number at character 1"),
        ("@2024 + 1 'cm'", "moves a date by what is no length of time at character 7"),
        ("'a' * 2", "asks for * of values that have none"),
        ("1.startsWith('a')", "finds a value of a type it cannot take in startsWith() at character 3"),
        ("$index", "asks for $index outside"),
        ("%unknown", "asks for %unknown, which is not given,"),
        ("conformsTo('x')", "function conformsTo(), which is not supported, at character 1"),
        ("name.first(1)", "gives first() 1 arguments"),
        ("value is Quantty", "names a type Quantty, which is not known, at character 7"),
        ("ofType(1)", "no name of a type"),
        ("@2024-13-01", "no date or time of the calendar at character 1"),
        ("99999999999999999999", "a number out of reach"),
        ("'a'.matches('(?=a)')", "cannot be matched in linear time"),
    ],
)
def test_what_means_nothing_is_refused_with_its_place(path: str, reason: str) -> None:
    with pytest.raises(PathError) as refused:
        evaluate(path, PATIENT)
    assert reason in str(refused.value)


def test_refusals_show_no_values() -> None:
    with pytest.raises(PathError) as refused:
        evaluate("name.given.single()", PATIENT)
    assert "Ada" not in str(refused.value)
    assert "Ada" not in repr(evaluate("name.given", PATIENT))


def test_a_pattern_that_would_never_end_ends() -> None:
    text = {"resourceType": "Patient", "name": [{"text": "a" * 50_000 + "!"}]}
    assert values("name.text.matches('^(a+)+$')", text) == [False]


@pytest.mark.parametrize("number", ["1e300", "-1e-999999", "123456789012345678901234567890"])
def test_numbers_out_of_reach_take_no_memory(number: str) -> None:
    resource = load_object(f'{{"resourceType": "Observation", "valueQuantity": {{"value": {number}}}}}')
    for path in ("value.value.truncate()", "value.value.toString().length() < 100", "value.value.lowBoundary()"):
        assert len(values(path, resource)) <= 1
    assert values("value.value = value.value and value ~ value", resource) == [True]


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "given", "_given", "extension", "url", "contained", "resourceType", "birthDate"]),
            below,
            max_size=4,
        )
    ),
    max_leaves=12,
)
PATHS = (
    "name.given.where($this = 'a')",
    "descendants().count()",
    "birthDate < @2024",
    "name.given | name.family",
    "extension('a').value",
    "contained.name.distinct()",
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["name", "_birthDate", "birthDate", "contained", "extension"]), ANY_JSON))
def test_resources_that_are_not_what_r4_says_are_gone_through_or_refused(content: Json) -> None:
    for path in PATHS:
        try:
            found = compile_path(path)({"resourceType": "Patient", **content})
        except PathError:
            continue
        assert all(isinstance(node, Node) for node in found)
