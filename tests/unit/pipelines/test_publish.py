"""Publishing: a new name each time, the pointer last, three kept, and readers that can do nothing but read."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from hub_core.errors import NotFoundError
from hub_core.settings import Settings
from hub_core.snapshot import POINTER, Snapshot, current_snapshot, open_current
from pipelines.publish import publish


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


def publish_number(settings: Settings, number: int) -> Snapshot:
    built = settings.warehouse_dir / "building" / "warehouse.duckdb"
    built.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(built)) as connection:
        connection.execute(
            f"CREATE TABLE answer AS SELECT {number} AS number, TIMESTAMPTZ '2026-01-01 00:00:00Z' AS made_at"
        )
    return publish(built, settings.warehouse_dir, f"fingerprint {number}", number)


def test_a_reader_sees_the_last_one_published(settings: Settings) -> None:
    for number in (1, 2):
        published = publish_number(settings, number)
        with open_current(settings) as connection:
            assert connection.execute("SELECT number FROM answer").fetchall() == [(number,)]
    assert current_snapshot(settings) == published
    assert (published.last_seq, published.fingerprint) == (2, "fingerprint 2")


def test_an_open_reader_keeps_what_it_opened(settings: Settings) -> None:
    publish_number(settings, 1)
    with open_current(settings) as early:
        for number in range(2, 7):
            publish_number(settings, number)
        assert early.execute("SELECT number FROM answer").fetchall() == [(1,)]
        with open_current(settings) as late:
            assert late.execute("SELECT number FROM answer").fetchall() == [(6,)]


def test_three_snapshots_are_kept(settings: Settings) -> None:
    names = [publish_number(settings, number).path.stem for number in range(5)]
    left = {path.stem for path in settings.warehouse_dir.iterdir() if path.suffix in (".duckdb", ".json")}
    assert left == set(names[-3:])


def test_nothing_published_says_how_to_publish(settings: Settings) -> None:
    with pytest.raises(NotFoundError, match="wholechart build"):
        open_current(settings)


def test_a_pointer_to_a_file_that_is_gone_is_nothing_published(settings: Settings) -> None:
    publish_number(settings, 1)
    (settings.warehouse_dir / POINTER).write_text("warehouse-gone.duckdb")
    with pytest.raises(NotFoundError):
        open_current(settings)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY answer TO 'answer.csv'",
        "ATTACH 'other.duckdb'",
        "INSERT INTO answer SELECT * FROM answer",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "INSTALL httpfs",
    ],
)
def test_a_reader_can_only_read(settings: Settings, statement: str) -> None:
    publish_number(settings, 1)
    with open_current(settings) as first, open_current(settings) as second:
        for connection in (first, second, second.cursor()):
            with pytest.raises(duckdb.Error):
                connection.execute(statement)


def test_times_are_read_in_utc(settings: Settings) -> None:
    publish_number(settings, 1)
    with open_current(settings) as connection:
        assert connection.execute("SELECT made_at::varchar FROM answer").fetchall() == [("2026-01-01 00:00:00+00",)]
