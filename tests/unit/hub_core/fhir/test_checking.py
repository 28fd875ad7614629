"""What R4 allows a resource to hold passes, and what it does not is told by its place and never by its value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_core.fhir.canonical import Json, loads
from hub_core.fhir.checking import faults
from hub_core.fhir.registry import RESOURCE_TYPES

GOOD: Json = {
    "resourceType": "Observation",
    "id": "a",
    "meta": {"profile": ["http://example.org/p"]},
    "contained": [
        {"resourceType": "Patient", "id": "p", "name": [{"given": ["Ada", None], "_given": [None, {"id": "x"}]}]}
    ],
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "718-7", "userSelected": True}]},
    "effectiveDateTime": "2026-02-28T23:59:60.5+14:00",
    "valueQuantity": {"value": 1, "_unit": {"extension": [{"url": "http://example.org/e", "valueInteger": -3}]}},
    "component": [{"code": {"text": "x"}, "valueSampledData": {
        "origin": {"value": 0}, "period": 10, "dimensions": 1, "data": "1 2"}}],
}  # fmt: skip

WRONG: tuple[tuple[Json, str, str], ...] = (
    ({"shoe": 44}, "structure", "Observation.shoe"),
    ({"a b\n": 1}, "structure", "Observation"),
    ({"_component": [{}]}, "structure", "Observation._component"),
    ({"status": None}, "value", "Observation.status"),
    ({"status": " final"}, "value", "Observation.status"),
    ({"status": ["final"]}, "value", "Observation.status"),
    ({"code": []}, "structure", "Observation.code"),
    ({"code": {}}, "structure", "Observation.code"),
    ({"category": {"text": "x"}}, "structure", "Observation.category"),
    ({"category": []}, "structure", "Observation.category"),
    ({"category": [{"text": ""}]}, "value", "Observation.category[0].text"),
    ({"effectiveDateTime": "2026-02-28T10:00"}, "value", "Observation.effectiveDateTime"),
    ({"effectiveDateTime": "26-02-28"}, "value", "Observation.effectiveDateTime"),
    ({"effectivePeriod": {"start": "2026"}}, "structure", "Observation.effective"),
    ({"issued": "2026-02-28"}, "value", "Observation.issued"),
    ({"valueQuantity": {"value": "1"}}, "value", "Observation.valueQuantity.value"),
    ({"valueQuantity": {"value": True}}, "value", "Observation.valueQuantity.value"),
    ({"valueMoney": {"value": 1}}, "structure", "Observation.valueMoney"),
    ({"component": [{"valueInteger": 1}]}, "required", "Observation.component[0].code"),
    ({"component": [{"code": {"text": "x"}, "valueInteger": 2**31}]}, "value", "Observation.component[0].valueInteger"),
    ({"contained": [{"resourceType": "Potato"}]}, "structure", "Observation.contained[0]"),
    ({"contained": [{"resourceType": "Patient", "contained": [{"resourceType": "Patient", "id": "x"}]}]}, "structure",
     "Observation.contained[0].contained"),
    ({"meta": [1]}, "structure", "Observation.meta"),
    ({"note": [{"text": "nul\0"}]}, "value", "Observation.note[0].text"),
)  # fmt: skip
"""What is put into a good Observation, and the first fault."""


def test_what_is_right_has_no_fault() -> None:
    assert list(faults(GOOD)) == []


@pytest.mark.parametrize(("changed", "code", "expression"), WRONG)
def test_what_is_wrong_is_told_with_its_place(changed: Json, code: str, expression: str) -> None:
    found = [(each.code, each.expression) for each in faults({**GOOD, **changed})]
    assert found[:1] == [(code, expression)]


@pytest.mark.parametrize("element", ["status", "code"])
def test_what_may_not_be_missing_is_missed(element: str) -> None:
    without = {name: value for name, value in GOOD.items() if name != element}
    assert [(each.code, each.expression) for each in faults(without)] == [("required", f"Observation.{element}")]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(st.sampled_from(sorted(RESOURCE_TYPES)), st.dictionaries(st.text(max_size=8), _JSON, max_size=4))
def test_nothing_that_is_sent_breaks_it_or_is_repeated(resource_type: str, sent: dict[str, Any]) -> None:
    told = list(faults({"resourceType": resource_type, "note": "Okafor 219-09-9999", **sent}))
    assert not any("Okafor" in f"{each.text}{each.expression}" for each in told)


def test_resources_of_other_servers_pass(corpora: Path) -> None:
    refused: dict[str, list[str]] = {}
    files = sorted((corpora / "fhir" / "us-core-examples").rglob("*.json"))
    for path in files:
        resource = loads(path.read_bytes())
        if resource.get("resourceType") in RESOURCE_TYPES and (wrong := [each.expression for each in faults(resource)]):
            refused[path.name] = wrong
    assert len(files) > 100
    assert refused == {"diagnosticreport-cbc.json": ["DiagnosticReport.text.div"]}, "its narrative has no text"
