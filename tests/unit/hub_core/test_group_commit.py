"""Group commit: every item is answered, in order, once; a bad one fails alone; writes are really shared."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError, IntegrityError

from hub_core.errors import ConflictError, DatabaseUnavailableError
from hub_core.group_commit import GroupCommit, is_lost_database

GENEROUS = 30.0
"""Seconds after which a future that never resolves is called a failure."""


class Ledger:
    """A store that writes whole groups or nothing, refuses poison, and can be made to wait."""

    def __init__(self, poison: frozenset[int] = frozenset()) -> None:
        self.poison = poison
        self.groups: list[list[int]] = []
        self.is_open = threading.Event()
        self.is_open.set()
        self.is_writing = threading.Event()

    def write(self, items: list[int]) -> list[int]:
        """Write a group in one act; the answer to an item is its double."""
        self.is_writing.set()
        assert self.is_open.wait(GENEROUS)
        if self.poison.intersection(items):
            raise ConflictError("poison")
        self.groups.append(items)
        return [2 * item for item in items]

    @property
    def written(self) -> list[int]:
        """Return everything written, in the order of writing."""
        return [item for group in self.groups for item in group]


@given(
    items=st.lists(st.integers(0, 50), max_size=60), poison=st.frozensets(st.integers(0, 50)), size=st.integers(1, 9)
)
def test_every_item_is_answered_once_in_order_and_poison_fails_alone(
    items: list[int], poison: frozenset[int], size: int
) -> None:
    ledger = Ledger(poison)
    with GroupCommit(ledger.write, name="test", max_batch=size) as commits:
        futures = [commits.submit(item) for item in items]
    for item, future in zip(items, futures, strict=True):
        assert future.done()
        if item in poison:
            assert isinstance(future.exception(), ConflictError)
        else:
            assert future.result() == 2 * item
    assert ledger.written == [item for item in items if item not in poison]
    assert all(len(group) <= size for group in ledger.groups)


def test_what_queues_up_during_a_write_is_written_together() -> None:
    ledger = Ledger()
    ledger.is_open.clear()
    with GroupCommit(ledger.write, name="test", max_batch=100) as commits:
        first = commits.submit(0)
        assert ledger.is_writing.wait(GENEROUS)
        rest = [commits.submit(item) for item in range(1, 151)]
        ledger.is_open.set()
        assert [future.result(GENEROUS) for future in (first, *rest)] == [2 * item for item in range(151)]
    assert [len(group) for group in ledger.groups] == [1, 100, 50]


def test_many_threads_get_their_own_answers() -> None:
    ledger = Ledger()
    with GroupCommit(ledger.write, name="test", max_batch=20) as commits, ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda item: commits.submit(item).result(GENEROUS), range(500)))
    assert answers == [2 * item for item in range(500)]
    assert sorted(ledger.written) == list(range(500))


def test_a_full_queue_makes_its_callers_wait() -> None:
    ledger = Ledger()
    ledger.is_open.clear()
    commits = GroupCommit(ledger.write, name="test", max_batch=2)
    commits.submit(0)
    assert ledger.is_writing.wait(GENEROUS)
    for item in range(1, 9):  # four groups of two may wait
        commits.submit(item)
    with ThreadPoolExecutor(1) as threads:
        blocked = threads.submit(commits.submit, 9)
        with pytest.raises(TimeoutError):
            blocked.result(0.2)
        ledger.is_open.set()
        assert blocked.result(GENEROUS).result(GENEROUS) == 18
    commits.close()
    assert ledger.written == list(range(10))


def test_closing_writes_what_is_queued_and_takes_nothing_more() -> None:
    ledger = Ledger()
    ledger.is_open.clear()
    commits = GroupCommit(ledger.write, name="audit", max_batch=2)
    futures = [commits.submit(item) for item in range(7)]
    with ThreadPoolExecutor(1) as threads:
        closing = threads.submit(commits.close)
        ledger.is_open.set()
        closing.result(GENEROUS)
    assert [future.result(0) for future in futures] == [0, 2, 4, 6, 8, 10, 12]
    with pytest.raises(DatabaseUnavailableError, match="audit: closed"):
        commits.submit(8)
    commits.close()


def test_a_caller_waiting_for_room_is_told_when_all_is_closed() -> None:
    ledger = Ledger()
    ledger.is_open.clear()
    commits = GroupCommit(ledger.write, name="test", max_batch=1)
    commits.submit(0)
    assert ledger.is_writing.wait(GENEROUS)
    for item in range(1, 5):
        commits.submit(item)
    with ThreadPoolExecutor(2) as threads:
        waiting = threads.submit(commits.submit, 5)
        closing = threads.submit(commits.close)
        with pytest.raises(DatabaseUnavailableError, match="closed"):
            waiting.result(GENEROUS)
        ledger.is_open.set()
        closing.result(GENEROUS)


def test_a_lost_database_fails_the_whole_group_at_once() -> None:
    attempts: list[list[int]] = []
    hold = threading.Event()

    def write(items: list[int]) -> list[int]:
        attempts.append(items)
        assert hold.wait(GENEROUS)
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    with GroupCommit(write, name="test") as commits:
        futures = [commits.submit(0)]
        while not attempts:
            hold.wait(0.01)
        futures += [commits.submit(item) for item in range(1, 6)]
        hold.set()
        assert all(isinstance(future.exception(GENEROUS), psycopg.OperationalError) for future in futures)
    assert attempts == [[0], [1, 2, 3, 4, 5]]


def test_a_database_lost_between_the_single_writes_fails_only_what_is_left() -> None:
    hold, attempts = threading.Event(), 0

    def write(items: list[int]) -> list[int]:
        nonlocal attempts
        attempts += 1
        assert hold.wait(GENEROUS)
        if len(items) > 1:
            raise ConflictError("one of them")
        if items == [3]:
            raise DatabaseUnavailableError("gone")
        return items

    with GroupCommit(write, name="test") as commits:
        first = commits.submit(0)
        while not attempts:
            hold.wait(0.01)
        futures = [commits.submit(item) for item in range(1, 6)]
        hold.set()
    assert first.result(0) == 0
    assert [type(future.exception(0)).__name__ for future in futures] == ["NoneType"] * 2 + [
        "DatabaseUnavailableError"
    ] * 3
    assert attempts == 5


def test_a_cancelled_item_is_not_written() -> None:
    ledger = Ledger()
    ledger.is_open.clear()
    with GroupCommit(ledger.write, name="test") as commits:
        commits.submit(0)
        assert ledger.is_writing.wait(GENEROUS)
        cancelled: Future[int] = commits.submit(1)
        kept = commits.submit(2)
        assert cancelled.cancel()
        ledger.is_open.set()
        assert kept.result(GENEROUS) == 4
    assert ledger.written == [0, 2]
    with pytest.raises(CancelledError):
        cancelled.result(0)


def test_a_write_that_answers_too_little_fails_its_group_and_is_not_repeated() -> None:
    groups: list[list[int]] = []
    hold = threading.Event()

    def write(items: list[int]) -> list[int]:
        groups.append(items)
        assert hold.wait(GENEROUS)
        return items[:1]

    with GroupCommit(write, name="test") as commits:
        first = commits.submit(0)
        while not groups:
            hold.wait(0.01)
        futures = [commits.submit(item) for item in (1, 2)]
        hold.set()
    assert first.result(0) == 0
    assert all(isinstance(future.exception(0), TypeError) for future in futures)
    assert groups == [[0], [1, 2]]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (DatabaseUnavailableError("away"), True),
        (psycopg.OperationalError("the connection is lost"), True),
        (psycopg.errors.AdminShutdown("terminating connection due to administrator command"), True),
        (psycopg.errors.CrashShutdown("another server process crashed"), True),
        (psycopg.errors.CannotConnectNow("the database system is starting up"), True),
        (psycopg.errors.ConnectionFailure("connection failure"), True),
        (psycopg.errors.SerializationFailure("could not serialize access"), False),
        (psycopg.errors.UniqueViolation("duplicate key"), False),
        (psycopg.errors.DiskFull("no space left on device"), False),
        (DBAPIError("INSERT", None, psycopg.errors.AdminShutdown("stopping")), True),
        (DBAPIError("INSERT", None, Exception("cut"), connection_invalidated=True), True),
        (IntegrityError("INSERT", None, psycopg.errors.UniqueViolation("duplicate key")), False),
        (ValueError("not a database's word at all"), False),
    ],
)
def test_which_errors_mean_that_the_database_is_away(error: Exception, expected: bool) -> None:
    assert is_lost_database(error) is expected
