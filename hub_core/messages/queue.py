"""The waiting messages: which a worker may take now, and how it says what became of them.

A message is about some keys (patients), hashed to lanes. A worker takes messages in order of arrival and locks each
one's lanes for its transaction; a message whose lane another worker holds is passed over, and so is everything after it
that shares a lane with it. So messages about one patient are applied one after the other, by whichever worker, and a
message about two patients waits for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

import orjson
from psycopg.rows import class_row

from hub_core.messages.arrival import Message, Result
from hub_core.messages.store import write_findings

if TYPE_CHECKING:
    import psycopg

_Lock: TypeAlias = tuple[int, int]

_LANE_LOCKS, _LONE_LOCKS = 0x1A7E, 0x1A7F
"""First keys of the advisory locks that stand for lanes, and for messages without one (bulk pieces)."""

_BATCH_BYTES = 8 * 1024 * 1024
"""Bodies a batch may hold; keeps a worker's memory small however large the messages are."""

_MOST_LOOKED_AT = 8
"""Batches of messages that are looked at for one: those before may all be in the hands of other workers."""

_MOST_LOCKS = 1500
"""Locks that one worker may have: PostgreSQL has 6,400 for everybody, unless told otherwise."""

_COLUMNS = (
    "message_id, arrival, feed, source, location, zone, format, kind, size, intake, input, position, records, lanes,"
    " shelf, received_at, release"
)

_TOLD = {
    "state": "text",
    "processed": "int",
    "filtered": "int",
    "rejected": "int",
    "resources": "int",
    "changed": "int",
    "mapping_version": "text",
}
"""What a result says of its message, as columns with their types."""

# Held in order of arrival first, as whoever counts repeats holds them: the two never wait for each other. What was
# found in a message is there only if it was applied before.
_FINISH = f"""
WITH done AS (
    SELECT * FROM json_to_recordset(%s::json)
    AS done (message_id uuid, {", ".join(f"{name} {kind}" for name, kind in _TOLD.items())})
), held AS (
    SELECT message_id, attempts FROM message WHERE message_id IN (SELECT message_id FROM done)
    ORDER BY arrival FOR UPDATE
), forgotten AS (
    DELETE FROM reject WHERE message_id IN (SELECT message_id FROM held WHERE attempts > 0)
)
UPDATE message SET processed_at = clock_timestamp(), attempts = message.attempts + 1,
    {", ".join(f"{name} = done.{name}" for name in _TOLD)}
FROM held JOIN done USING (message_id) WHERE message.message_id = held.message_id
"""  # noqa: S608 - names above


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A message that waits, and the locks that stand for it."""

    message_id: UUID
    size: int
    locks: frozenset[_Lock]


def claim(connection: psycopg.Connection[Any], limit: int) -> list[Message]:
    """Return messages that only this transaction may apply now, in order of arrival."""
    held: set[_Lock] = set()
    passed: set[_Lock] = set()
    taken: list[UUID] = []
    size = 0
    for batch in _look(connection, limit):
        looked_at = _within_reach(batch, held, passed)
        wanted = set().union(*(waiting.locks for waiting in looked_at)) - held - passed
        won = _hold(connection, wanted)
        held |= won
        passed |= wanted - won
        for waiting in looked_at:
            if waiting.locks & passed:
                passed |= waiting.locks
                continue
            taken.append(waiting.message_id)
            size += waiting.size
            if len(taken) == limit or size > _BATCH_BYTES:
                return _still_waiting(connection, taken)
        if len(looked_at) < len(batch):
            break
    return _still_waiting(connection, taken) if taken else []


def _within_reach(batch: list[_Waiting], held: Set[_Lock], refused: Set[_Lock]) -> list[_Waiting]:
    """Return the first messages, one at least, that stand for no more locks than one worker may have."""
    locks = set(held)
    for number, waiting in enumerate(batch):
        locks |= waiting.locks - refused
        if number and len(locks) > _MOST_LOCKS:
            return batch[:number]
    return batch


def is_anything_waiting(connection: psycopg.Connection[Any]) -> bool:
    """Return whether there are messages to apply, whoever is at them."""
    return connection.execute("SELECT 1 FROM message WHERE state = 'received' LIMIT 1").fetchone() is not None


def _look(connection: psycopg.Connection[Any], limit: int) -> Iterator[list[_Waiting]]:
    """Yield the waiting messages in order of arrival, as many at a time as fill a batch."""
    last = 0
    for _ in range(_MOST_LOOKED_AT):
        rows = connection.execute(
            "SELECT message_id, size, arrival, lanes FROM message WHERE state = 'received' AND arrival > %s"
            " ORDER BY arrival LIMIT %s",
            (last, limit),
        ).fetchall()
        if rows:
            last = rows[-1][2]
            yield [_Waiting(message_id, size, _locks(arrival, lanes)) for message_id, size, arrival, lanes in rows]
        if len(rows) < limit:
            return


def _locks(arrival: int, lanes: list[int]) -> frozenset[_Lock]:
    return frozenset((_LANE_LOCKS, lane) for lane in lanes) or frozenset([(_LONE_LOCKS, arrival % 2**31)])


def _hold(connection: psycopg.Connection[Any], wanted: Set[_Lock]) -> set[_Lock]:
    """Lock what can be locked until the transaction ends; what is won in vain stays locked too, which is harmless."""
    rows = connection.execute(
        "SELECT space, lock FROM unnest(%s::int[], %s::int[]) AS wanted (space, lock)"
        " WHERE pg_try_advisory_xact_lock(space, lock)",
        ([space for space, _ in wanted], [lock for _, lock in wanted]),
    ).fetchall()
    return set(rows)


def _still_waiting(connection: psycopg.Connection[Any], taken: list[UUID]) -> list[Message]:
    """Return those still waiting: another worker may have finished one between the look and the lock.

    Rows are not locked, lanes are: a message that comes again while it is applied can be counted, and nobody waits.
    """
    with connection.cursor(row_factory=class_row(Message)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM message WHERE message_id = ANY(%s) AND state = 'received'"  # noqa: S608
            " ORDER BY arrival",
            (taken,),
        ).fetchall()


def finish(connection: psycopg.Connection[Any], messages: Sequence[Message], results: Iterable[Result]) -> None:
    """Write what became of messages, and their rejects; earlier findings of a replayed message are replaced."""
    by_id = {message.message_id: message for message in messages}
    done = list(results)
    told = [{name: getattr(result, name) for name in ("message_id", *_TOLD)} for result in done]
    connection.execute(_FINISH, (orjson.dumps(told).decode(),))
    write_findings(
        connection,
        [
            (r.message_id, by_id[r.message_id].intake, by_id[r.message_id].feed, by_id[r.message_id].input, finding)
            for r in done
            for finding in r.findings
        ],
    )


def replay(connection: psycopg.Connection[Any], message_ids: Sequence[UUID]) -> int:
    """Put messages back to `received`, to be read again after a fix, and return how many."""
    rows = connection.execute(
        "UPDATE message SET state = 'received', processed_at = NULL WHERE message_id = ANY(%s) AND state <> 'received'"
        " RETURNING message_id",
        (list(message_ids),),
    ).fetchall()
    return len(rows)
