"""Group commit: what many threads hand in while one write runs is written together next, in one transaction.

A durable commit costs one wait for the disk however much it holds. A single writer thread therefore takes everything
that has queued up, writes it at once and then answers everybody. The busier it gets, the larger its groups: callers
wait for one or two writes, never for a timer.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, Self, TypeAlias, TypeVar

import psycopg
from sqlalchemy.exc import DBAPIError

from hub_core.errors import DatabaseUnavailableError

T = TypeVar("T")
R = TypeVar("R")
_Entry: TypeAlias = tuple[T, "Future[R]"]

_GROUPS_QUEUED = 4
"""How many full groups may wait before `submit` makes its callers wait."""
_LOST_SERVER = ("08", "57P0")
"""SQLSTATE prefixes of a lost connection and of a server that stops, crashed or starts (PostgreSQL appendix A)."""


def is_lost_database(error: BaseException) -> bool:
    """Return whether an error says that the database is away, rather than that it refused what it was given."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_lost_database(error.orig))
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return error.sqlstate is None or error.sqlstate.startswith(_LOST_SERVER)
    return isinstance(error, DatabaseUnavailableError)


class GroupCommit(Generic[T, R]):
    """A writer thread that turns single items into group writes, and gives each item its own answer.

    Args:
        write: writes a group in one transaction and returns one answer per item, in order, once all is durable.
        name: what is written, for the thread's name and for errors.
        max_batch: the largest group.
    """

    def __init__(self, write: Callable[[list[T]], list[R]], *, name: str, max_batch: int = 500) -> None:
        self._write = write
        self._name = name
        self._max_batch = max_batch
        self._queue: deque[_Entry[T, R]] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=f"group-commit-{name}", daemon=True)
        self._thread.start()

    def submit(self, item: T) -> Future[R]:
        """Hand in one item; its future resolves once it is written, or carries why it could not be.

        Waits while the queue is full, so that senders feel it when the disk is slower than they are.

        Raises:
            DatabaseUnavailableError: if this is closed.
        """
        future: Future[R] = Future()
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or len(self._queue) < self._max_batch * _GROUPS_QUEUED)
            if self._is_closed:
                raise DatabaseUnavailableError(f"{self._name}: closed, nothing more is taken")
            self._queue.append((item, future))
            self._changed.notify_all()
        return future

    def close(self) -> None:
        """Take nothing more, write what is queued, and return when all of it is answered."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()

    def __enter__(self) -> Self:
        """Return the group commit itself; leaving the block closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while group := self._next_group():
            # A future that runs can no longer be cancelled, so what is written is always answered.
            if running := [entry for entry in group if entry[1].set_running_or_notify_cancel()]:
                self._answer(running)

    def _next_group(self) -> list[_Entry[T, R]]:
        """Return what has queued up, waiting for the first item; empty once closed and drained."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or bool(self._queue))
            group = [self._queue.popleft() for _ in range(min(len(self._queue), self._max_batch))]
            self._changed.notify_all()
        return group

    def _answer(self, group: list[_Entry[T, R]]) -> None:
        """Write a group; when it is refused, write each item alone, so that only the bad one fails."""
        error = self._try_write(group)
        if error is None:
            return
        if len(group) == 1 or is_lost_database(error):
            for _, future in group:
                future.set_exception(error)
            return
        for position, entry in enumerate(group):
            error = self._try_write([entry])
            if error is not None and is_lost_database(error):
                for _, future in group[position:]:
                    future.set_exception(error)
                return
            if error is not None:
                entry[1].set_exception(error)

    def _try_write(self, group: list[_Entry[T, R]]) -> BaseException | None:
        """Write a group and give out its answers; return why it was refused, with nobody answered."""
        try:
            answers = self._write([item for item, _ in group])
        except BaseException as error:  # boundary: whoever handed the item in gets the error
            return error
        if len(answers) != len(group):
            # Written already: trying again would write it twice.
            mismatch = TypeError(f"{self._name}: {len(group)} items were written, {len(answers)} answers came back")
            for _, future in group:
                future.set_exception(mismatch)
            return None
        for (_, future), answer in zip(group, answers, strict=True):
            future.set_result(answer)
        return None
