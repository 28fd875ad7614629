"""Search parameters from outside: whatever is sent is read or refused in a line, and never becomes SQL."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr_pm.record import search
from ehr_pm.record.searching.criteria import Indexed, IsOneOf, Text, Token
from hub_api.fhir.parameters import MAX_COUNT, read_request
from hub_core.errors import UnreadableError
from hub_core.fhir.registry import RESOURCE_TYPES
from hub_core.fhir.search_parameters import Kind, parameters_of

BASE = "http://hub/fhir"
NAMES = st.sampled_from(
    ["name", "family:exact", "identifier", "birthdate", "_id", "_count", "_total", "general-practitioner"]
)
HOSTILE = st.text(max_size=60) | st.sampled_from(
    ["';DROP TABLE resource;--", "%(p0)s", "%s", "\\", "|", ",", "a|b|c", "\x00"]
)


class Recorder:
    """Stands for a connection: keeps the SQL it is given and answers nothing."""

    statements: list[tuple[str, Any]]

    def __init__(self) -> None:
        self.statements = []

    def cursor(self, **_: Any) -> Recorder:
        return self

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None: ...

    def execute(self, statement: str, values: Any = (), **_: Any) -> Recorder:
        self.statements.append((statement, values))
        return self

    def fetchone(self) -> None: ...

    def fetchall(self) -> list[Any]:
        return []


@given(st.lists(st.tuples(NAMES | HOSTILE, HOSTILE), max_size=6))
def test_whatever_is_asked_is_read_or_refused(asked: list[tuple[str, str]]) -> None:
    try:
        request = read_request("Patient", asked, base=BASE, strict=False)
    except UnreadableError:
        return
    assert 0 <= request.count <= MAX_COUNT
    assert {name for name, _ in request.used} | set(request.ignored) <= {name for name, _ in asked}


@given(
    st.lists(st.tuples(st.sampled_from(["name", "family:exact", "identifier", "_id"]), HOSTILE), min_size=1, max_size=4)
)
def test_a_value_never_becomes_sql(asked: list[tuple[str, str]]) -> None:
    try:
        wanted = read_request("Patient", asked, base=BASE, strict=True).search
    except UnreadableError:
        return
    recorder = Recorder()
    search.find(cast(Any, recorder), wanted, limit=1)
    assert recorder.statements
    for statement, values in recorder.statements:
        assert "DROP" not in statement
        assert set(values) == {name for name in values if f"%({name})s" in statement}


@given(st.lists(st.text(alphabet="ab,\\|$ é", min_size=1, max_size=8), min_size=1, max_size=5))
def test_escaped_alternatives_come_back_as_they_were(values: list[str]) -> None:
    escaped = ",".join(value.replace("\\", "\\\\").replace(",", "\\,") for value in values)
    (criterion,) = read_request("Patient", [("family", escaped)], base=BASE, strict=True).search.criteria
    assert isinstance(criterion, Indexed)
    assert [cast(Text, value).value for value in criterion.values] == values


@given(st.text(alphabet="abc:/.-1", min_size=1, max_size=12), st.text(alphabet="xyz-1", min_size=1, max_size=8))
def test_the_four_forms_of_a_token(system: str, code: str) -> None:
    forms = {
        code: Token(code, any_system=True),
        f"{system}|{code}": Token(code, system),
        f"|{code}": Token(code),
        f"{system}|": Token(None, system),
    }
    for text, token in forms.items():
        (criterion,) = read_request("Patient", [("identifier", text)], base=BASE, strict=True).search.criteria
        assert criterion == Indexed("identifier", (token,))


def test_the_house_limits_hold() -> None:
    for asked in ([("name", "x")] * 51, [("_id", ",".join("ab" * 150))]):
        with pytest.raises(UnreadableError):
            read_request("Patient", asked, base=BASE, strict=False)
    (criterion,) = read_request("Patient", [("_id", "a,,b,")], base=BASE, strict=True).search.criteria
    assert criterion == IsOneOf(("a", "b"))


SAMPLES: dict[Kind, str] = {
    "token": "x",
    "string": "x",
    "date": "ge2024",
    "reference": "Patient/x",
    "quantity": "lt5.4||mg",
    "number": "0.5",
    "uri": "http://x",
}


def sample(name: str, param: str) -> str:
    """Return a value that a parameter of a type can have."""
    known = parameters_of(name)
    if known[param].kind == "composite":
        return "$".join(sample(name, part) for part, _ in known[param].groups[0].parts)
    return SAMPLES[known[param].kind]


def test_every_parameter_of_every_type_can_be_read() -> None:
    for name in RESOURCE_TYPES:
        for param in parameters_of(name):
            request = read_request(name, [(param, sample(name, param))], base=BASE, strict=True)
            assert len(request.search.criteria) == 1


MODIFIERS = ("missing", "exact", "contains", "not", "text", "of-type", "identifier", "Patient", "below", "above", "in")


@given(st.sampled_from(sorted(parameters_of("Observation"))), st.sampled_from(MODIFIERS))
def test_a_modifier_is_understood_or_refused_and_never_passed_over(param: str, modifier: str) -> None:
    value = "true" if modifier == "missing" else "a|b|c" if modifier == "of-type" else sample("Observation", param)
    try:
        with_it = read_request("Observation", [(f"{param}:{modifier}", value)], base=BASE, strict=False)
    except UnreadableError:
        return
    without = read_request("Observation", [(param, sample("Observation", param))], base=BASE, strict=True)
    assert with_it.ignored == ()
    assert with_it.search != without.search or modifier == "Patient"


@pytest.mark.parametrize(
    "asked",
    [
        ("encounter:Encounter.part-of.part-of.part-of.part-of.class", "x"),
        ("focus.status", "x"),
        ("code.name", "x"),
        ("_has:Observation:patient", "x"),
        ("_has:Nonsense:patient:code", "x"),
        ("_has:Patient:organization:name", "x"),
        ("_include", "Observation:code"),
        ("_include", "Observation:subject:Nonsense"),
        ("_revinclude", "*"),
        ("_include:unknown", "Observation:subject"),
        ("_sort", "code-value-quantity"),
        ("_sort", "nothing"),
        ("_sort", "date,code,status,category,_id,_lastUpdated"),
        ("_summary", "all"),
        ("_elements", "nothing"),
        ("value-quantity", "5.4|mg"),
        ("value-quantity", "many"),
        ("code-value-quantity", "718-7"),
        ("status:missing", "perhaps"),
        ("date", "yesterday"),
        ("subject", "\x00"),
    ],
)
def test_what_cannot_be_answered_is_refused(asked: tuple[str, str]) -> None:
    with pytest.raises(UnreadableError):
        read_request("Observation", [asked], base=BASE, strict=False)


def test_a_search_costs_a_limited_number_of_joins() -> None:
    chain = ("subject:Patient.general-practitioner:Practitioner.name", "x")
    assert read_request("Observation", [chain] * 15, base=BASE, strict=True).search.criteria
    with pytest.raises(UnreadableError):
        read_request("Observation", [chain] * 16, base=BASE, strict=True)
