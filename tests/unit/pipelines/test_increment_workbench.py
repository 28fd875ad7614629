"""An increment and its warehouse are written at the end, in any folder, and not at all if the work breaks off."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.increment.workbench import open_increment


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    folder = tmp_path / "O'Hara's group; DROP TABLE known"
    folder.mkdir()
    warehouse = folder / "next.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("CREATE TABLE known AS SELECT 1 AS number")
    return folder / "increment.duckdb", warehouse


def numbers(warehouse: Path) -> list[int]:
    """Return what is in the warehouse."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return [number for (number,) in connection.execute("SELECT number FROM known ORDER BY number").fetchall()]


def test_both_files_are_written_at_the_end(files: tuple[Path, Path]) -> None:
    with open_increment(*files, is_kept=True) as connection:
        connection.execute("CREATE TABLE new AS SELECT 2 AS number")
        connection.execute("INSERT INTO whole.known FROM new")
    with open_increment(*files, is_kept=False) as connection:
        assert connection.execute("FROM new").fetchall() == [(2,)]
        connection.execute("INSERT INTO whole.known VALUES (3)")
    assert numbers(files[1]) == [1, 2, 3]


def test_work_that_breaks_off_changes_nothing(files: tuple[Path, Path]) -> None:
    with pytest.raises(KeyError):
        break_off(*files)
    assert numbers(files[1]) == [1]


def break_off(increment: Path, warehouse: Path) -> None:
    """Stop between a change and the end."""
    with open_increment(increment, warehouse, is_kept=True) as connection:
        connection.execute("INSERT INTO whole.known VALUES (2)")
        raise KeyError
