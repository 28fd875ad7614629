"""Packed changes as PostgreSQL sends them: whole again, and never more text at once than memory should hold."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ehr_pm.record.bodies import pack
from pipelines.lake import change_log
from pipelines.lake.change_log import CHANGE


def test_what_packs_to_next_to_nothing_comes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_log, "_TEXT_BYTES", 2000)
    bodies = [f'{{"note":"{"x" * 900}{number}"}}' for number in range(7)]
    sent: list[pa.Array] = [pa.nulls(7, field.type) for field in CHANGE]
    sent[0], sent[-1] = pa.array(range(1, 8)), pa.array([pack(body.encode()) for body in bodies], pa.binary())
    parts = list(change_log._unpacked(pa.Table.from_arrays(sent, names=CHANGE.names)))
    assert [part["seq"].to_pylist() for part in parts] == [[1, 2, 3], [4, 5, 6], [7]]
    assert [body for part in parts for body in part["body"].to_pylist()] == bodies
