"""The change log: every version once, in one order, dense, while writers commit in whatever order they like."""

from __future__ import annotations

import random
import threading
import time
import uuid
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from ehr_pm.record import changes
from ehr_pm.record.apply import apply
from ehr_pm.record.entry import Entry
from hub_core.database import Database
from hub_core.errors import ConflictError
from hub_core.fhir.ids import derived_id

WRITERS, BATCHES = 6, 12


def entry(name: str, **content: Any) -> Entry:
    resource = {"resourceType": "Basic", "id": derived_id("lab", "Basic", name), **content}
    return Entry(resource, source="lab", source_id=name)


def write(database: Database, writer: int) -> None:
    """Commit batches of random size, each after a random wait between drawing its number and committing."""
    chance = random.Random(writer)  # noqa: S311 - repeatable, not secret
    for batch in range(BATCHES):
        with database.begin() as unit:
            apply(unit.driver, [entry(f"{writer}-{batch}-{i}") for i in range(chance.randint(1, 5))])
            time.sleep(chance.random() / 50)


def follow(database: Database, done: threading.Event, seen: list[changes.Change]) -> None:
    """Read the log from where the last look ended, sealing as the sealer does, until the writers are done."""
    last_look = False
    while not last_look:
        last_look = done.is_set()
        with database.begin() as unit:
            changes.seal(unit.driver)
        with database.begin() as unit:
            seen += changes.read(unit.driver, seen[-1].seq if seen else 0, 7)
        last_look = last_look and not _rest(database, seen)


def _rest(database: Database, seen: list[changes.Change]) -> bool:
    with database.begin() as unit:
        return changes.sealed_up_to(unit.driver) > (seen[-1].seq if seen else 0)


def run_writers(database: Database) -> None:
    writers = [threading.Thread(target=write, args=(database, number)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()


def test_reader_sees_every_change_once_in_order_without_holes(database: Database) -> None:
    done = threading.Event()
    seen: list[changes.Change] = []
    reader = threading.Thread(target=follow, args=(database, done, seen))
    reader.start()
    run_writers(database)
    done.set()
    reader.join()

    with database.begin() as unit:
        written = unit.driver.execute("SELECT resource_id::text, version FROM resource_version").fetchall()
    assert [change.seq for change in seen] == list(range(1, len(written) + 1))
    assert sorted((c.resource_id, c.version) for c in seen) == sorted(written)


def test_a_number_drawn_while_writing_would_lose_changes(database: Database) -> None:
    """What the sealer is for: the same writers, read by the sequence value they drew, leave rows behind a reader."""
    done = threading.Event()
    missed_by_plain_sequence: list[tuple[Any, ...]] = []

    def follow_plain_sequence() -> None:
        position = 0
        seen: set[tuple[uuid.UUID, int]] = set()
        while not done.is_set():
            with database.begin() as unit:
                rows = unit.driver.execute(
                    "SELECT batch_key, resource_id, version FROM resource_version WHERE batch_key > %s", (position,)
                ).fetchall()
            seen |= {(row[1], row[2]) for row in rows}
            position = max([position, *(row[0] for row in rows)])
        with database.begin() as unit:
            rows = unit.driver.execute("SELECT batch_key, resource_id, version FROM resource_version").fetchall()
        missed_by_plain_sequence.extend(row for row in rows if row[0] <= position and (row[1], row[2]) not in seen)

    reader = threading.Thread(target=follow_plain_sequence)
    reader.start()
    run_writers(database)
    done.set()
    reader.join()
    assert missed_by_plain_sequence


def test_versions_of_one_resource_keep_their_order_across_writers(database: Database) -> None:
    def append(writer: int) -> None:
        for number in range(10):
            word = entry("shared", code={"text": f"{writer}-{number}"})
            _until_written(database, replace(word, arrival=time.monotonic_ns()))

    threads = [threading.Thread(target=append, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.begin() as unit:
        changes.seal(unit.driver)
    with database.begin() as unit:
        versions = [change.version for change in changes.read(unit.driver, 0, 1000)]
    assert versions == list(range(1, len(versions) + 1))


def _until_written(database: Database, one: Entry) -> None:
    while True:
        try:
            with database.begin() as unit:
                apply(unit.driver, [one])
        except ConflictError:
            continue
        return


def test_sealing_twice_numbers_nothing_twice(database: Database) -> None:
    with database.begin() as unit:
        apply(unit.driver, [entry("a"), entry("b")])
    with database.begin() as unit:
        assert (changes.seal(unit.driver), changes.seal(unit.driver)) == (2, 0)
        assert changes.sealed_up_to(unit.driver) == 2


def test_an_unsealed_change_is_not_read(database: Database) -> None:
    with database.begin() as unit:
        apply(unit.driver, [entry("a")])
    with database.begin() as unit:
        assert changes.read(unit.driver, 0, 10) == []


def test_a_page_ends_where_it_has_grown_too_large(database: Database) -> None:
    """A reader's memory is bounded by what resources weigh, not by how many there are; a page is never empty."""
    with database.begin() as unit:
        apply(unit.driver, [entry(f"{number}", code={"text": "x" * 3000}) for number in range(10)])
        changes.seal(unit.driver)
    pages: list[list[int]] = [[]]
    with database.begin() as unit:
        while page := changes.read(unit.driver, sum(map(len, pages)), 4, size=8000):
            pages.append([change.seq for change in page])
        assert len(changes.read(unit.driver, 0, 10, size=1)) == 1
    assert pages[1:] == [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10]]


@pytest.mark.parametrize("after", [2**15 - 2, 2**31 - 2, 2**40])
def test_a_log_of_any_length_is_read(database: Database, after: int) -> None:
    """The driver sends small numbers as small integers: sums of them must not overflow."""
    with database.begin() as unit:
        unit.driver.execute("UPDATE change_head SET next_seq = %s", (after + 1,))
        apply(unit.driver, [entry("a"), entry("b")])
        changes.seal(unit.driver)
        assert [change.seq for change in changes.read(unit.driver, after, 30_000)] == [after + 1, after + 2]
        assert [change.seq for change in changes.read(unit.driver, after + 1, 30_000)] == [after + 2]


def test_a_rolled_back_batch_leaves_no_hole(database: Database) -> None:
    try:
        with database.begin() as unit:
            apply(unit.driver, [entry("lost")])
            raise psycopg.DataError
    except psycopg.DataError:
        pass
    with database.begin() as unit:
        apply(unit.driver, [entry("kept")])
        changes.seal(unit.driver)
    with database.begin() as unit:
        assert [(c.seq, c.source_id) for c in changes.read(unit.driver, 0, 10)] == [(1, "kept")]
