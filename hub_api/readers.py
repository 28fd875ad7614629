"""Connections for reading: kept open, and without the round trips that a transaction around one statement costs."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

if TYPE_CHECKING:
    from hub_core.database import Database

T = TypeVar("T")


class Readers:
    """A pool of autocommit connections, as many as ever read at the same time."""

    def __init__(self, database: Database) -> None:
        """Read from `database`; connections are opened when they are first needed."""
        self._database = database
        self._idle: queue.LifoQueue[psycopg.Connection[Any]] = queue.LifoQueue()

    def run(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Return what `work` answers; it may be run twice when its connection turns out to be dead.

        Raises:
            DatabaseUnavailableError: if the database stays away.
        """
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            return self._run_fresh(work)
        try:
            answer = work(connection)
        except psycopg.OperationalError:
            connection.close()
            return self._run_fresh(work)
        except BaseException:
            self._give_back(connection)
            raise
        self._idle.put(connection)
        return answer

    def close(self) -> None:
        """Close the connections that are idle."""
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def _run_fresh(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        connection = self._database.connect(autocommit=True)
        try:
            return work(connection)
        finally:
            self._give_back(connection)

    def _give_back(self, connection: psycopg.Connection[Any]) -> None:
        if connection.broken:
            connection.close()
        else:
            self._idle.put(connection)
