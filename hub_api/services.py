"""What the answering side of an installation works with, opened once per process and closed with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio
import anyio.to_thread
import psycopg
from sqlalchemy.exc import SQLAlchemyError

from ehr_pm.acts import Act, Actor, act
from ehr_pm.migrations import migrate
from hub_api.fhir.cursor import CursorSeal
from hub_api.login.oidc_provider import Provider, provider_of
from hub_api.readers import Readers
from hub_core.audit import AuditLog
from hub_core.database import Database, lost_a_deadlock
from hub_core.feeds import Feed, load_feeds
from hub_core.group_commit import GroupCommit
from hub_core.keyring import Keyring
from hub_core.messages.arrival import Arrival, Stored
from hub_core.messages.store import MessageStore
from hub_core.principals import SessionLimits, ensure_administrator
from hub_core.settings import Settings

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from hub_api.security.caller import Caller

T = TypeVar("T")

_QUERIES_AT_ONCE = 16
"""Statements running at the same time; more would wait for the same two or three cores, and for connections."""
_DEADLOCKS = 3
"""How often an act may lose a deadlock before its caller is told."""
_STORING_AT_ONCE = 1000
_PASSWORDS_AT_ONCE = 2
"""Password checks running at the same time: each takes 64 MiB and a core on purpose."""
_OUTSIDE_AT_ONCE = 4
"""Threads that may wait for the OpenID provider at the same time."""
_DELIVERIES_AT_ONCE = 8
"""Bodies of messages held in memory at the same time."""


@dataclass(frozen=True, slots=True)
class Services:
    """The database and what stands on it."""

    settings: Settings
    database: Database
    readers: Readers
    audit: AuditLog
    messages: GroupCommit[Arrival, Stored]
    feeds: Mapping[str, Feed]
    cursors: CursorSeal
    keyring: Keyring
    session_limits: SessionLimits
    provider: Provider | None
    """Where staff may log in besides here."""
    queries: anyio.CapacityLimiter
    passwords: anyio.CapacityLimiter
    deliveries: anyio.CapacityLimiter
    outside: anyio.CapacityLimiter
    storing: anyio.CapacityLimiter
    """Messages on their way into the store: fewer than it queues, so that handing one over never stops the loop."""

    async def query(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Return what `work` answers in a transaction of its own, run on a thread."""
        return await anyio.to_thread.run_sync(self._transact, work, limiter=self.queries)

    async def act(self, caller: Caller, work: Callable[[Act], T]) -> T:
        """Return what `work` answers in an act of the caller, run on a thread: all of it happens, or nothing.

        An act that the database undid, because it and another waited for each other, is done again.
        """
        actor = Actor(caller.principal.principal_id, caller.location, caller.purpose)

        def run() -> T:
            with act(self.database, actor) as doing:
                return work(doing)

        for _ in range(_DEADLOCKS):
            try:
                return await anyio.to_thread.run_sync(run, limiter=self.queries)
            except (psycopg.Error, SQLAlchemyError) as error:
                if not lost_a_deadlock(error):
                    raise
        return await anyio.to_thread.run_sync(run, limiter=self.queries)

    async def read(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Return what `work` answers, each of its statements for itself, run on a thread: the fast way for one."""
        return await anyio.to_thread.run_sync(self.readers.run, work, limiter=self.queries)

    async def check_password(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Return what `work` answers, as `query` does, but few at once."""
        return await anyio.to_thread.run_sync(self._transact, work, limiter=self.passwords)

    async def store(self, arrival: Arrival) -> Stored:
        """Return once a message is durable."""
        async with self.storing:
            return await asyncio.wrap_future(self.messages.submit(arrival))

    def close(self) -> None:
        """Finish what is under way, then let the database go."""
        self.messages.close()
        self.audit.close()
        self.readers.close()
        self.database.close()

    def _transact(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        with self.database.begin() as unit:
            return work(unit.driver)


def open_services(settings: Settings) -> Services:
    """Return the services of an installation, its schema up to date and its administrator made."""
    provider = provider_of(settings)
    database = Database(settings)
    migrate(database)
    with database.begin() as unit:
        ensure_administrator(unit.driver, settings.keys_dir)
    keyring = Keyring(settings.keys_dir)
    store = MessageStore(database, keyring, settings)
    return Services(
        settings=settings,
        database=database,
        readers=Readers(database),
        audit=AuditLog(database),
        messages=GroupCommit(store.take, name="messages"),
        feeds=load_feeds(settings.feeds),
        cursors=CursorSeal(settings.keys_dir),
        keyring=keyring,
        session_limits=SessionLimits(idle=timedelta(minutes=settings.session_idle_minutes)),
        provider=provider,
        queries=anyio.CapacityLimiter(_QUERIES_AT_ONCE),
        passwords=anyio.CapacityLimiter(_PASSWORDS_AT_ONCE),
        deliveries=anyio.CapacityLimiter(_DELIVERIES_AT_ONCE),
        outside=anyio.CapacityLimiter(_OUTSIDE_AT_ONCE),
        storing=anyio.CapacityLimiter(_STORING_AT_ONCE),
    )


def services_of(connection: HTTPConnection) -> Services:
    """Return the services behind a request."""
    return cast(Services, connection.app.state.services)
