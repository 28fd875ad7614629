"""The waiting messages: which a worker may take now, and how it says what became of them.

A message is about some keys (patients), hashed to lanes. A worker takes messages in order of arrival and locks each
one's lanes for its transaction; a message whose lane another worker holds is passed over, and so is everything after it
that shares a lane with it. So messages about one patient are applied one after the other, by whichever worker, and a
message about two patients waits for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.rows import class_row

from hub_core.messages.arrival import Message, Result
from hub_core.messages.store import write_findings

if TYPE_CHECKING:
    import psycopg

_LANE_LOCKS, _LONE_LOCKS = 0x1A7E, 0x1A7F
"""First keys of the advisory locks that stand for lanes, and for messages without one (bulk pieces)."""

_BATCH_BYTES = 8 * 1024 * 1024
"""Bodies a batch may hold; keeps a worker's memory small however large the messages are."""

_COLUMNS = (
    "message_id, arrival, feed, source, location, zone, format, kind, size, intake, input, position, records, lanes,"
    " shelf, received_at"
)


def claim(connection: psycopg.Connection[Any], limit: int) -> list[Message]:
    """Return messages that only this transaction may apply now, in order of arrival."""
    candidates = _waiting(connection, limit * 2)
    held: set[int] = set()
    passed: set[int] = set()
    taken: list[UUID] = []
    size = 0
    for message in candidates:
        lanes = set(message.lanes)
        if lanes & passed or not _hold(connection, message, lanes - held):
            passed |= lanes
            continue
        held |= lanes
        taken.append(message.message_id)
        size += message.size
        if len(taken) == limit or size > _BATCH_BYTES:
            break
    return _still_waiting(connection, taken)


def _waiting(connection: psycopg.Connection[Any], limit: int) -> list[Message]:
    with connection.cursor(row_factory=class_row(Message)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM message WHERE state = 'received' ORDER BY arrival LIMIT %s",  # noqa: S608
            (limit,),
        ).fetchall()


def _hold(connection: psycopg.Connection[Any], message: Message, lanes: set[int]) -> bool:
    """Lock lanes until the transaction ends; a lane won beside one that was not stays locked, which is harmless."""
    if message.lanes and not lanes:
        return True
    space, locks = (_LANE_LOCKS, sorted(lanes)) if message.lanes else (_LONE_LOCKS, [message.arrival % 2**31])
    rows = connection.execute(
        "SELECT pg_try_advisory_xact_lock(%s, lock) FROM unnest(%s::int[]) AS lock", (space, locks)
    ).fetchall()
    return all(row[0] for row in rows)


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
    connection.execute("DELETE FROM reject WHERE message_id = ANY(%s)", ([result.message_id for result in done],))
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE message SET state = %s, processed_at = clock_timestamp(), attempts = attempts + 1, processed = %s,"
            " filtered = %s, rejected = %s, resources = %s, changed = %s, mapping_version = %s WHERE message_id = %s",
            [
                (r.state, r.processed, r.filtered, r.rejected, r.resources, r.changed, r.mapping_version, r.message_id)
                for r in done
            ],
        )
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
