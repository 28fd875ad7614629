"""The database of an installation, and the unit of work: one transaction per act, committed once, at the edge."""

from __future__ import annotations

import select
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, LiteralString, cast

import psycopg
from psycopg.errors import DeadlockDetected
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session

from hub_core.connecting import Moment, connect
from hub_core.errors import DatabaseUnavailableError
from hub_core.postgres.launcher import attach

if TYPE_CHECKING:
    from hub_core.postgres.launcher import Attachment
    from hub_core.settings import Settings

_CONNECT_PATIENCE = 15.0
"""Seconds a connection may take: a killed server is back within that time."""


_TOGETHER = 4
"""Statements that are sent as one: each by itself costs as much again on its way."""


class UnitOfWork:
    """One transaction, as a Core connection, an ORM session and a psycopg connection that share it."""

    def __init__(self, connection: Connection) -> None:
        """Begin on a connection; a session costs half as much as a short transaction, and is made when asked for."""
        self.connection = connection
        self.driver = driver_connection(connection)
        self._session: Session | None = None
        self._last: list[tuple[LiteralString, Sequence[Any]]] = []

    @property
    def session(self) -> Session:
        """Return the session of this transaction."""
        if self._session is None:
            self._session = Session(self.connection, join_transaction_mode="rollback_only")
        return self._session

    def at_commit(self, statement: LiteralString, values: Sequence[Any]) -> None:
        """Leave a statement to be sent with the COMMIT: nobody waits for its answer, nor does another of these."""
        self._last.append((statement, values))

    def flush(self) -> None:
        """Send what the session has changed, if there is one."""
        if self._session is not None:
            self._session.flush()

    def finish(self) -> None:
        """Send what is left to be sent, and with it the COMMIT."""
        self.flush()
        if not self._last:
            return  # whoever began the transaction commits
        with self.driver.pipeline():
            for at in range(0, len(self._last), _TOGETHER):
                self.driver.execute(*_together(self._last[at : at + _TOGETHER]))
            self.driver.commit()

    def close(self) -> None:
        """Let the session go."""
        if self._session is not None:
            self._session.close()


def driver_connection(connection: Connection) -> psycopg.Connection[Any]:
    """Return the psycopg connection below a SQLAlchemy connection, in the same transaction."""
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


def _together(statements: Sequence[tuple[LiteralString, Sequence[Any]]]) -> tuple[LiteralString, list[Any]]:
    """Return one statement that does what several do, in an order that is the database's, and all their values."""
    parts = ", ".join(f"part{number} AS ({statement})" for number, (statement, _) in enumerate(statements))
    return f"WITH {parts} SELECT", [value for _, values in statements for value in values]


def lost_a_deadlock(error: Exception) -> bool:
    """Return whether PostgreSQL undid a transaction that waited in a ring with others; it may be tried again."""
    return isinstance(error, DeadlockDetected) or isinstance(getattr(error, "orig", None), DeadlockDetected)


class Database:
    """The PostgreSQL of an installation: a server elsewhere, or the embedded one, started when first needed."""

    def __init__(self, settings: Settings) -> None:
        """Connect to the database of `settings`.

        Raises:
            DatabaseUnavailableError: if it can neither be reached nor started.
        """
        self._settings = settings
        self._attachment: Attachment | None = None
        self._reviving = threading.Lock()
        self._idle: deque[psycopg.Connection[Any]] = deque()
        if settings.database_url is None:
            self._attachment = attach(settings.data_dir)
        self.engine: Engine = create_engine("postgresql+psycopg://", creator=self.connect, pool_size=8, max_overflow=24)
        event.listen(self.engine, "checkout", _refuse_lost)

    @property
    def conninfo(self) -> str:
        """Return the libpq address of the database."""
        if self._attachment is not None:
            return self._attachment.conninfo
        return str(self._settings.database_url).replace("postgresql+psycopg://", "postgresql://")

    def connect(self, *, autocommit: bool = False) -> psycopg.Connection[Any]:
        """Return a new psycopg connection, waiting for a server that is just being restarted.

        Raises:
            DatabaseUnavailableError: if the server stays away.
        """
        deadline = time.monotonic() + _CONNECT_PATIENCE
        while True:
            try:
                return connect(self.conninfo, autocommit=autocommit)
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise DatabaseUnavailableError("the database does not answer; see `wholechart doctor`") from error
                self._revive()
                time.sleep(0.1)

    @contextmanager
    def autocommit(self) -> Iterator[psycopg.Connection[Any]]:
        """Give a kept connection on which each statement commits by itself: one round trip where `begin` takes four."""
        connection = self._kept()
        try:
            yield connection
        except BaseException:
            connection.close()  # in what state it was left is not known
            raise
        self._idle.append(connection)

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Give a unit of work that commits when the block ends, and rolls back when it raises."""
        with self.engine.begin() as connection, closing(UnitOfWork(connection)) as unit:
            yield unit
            unit.finish()

    @contextmanager
    def one_moment(self) -> Iterator[Moment]:
        """Give the present moment, to read what is large side by side: on several connections, in several processes."""
        with closing(self.connect()) as keeper:
            keeper.isolation_level, keeper.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
            [(snapshot,)] = keeper.execute("SELECT pg_export_snapshot()").fetchall()
            yield Moment(self.conninfo, snapshot)

    def close(self) -> None:
        """Give the connections back; the embedded server stops when nobody else uses it."""
        self.engine.dispose()
        while self._idle:
            self._idle.pop().close()
        if self._attachment is not None:
            self._attachment.close()
            self._attachment = None

    def __enter__(self) -> Database:
        """Return the database itself; leaving the block closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _kept(self) -> psycopg.Connection[Any]:
        """Return an autocommit connection that has waited to be used again, or a new one."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was quicker
                break
            if _is_quiet(connection):
                return connection
            connection.close()
        return self.connect(autocommit=True)

    def _revive(self) -> None:
        """Ask for the embedded server again: its supervisor may have been killed with it."""
        with self._reviving:
            if self._attachment is not None:
                fresh = attach(self._settings.data_dir)
                self._attachment.close()
                self._attachment = fresh


def _refuse_lost(connection: psycopg.Connection[Any], *_: object) -> None:
    """Have the pool make its connections anew when the server has gone away, without asking the server each time.

    Raises:
        InvalidatePoolError: if it has; the pool takes that as its cue.
    """
    if not _is_quiet(connection):
        raise InvalidatePoolError


def _is_quiet(connection: psycopg.Connection[Any]) -> bool:
    """Return whether an idle connection can be used: a server that goes away says so, or closes its end, unasked."""
    if connection.closed:
        return False
    said = select.poll()
    said.register(connection.fileno(), select.POLLIN)
    return not said.poll(0)
