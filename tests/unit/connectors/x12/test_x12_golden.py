"""Interchanges we wrote, and exactly what they become."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.connector import Piece
from connectors.x12.connector import X12Connector
from hub_core.fhir.canonical import dumps
from tests.unit.connectors.x12.interchanges import ORIGIN, cut, outcome_as_json

CASES = sorted((Path(__file__).parents[3] / "golden" / "x12").iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_becomes_what_is_expected(case: Path) -> None:
    (piece,) = cut((case / "input.edi").read_bytes())
    assert isinstance(piece, Piece)
    outcomes = [outcome_as_json(outcome) for outcome in X12Connector().convert(piece.body, ORIGIN)]
    assert dumps(outcomes, indent=True).decode() + "\n" == (case / "expected.json").read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_has_nothing_to_complain_about(case: Path) -> None:
    assert list(X12Connector().check((case / "input.edi").read_bytes())) == []
