"""`check` names every fault by its place, in words, and never tells what stood there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.fhir.connector import FHIRConnector


def check(document: Any) -> list[tuple[str, str, str]]:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return [(issue.severity, issue.location, issue.text) for issue in FHIRConnector().check(text)]


GOOD = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "code": {"text": "Weight"},
    "valueQuantity": {"value": 70.50, "unit": "kg"},
}


def test_a_good_resource_has_no_issues() -> None:
    assert check(GOOD) == []


def test_faults_are_found_at_their_places() -> None:
    found = check({**GOOD, "category": {}, "issued": "soon", "animal": 1, "component": [{"valueString": "x"}]})
    assert [(severity, place) for severity, place, _ in found] == [
        ("warning", "Observation.category"),
        ("error", "Observation.category"),
        ("error", "Observation.component[0].code"),
        ("error", "Observation.issued"),
        ("error", "Observation.animal"),
    ]
    assert not any("soon" in text for _, _, text in found)


def test_entries_of_a_bundle_are_checked_each_by_itself() -> None:
    entries = [
        {"resource": GOOD},
        {"resource": {"resourceType": "Unicorn"}},
        {"resource": {**GOOD, "status": 7}},
        {"fullUrl": "urn:uuid:0a7f1de0-0000-4000-8000-000000000001"},
        {"request": {"method": "GET", "url": "Patient/p1"}},
    ]
    found = check({"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert [place for _, place, _ in found] == [
        "Bundle.entry[1].resource",
        "Bundle.entry[2].resource.status",
        "Bundle.entry[3].resource",
    ]


def test_lines_of_ndjson_are_named() -> None:
    lines = [GOOD, {**GOOD, "status": 7}, {"resourceType": "Unicorn"}]
    found = check(b"\n".join(json.dumps(line).encode() for line in lines))
    assert [place for _, place, _ in found] == ["line 2: Observation.status", "line 3"]


def test_a_property_given_twice_is_told() -> None:
    (found,) = check(b'{"resourceType":"Basic","id":"b","code":{"text":"x","text":"y"}}')
    assert found[:2] == ("warning", "text")


def test_types_the_models_lack_are_said_to_be_unchecked() -> None:
    ((severity, place, _),) = check({"resourceType": "MedicinalProduct", "id": "m"})
    assert (severity, place) == ("information", "MedicinalProduct")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"resourceType":"Patient","contained":[{"resourceType":"X"}]}'])
def test_anything_can_be_checked(text: bytes) -> None:
    assert len(check(text)) == 1
