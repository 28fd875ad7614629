"""Packed changes as PostgreSQL sends them: whole again, and never more text at once than memory should hold."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ehr_pm.record.bodies import pack
from hub_core.errors import DamagedError
from pipelines.lake import change_log
from pipelines.lake.change_log import CHANGE


def sent(bodies: list[bytes]) -> pa.Table:
    """Return changes with these bodies, and nothing else but where each belongs."""
    count = len(bodies)
    columns: dict[str, pa.Array] = {field.name: pa.nulls(count, field.type) for field in CHANGE}
    columns["seq"] = pa.array(range(1, count + 1))
    columns["resource_id"] = pa.array([f"r{number}" for number in range(count)])
    columns["body"] = pa.array(bodies, pa.binary())
    return pa.table(columns)


def test_what_packs_to_next_to_nothing_comes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_log, "_TEXT_BYTES", 2000)
    bodies = [f'{{"note":"{"x" * 900}{number}"}}' for number in range(7)]
    parts = list(change_log._unpacked(sent([pack(body.encode()) for body in bodies])))
    assert [part["seq"].to_pylist() for part in parts] == [[1, 2, 3], [4, 5, 6], [7]]
    assert [body for part in parts for body in part["body"].to_pylist()] == bodies


def test_of_a_damaged_body_it_is_said_whose_it_is() -> None:
    bodies = [pack(b'{"note":"x"}') for _ in range(3)]
    bodies[1] = bodies[1][:-2]
    with pytest.raises(DamagedError, match=r"of None/r1/None: what is stored cannot be decompressed"):
        list(change_log._unpacked(sent(bodies)))
