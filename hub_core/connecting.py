"""Connections to PostgreSQL as all of the house makes them, and several of them that see one moment of it.

Apart from `hub_core.database`, so that a process that only reads starts without SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql


def connect(conninfo: str, *, autocommit: bool = False) -> psycopg.Connection[Any]:
    """Return a new connection, in whose session every value has the same bytes as in any other's."""
    return psycopg.connect(conninfo, autocommit=autocommit, application_name="wholechart", client_encoding="UTF8")


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment of the database, for as long as whoever made it keeps it; it may be handed to other processes."""

    conninfo: str = field(repr=False)
    """It may hold a password."""
    snapshot: str

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection[Any]]:
        """Give a connection that sees the database as of this moment, and only reads."""
        with closing(connect(self.conninfo)) as connection:
            connection.isolation_level, connection.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(self.snapshot))
            yield connection
