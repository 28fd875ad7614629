"""Whatever a FHIR sender writes, the connector never raises, counts every line, and keeps every digit."""

from __future__ import annotations

import io
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.connector import Origin, Piece
from connectors.fhir.connector import FHIRConnector
from hub_core.fhir import canonical, indexing, references, search_values
from hub_core.fhir.registry import clinical_date, patient_id

CONNECTOR = FHIRConnector()
NORTH = Origin("north")

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# -0 is left out: it is read as 0, the same number with the same digits.
numbers = st.one_of(
    st.from_regex(r"(-?[1-9]\d{0,16}|0)(\.\d{1,20})?([eE][+-]?\d{1,2})?", fullmatch=True, alphabet="0123456789-+.eE"),
    st.from_regex(r"-0\.\d{1,20}([eE][+-]?\d{1,2})?", fullmatch=True, alphabet="0123456789-+.eE"),
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(
    scalars, lambda children: st.lists(children) | st.dictionaries(st.text(), children), max_leaves=20
)
names = st.sampled_from(("id", "meta", "subject", "reference", "entry", "resource", "code", "coding", "period", "name"))
nodes = st.recursive(
    scalars | st.sampled_from(("Patient/1", "urn:uuid:1", "2020-02", "https://a.example/Patient/1", "Binary/1")),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(names, children, max_size=4),
    max_leaves=15,
)
types = st.sampled_from(("Patient", "Observation", "Encounter", "Appointment", "Claim", "Bundle", "Unicorn", 7))


@st.composite
def resources(draw: st.DrawFn) -> dict[str, Any]:
    """Return something like a resource, wrong in any way."""
    return {"resourceType": draw(types), **draw(st.dictionaries(names, nodes, max_size=6))}


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """Return something like a line of NDJSON."""
    return draw(st.one_of(st.binary(), st.builds(lambda resource: json.dumps(resource).encode(), resources())))


@unhurried
@given(st.lists(numbers, min_size=1))
def test_any_json_number_is_written_back_as_it_was_read(written: list[str]) -> None:
    text = f'{{"resourceType":"Basic","n":[{",".join(written)}]}}'
    (outcome,) = CONNECTOR.convert(text.encode(), NORTH)
    assert outcome.state == "processed", outcome.issues
    kept = canonical.dumps(outcome.facts[0].resource).decode()
    assert kept.partition('"n":')[2] == f"[{','.join(written)}]}}"


@unhurried
@given(st.lists(lines(), max_size=8))
def test_any_lines_are_counted_and_none_raises(sent: list[bytes]) -> None:
    text = b"\n".join(sent)
    records = outcomes = 0
    for piece in CONNECTOR.cut(io.BytesIO(text), limit=1 << 20):
        assert isinstance(piece, Piece)
        records += piece.records
        found = list(CONNECTOR.convert(piece.body, NORTH))
        assert len(found) == piece.records
        assert CONNECTOR.envelope(piece.body, NORTH).kind
        outcomes += len(found)
    assert records == outcomes


@unhurried
@given(resources())
def test_any_resource_is_converted_or_rejected_and_can_be_indexed(resource: dict[str, Any]) -> None:
    (outcome,) = CONNECTOR.convert(json.dumps(resource).encode(), NORTH)
    assert bool(outcome.facts) == (outcome.state == "processed")
    assert outcome.facts or outcome.issues
    for fact in outcome.facts:
        canonical.content_hash(fact.resource)
        assert fact.resource["id"] != resource.get("id")
        values = indexing.index(fact.resource)
        assert all(start < end for _, start, end in values.dates)
        patient_id(fact.resource)
        clinical_date(fact.resource)


@unhurried
@given(values)
def test_rewriting_to_the_same_changes_nothing(value: Any) -> None:
    node = {"resourceType": "Basic", "extension": value}
    assert references.rewrite(node, lambda text: text) == node


@unhurried
@given(
    st.text() | st.from_regex(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?", fullmatch=True)
)
def test_an_interval_has_a_length_or_does_not_exist(text: str) -> None:
    found = search_values.interval(text)
    assert found is None or found[0] < found[1]
