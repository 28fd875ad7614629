"""References are read, collected and rewritten wherever they stand, and the original is left as it was."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from hub_core.fhir import references
from hub_core.fhir.references import Target


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Patient/p1", Target("Patient", "p1")),
        ("Patient/p1/_history/2", Target("Patient", "p1")),
        ("https://a.example/fhir/r4/Patient/p1", Target("Patient", "p1", "https://a.example/fhir/r4")),
        ("Patient/with_underscore", Target("Patient", "with_underscore")),
        ("Unicorn/1", None),
        ("#p1", None),
        ("urn:uuid:0a7f1de0-0000-4000-8000-000000000001", None),
        ("Patient?identifier=x", None),
        ("Patient/", None),
        ("Patient/a b", None),
        ("", None),
    ],
)
def test_literal_references_tell_type_id_and_server(text: str, expected: Target | None) -> None:
    assert references.target(text) == expected


OBSERVATION = {
    "resourceType": "Observation",
    "subject": {"reference": "Patient/p1", "type": "Patient"},
    "performer": [{"reference": "Practitioner/d1"}, {"display": "someone"}],
    "specimen": {"reference": "#s"},
    "contained": [{"resourceType": "Specimen", "id": "s", "subject": {"reference": "Patient/p1"}}],
    "extension": [{"url": "http://example.org/x", "valueReference": {"reference": "Device/x"}}],
    "code": {"text": "Patient/p1"},
}


def test_every_reference_but_contained_ones_is_collected() -> None:
    assert list(references.collect(OBSERVATION)) == ["Patient/p1", "Practitioner/d1", "Patient/p1", "Device/x"]


def test_rewriting_changes_references_and_nothing_else_and_not_the_original() -> None:
    before = copy.deepcopy(OBSERVATION)
    said = references.rewrite(OBSERVATION, lambda text: f"{text}-new")
    assert before == OBSERVATION
    assert list(references.collect(said)) == ["Patient/p1-new", "Practitioner/d1-new", "Patient/p1-new", "Device/x-new"]
    assert said["specimen"] == {"reference": "#s"}
    assert said["code"] is OBSERVATION["code"]
    assert list(said) == list(OBSERVATION)


def test_what_nothing_is_known_by_becomes_a_logical_reference_and_keeps_what_the_sender_said() -> None:
    own = {"reference": "Patient/p1", "type": "Patient", "identifier": {"value": "kept"}, "display": "kept"}
    said = references.rewrite({"subject": own}, lambda _: None)
    assert said["subject"] == {"type": "Patient", "identifier": {"value": "kept"}, "display": "kept"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [("Binary/b1", "Binary/new"), ("https://files.example/b1.pdf", "https://files.example/b1.pdf")],
)
def test_attachments_follow_the_binary_they_point_to(url: str, expected: str) -> None:
    document = {"content": [{"attachment": {"contentType": "text/plain", "url": url}}]}
    said: Any = references.rewrite(document, lambda _: "Binary/new")
    assert said["content"][0]["attachment"]["url"] == expected


@pytest.mark.parametrize("odd", [7, None, "", [], {}, {"reference": "Patient/p1"}])
def test_a_reference_that_is_no_text_is_left_or_looked_into(odd: Any) -> None:
    said = references.rewrite({"subject": {"reference": odd}}, lambda _: "Patient/new")
    expected = {"reference": "Patient/new"} if isinstance(odd, dict) and odd else odd
    assert said == {"subject": {"reference": expected}}
