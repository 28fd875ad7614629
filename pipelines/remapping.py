"""Makes what a source's messages became anew, from their kept bytes, after the mapping of their format changed.

    read every kept message anew -> compare -> rank anew, withdraw what nothing says any more -> apply messages again

Only what differs gets a new version. It runs beside live workers, which apply the messages as any others; whatever
interrupts it, a later run finds the messages that are still of an older mapping and goes on with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from connectors import registry
from connectors.memory import remembering
from ehr_pm.record import remaking
from hub_core.errors import ConflictError, WholechartError
from hub_core.feeds import load_feeds
from hub_core.messages import kept, queue
from pipelines.conversion import Conversion, convert, failed
from pipelines.marking import Marking

if TYPE_CHECKING:
    import psycopg

    from hub_core.messages.arrival import Message
    from pipelines.installation import Installation

_CLAIM: Final = "SELECT pg_try_advisory_lock(hashtext('remapping'), hashtext(%s))"
_WAIT_SECONDS: Final = 0.05
_NO_LIMIT: Final = 2**62


@dataclass(slots=True)
class Remapping:
    """What a new mapping makes of the kept messages of a source."""

    source: str
    messages: int = 0
    """Messages of an older mapping."""
    read: int = 0
    """Messages read anew: all of the source, because several may speak of one resource."""
    lost: int = 0
    """Messages that could not be read anew; what they said stands."""
    differences: dict[tuple[str, str], int] = field(default_factory=dict)
    """Resources by type and verdict: created, changed, withdrawn, deleted, same."""


def sources(installation: Installation, feed: str | None = None) -> list[str]:
    """Return the sources that have messages of an older mapping, or that of one feed in any case."""
    with installation.database.begin() as unit:
        rows = unit.driver.execute(
            "SELECT DISTINCT source FROM message WHERE %(feed)s::text IS NULL OR feed = %(feed)s ORDER BY source",
            {"feed": feed},
        ).fetchall()
        found = [source for (source,) in rows]
        versions = _versions()
        return [each for each in found if feed or kept.outdated(unit.driver, each, _NO_LIMIT, versions, [])]


def remap(
    installation: Installation,
    source: str,
    *,
    is_dry: bool = False,
    tell: Callable[[str], object] = lambda _: None,
    wait: Callable[[float], object] = lambda _: None,
) -> Remapping:
    """Make what a source's messages became anew where today's mapping says otherwise.

    Args:
        installation: whose messages and record.
        source: whose messages.
        is_dry: whether only to tell what would change.
        tell: told how far it is.
        wait: lets so many seconds pass, while other workers apply what was put back.

    Raises:
        ConflictError: if the same source is being made anew by another process.
    """
    with _claimed(installation, source) as connection:
        versions = _versions()
        last = kept.last_arrival(connection)
        done = Remapping(source, len(kept.outdated(connection, source, last, versions, [])))
        if not done.messages:
            return done
        remaking.begin(connection)
        lost = _read_all(installation, connection, done, last, tell)
        scope = remaking.Scope(source, last, lost, versions)
        done.differences = remaking.compare(connection, scope)
        if not is_dry:
            _change(installation, connection, scope, tell, wait)
        return done


def _change(
    installation: Installation,
    connection: psycopg.Connection[Any],
    scope: remaking.Scope,
    tell: Callable[[str], object],
    wait: Callable[[float], object],
) -> None:
    """Bring the record to what was found; messages of older mappings come last, for they say what is left to do."""
    remaking.rank_anew(connection, scope)
    remaking.withdraw(connection, scope)
    outdated = kept.outdated(connection, scope.source, scope.last, scope.versions, scope.lost)
    first = set(remaking.wanted(connection)) - set(outdated)
    again = [*first, *kept.came_after(connection, scope.source, scope.last), *outdated]
    size = installation.settings.worker_batch
    for start in range(0, len(again), size):
        _apply_again(installation, connection, again[start : start + size], wait)
        tell(f"{min(start + size, len(again)):,} of {len(again):,} messages applied again")


def _apply_again(
    installation: Installation,
    connection: psycopg.Connection[Any],
    message_ids: list[UUID],
    wait: Callable[[float], object],
) -> None:
    """Put messages back and apply them, here and by whoever works beside us: few at a time, so that new ones pass."""
    queue.replay(connection, message_ids)
    worker = installation.worker()
    while kept.are_waiting(connection, message_ids):
        for _ in worker.drain():
            pass
        if kept.are_waiting(connection, message_ids):
            wait(_WAIT_SECONDS)


def _read_all(
    installation: Installation,
    connection: psycopg.Connection[Any],
    done: Remapping,
    last: int,
    tell: Callable[[str], object],
) -> list[UUID]:
    """Note what every message says by today's mapping, and return those that could not be read."""
    marking = Marking(load_feeds(installation.settings.feeds))
    lost: list[UUID] = []
    for portion in kept.portions(connection, done.source, last, installation.settings.worker_batch):
        with remembering():
            conversions = [_convert(installation, connection, message, marking) for message in portion]
        lost += [each.message.message_id for each in conversions if not each.result.mapping_version]
        remaking.note(connection, chain.from_iterable(each.entries for each in conversions))
        done.read, done.lost = done.read + len(portion), len(lost)
        tell(f"{done.read:,} messages read anew")
    return lost


def _convert(
    installation: Installation, connection: psycopg.Connection[Any], message: Message, marking: Marking
) -> Conversion:
    """Return what a message says by today's mapping; one that cannot be read has a result without a version."""
    try:
        connector = registry.connector(message.format)
        body = installation.store.body(connection, message.message_id, message.shelf)
    except WholechartError as error:
        return failed(message, str(error))
    return convert(message, body, connector, installation.keyring.token, marking)


def _versions() -> dict[str, str]:
    return {name: connector.mapping_version for name, connector in registry.CONNECTORS.items()}


@contextmanager
def _claimed(installation: Installation, source: str) -> Iterator[psycopg.Connection[Any]]:
    """Give a connection of its own, while no other process makes this source anew."""
    with closing(installation.database.connect(autocommit=True)) as connection:
        if connection.execute(_CLAIM, (source,)).fetchall() != [(True,)]:
            raise ConflictError(f"{source} is being made anew by another process")
        yield connection
