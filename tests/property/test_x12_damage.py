"""Damaged interchanges: whatever is missing or repeated in one, nothing is raised and no empty value is stated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.x12.connector import X12Connector
from tests.unit.connectors.x12.interchanges import ORIGIN

CASES = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "golden" / "x12").glob("*/input.edi"))]
CONNECTOR = X12Connector()
HEADER = 107
"""Bytes of ISA, which stay: without them there is no interchange to read."""


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return an interchange of which some pieces are cut out, replaced or said twice."""
    body = bytearray(draw(st.sampled_from(CASES)))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(HEADER, len(body) - 1))
        length = draw(st.integers(0, 15))
        body[start : start + length] = draw(st.sampled_from([b"", b"*", b"~", b":", b"^", b" ", b"-1", b"\xff", b"**"]))
        if draw(st.booleans()):
            segments = bytes(body).split(b"~")
            again = draw(st.integers(1, len(segments) - 1))
            body = bytearray(b"~".join([*segments[: again + 1], *segments[again:]]))
    return bytes(body)


def empty_places(value: Any, place: str = "") -> list[str]:
    """Return where something says nothing: FHIR has no empty texts, lists or objects (R4 section 2.6.2)."""
    if value in ("", [], {}, None):
        return [place]
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, child in children for found in empty_places(child, f"{place}.{key}")]


@settings(max_examples=150, deadline=None)
@given(damaged())
def test_damage_is_said_and_never_raised(body: bytes) -> None:
    list(CONNECTOR.check(body))
    for outcome in CONNECTOR.convert(body, ORIGIN):
        assert outcome.state == "processed" or outcome.issues
        for fact in outcome.facts:
            assert empty_places(fact.resource, fact.resource["resourceType"]) == []
