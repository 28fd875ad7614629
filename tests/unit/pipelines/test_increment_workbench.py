"""A warehouse is written at the end, in any folder, and not at all if the work breaks off."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.increment.workbench import Workbench


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    folder = tmp_path / "O'Hara's group; DROP TABLE known"
    folder.mkdir()
    warehouse = folder / "next.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("CREATE TABLE known AS SELECT 1 AS number")
    return warehouse


def numbers(warehouse: Path) -> list[int]:
    """Return what is in the warehouse."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return [number for (number,) in connection.execute("SELECT number FROM known ORDER BY number").fetchall()]


def test_the_warehouse_is_written_at_the_end_and_nothing_else_stays(warehouse: Path) -> None:
    with Workbench(warehouse) as workbench:
        workbench.connection.execute("CREATE TABLE new AS SELECT 2 AS number")
        workbench.connection.execute("INSERT INTO whole.known FROM new")
        workbench.finish()
        assert numbers(warehouse) == [1, 2]
    assert list(warehouse.parent.iterdir()) == [warehouse]


def test_work_that_breaks_off_changes_nothing(warehouse: Path) -> None:
    with pytest.raises(KeyError):
        break_off(warehouse)
    assert numbers(warehouse) == [1]


def test_what_is_no_warehouse_is_not_held_open(tmp_path: Path) -> None:
    (tmp_path / "next.duckdb").write_text("no database")
    with pytest.raises(duckdb.IOException):
        Workbench(tmp_path / "next.duckdb")
    (tmp_path / "next.duckdb").unlink()
    Workbench(tmp_path / "next.duckdb").close()


def break_off(warehouse: Path) -> None:
    """Stop between a change and the end."""
    with Workbench(warehouse) as workbench:
        workbench.connection.execute("INSERT INTO whole.known VALUES (2)")
        raise KeyError
