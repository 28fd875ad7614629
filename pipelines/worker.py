"""The worker: takes waiting messages to the record in batches, many a transaction, one alone when it must.

Any number of workers run beside each other, in any number of processes. Each is woken by the store's notification, so a
message is searchable a moment after it is stored.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError

from connectors import registry
from connectors.memory import remembering
from ehr_pm.identity import crosswalk
from ehr_pm.record import changes
from ehr_pm.record.apply import apply
from hub_core.collecting import collector_paused
from hub_core.errors import ConfigurationError, ConflictError
from hub_core.feeds import load_feeds
from hub_core.group_commit import is_lost_database
from hub_core.messages import queue
from hub_core.messages.arrival import Message, Result
from hub_core.messages.store import CHANNEL, MessageStore
from pipelines.conversion import Conversion, convert, failed, with_changes, without_record
from pipelines.marking import Marking

if TYPE_CHECKING:
    from ehr_pm.record.entry import Verdict
    from hub_core.database import Database
    from hub_core.keyring import Keyring
    from hub_core.settings import Settings

_log = logging.getLogger(__name__)

_IDLE_SECONDS = 1.0
"""How long a worker sleeps when nobody wakes it: messages whose notification was lost wait this long at most."""

_BLOCKED_SECONDS = 0.02
"""How long it sleeps when others are at everything that waits."""

_SEAL_SECONDS = 0.1

_MOST_TIES = 3
"""How often a batch is applied again without converting it anew."""

_TIES = ("40001", "40P01")
"""SQLSTATEs of a transaction that PostgreSQL ended to break a tie between two: nothing was written, do it again."""


class Worker:
    """One worker; `drain` empties the queue, `run` goes on until told to stop."""

    def __init__(self, database: Database, store: MessageStore, keyring: Keyring, settings: Settings) -> None:
        """Prepare a worker; it takes nothing yet."""
        self._database = database
        self._store = store
        self._keyring = keyring
        self._batch = settings.worker_batch
        self._marking = Marking(load_feeds(settings.feeds))

    def drain(self) -> Iterator[int]:
        """Apply what is waiting, yielding the number of records after each batch, until nothing can be taken."""
        while taken := self._step_again():
            yield taken

    def step(self) -> int:
        """Apply one batch in one transaction, and return how many records it held.

        Raises:
            ConflictError: if another worker was creating the same resource; nothing was written, step again.
        """
        with collector_paused():
            return self._step()

    def _step(self) -> int:
        """Do what `step` does; once this is left, there is nothing of the batch that a collector would walk through."""
        with self._database.begin() as unit:
            messages = queue.claim(unit.driver, self._batch)
            if not messages:
                return 0
            conversions = self._convert(unit.driver, messages)
            queue.finish(unit.driver, messages, self._apply(unit.driver, conversions))
        return sum(message.records for message in messages)

    def _step_again(self) -> int:
        """Return what a step applied, taking it again where another worker was in the way."""
        while True:
            try:
                return self.step()
            except (ConflictError, psycopg.OperationalError, DBAPIError) as error:
                if not _is_tie(error):
                    raise

    def run(self, stop: threading.Event) -> None:
        """Apply messages as they come, and keep the change log sealed, until `stop` is set."""
        sealer = threading.Thread(target=self._keep_sealing, args=(stop,), name="sealer", daemon=True)
        sealer.start()
        while not stop.is_set():
            try:
                self._listen(stop)
            except Exception as error:  # boundary: a worker goes on, whatever one batch or the database does
                _log.warning("the worker was stopped by %s; trying again", type(error).__name__)
                stop.wait(0.5)
        sealer.join()

    def _listen(self, stop: threading.Event) -> None:
        with self._database.connect(autocommit=True) as ear:
            ear.execute(f"LISTEN {CHANNEL}")
            while not stop.is_set():
                if self._step_again() == 0:
                    patience = _BLOCKED_SECONDS if queue.is_anything_waiting(ear) else _IDLE_SECONDS
                    for _ in ear.notifies(timeout=patience, stop_after=1):
                        pass

    def _keep_sealing(self, stop: threading.Event) -> None:
        while not stop.wait(_SEAL_SECONDS):
            try:
                with self._database.begin() as unit:
                    changes.seal(unit.driver)
            except Exception as error:  # boundary: the sealer goes on when the database is back
                _log.warning("sealing was stopped by %s; trying again", type(error).__name__)
                stop.wait(0.5)

    def _convert(self, connection: psycopg.Connection[Any], messages: list[Message]) -> list[Conversion]:
        bodies: dict[UUID, bytes] = {}
        for shelf, group in _by_shelf(messages).items():
            bodies |= self._store.bodies.read(connection, shelf, group)
        with remembering():
            return [self._convert_one(message, bodies.get(message.message_id)) for message in messages]

    def _convert_one(self, message: Message, body: bytes | None) -> Conversion:
        if body is None:
            return failed(message, "the body of this message is damaged or no longer kept; restore it from your backup")
        try:
            connector = registry.connector(message.format)
        except ConfigurationError as error:
            return failed(message, str(error))
        return convert(message, body, connector, self._keyring.token, self._marking)

    def _apply(self, connection: psycopg.Connection[Any], conversions: list[Conversion]) -> list[Result]:
        """Apply a batch at once; if it fails, each message alone, so that only the one at fault is rejected."""
        try:
            return self._apply_until_settled(connection, conversions)
        except Exception as error:  # boundary: the record refuses the batch, and which message is at fault is not known
            if _is_curable(error):
                raise
        return [self._apply_alone(connection, conversion) for conversion in conversions]

    def _apply_alone(self, connection: psycopg.Connection[Any], conversion: Conversion) -> Result:
        try:
            return self._apply_together(connection, [conversion])[0]
        except Exception as error:  # boundary: the record refuses this one message
            if _is_curable(error):
                raise
        return self._apply_by_record(connection, conversion)

    def _apply_by_record(self, connection: psycopg.Connection[Any], conversion: Conversion) -> Result:
        """Apply a message record by record, so that of the many in a bulk piece only the one at fault is rejected."""
        result = conversion.result
        for position, part in conversion.by_record():
            try:
                changed = self._apply_together(connection, [part])[0].changed
                result = replace(result, changed=result.changed + changed)
            except Exception as error:  # boundary: the record refuses this one record
                if _is_curable(error):
                    raise
                _log.warning("message %s: a record was refused: %s", result.message_id, type(error).__name__)
                result = without_record(result, conversion.message, position, part, type(error).__name__)
        return result

    def _apply_until_settled(self, connection: psycopg.Connection[Any], conversions: list[Conversion]) -> list[Result]:
        """Apply a batch, again where another worker was just creating what it speaks of: by then that is committed."""
        for _ in range(_MOST_TIES):
            with suppress(ConflictError):
                return self._apply_together(connection, conversions)
        return self._apply_together(connection, conversions)

    def _apply_together(self, connection: psycopg.Connection[Any], conversions: list[Conversion]) -> list[Result]:
        with connection.transaction():
            entries = [entry for conversion in conversions for entry in conversion.entries]
            verdicts = apply(connection, entries)
            written = {entry.key: entry for entry, verdict in zip(entries, verdicts, strict=True) if _wrote(verdict)}
            crosswalk.observe(connection, [entry.resource for entry in written.values() if not entry.is_deleted])
        return list(_results(conversions, verdicts))


def _by_shelf(messages: list[Message]) -> dict[str, list[UUID]]:
    shelves: dict[str, list[UUID]] = defaultdict(list)
    for message in messages:
        shelves[message.shelf].append(message.message_id)
    return shelves


def _results(conversions: Sequence[Conversion], verdicts: Sequence[Verdict]) -> Iterator[Result]:
    start = 0
    for conversion in conversions:
        end = start + len(conversion.entries)
        yield with_changes(conversion.result, sum(map(_wrote, verdicts[start:end])))
        start = end


def _is_tie(error: Exception) -> bool:
    """Return whether two transactions were in each other's way, so that doing it again at once is right."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, ConflictError) or getattr(cause, "sqlstate", None) in _TIES


def _is_curable(error: Exception) -> bool:
    """Return whether a later try may succeed, because nothing in the message is at fault."""
    return _is_tie(error) or is_lost_database(error)


def _wrote(verdict: Verdict) -> bool:
    return verdict in ("created", "updated", "deleted")
