"""The messages of a source that are kept, in order of arrival: what can be read again after its mapping changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.rows import class_row

from hub_core.messages.arrival import Message

if TYPE_CHECKING:
    import psycopg

_COLUMNS = ", ".join(field.name for field in fields(Message))

_PORTION_BYTES = 8 * 1024 * 1024
"""Bodies of a portion: keeps whoever reads them small, however large the messages are."""

_OUTDATED = """
SELECT message_id FROM message LEFT JOIN unnest(%(formats)s::text[], %(versions)s::text[]) AS today (format, version)
    USING (format)
WHERE source = %(source)s AND arrival <= %(last)s AND state <> 'received'
AND mapping_version IS DISTINCT FROM today.version AND today.version IS NOT NULL
AND message_id <> ALL(%(without)s) ORDER BY arrival
"""


def last_arrival(connection: psycopg.Connection[Any]) -> int:
    """Return the arrival of the newest message of any source; 0 where there is none."""
    rows = connection.execute("SELECT coalesce(max(arrival), 0) FROM message").fetchall()
    return int(rows[0][0])


def portions(connection: psycopg.Connection[Any], source: str, last: int, limit: int) -> Iterator[list[Message]]:
    """Yield the messages of a source up to an arrival, in order, as many at a time as `limit` and memory allow."""
    place = 0
    while found := _after(connection, source, place, last, limit):
        size = 0
        portion: list[Message] = []
        for message in found:
            portion.append(message)
            size += message.size
            if size > _PORTION_BYTES:
                break
        yield portion
        place = portion[-1].arrival


def _after(connection: psycopg.Connection[Any], source: str, place: int, last: int, limit: int) -> list[Message]:
    with connection.cursor(row_factory=class_row(Message)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM message WHERE source = %s AND arrival > %s AND arrival <= %s"  # noqa: S608
            " ORDER BY arrival LIMIT %s",
            (source, place, last, limit),
        ).fetchall()


def outdated(
    connection: psycopg.Connection[Any],
    source: str,
    last: int,
    versions: Mapping[str, str],
    without: list[UUID],
) -> list[UUID]:
    """Return the messages of a source, up to an arrival, that another mapping than today's made resources of.

    Args:
        connection: the database.
        source: whose messages.
        last: the newest arrival looked at.
        versions: today's mapping version of each format.
        without: messages that are left out.
    """
    values = {
        "source": source,
        "last": last,
        "formats": list(versions),
        "versions": list(versions.values()),
        "without": without,
    }
    return [message_id for (message_id,) in connection.execute(_OUTDATED, values).fetchall()]


def came_after(connection: psycopg.Connection[Any], source: str, last: int) -> list[UUID]:
    """Return the messages of a source that came after an arrival and are applied already, in order."""
    rows = connection.execute(
        "SELECT message_id FROM message WHERE source = %s AND arrival > %s AND state <> 'received' ORDER BY arrival",
        (source, last),
    ).fetchall()
    return [message_id for (message_id,) in rows]


def are_waiting(connection: psycopg.Connection[Any], message_ids: list[UUID]) -> bool:
    """Return whether one of these messages is still to be applied."""
    query = "SELECT EXISTS (SELECT 1 FROM message WHERE state = 'received' AND message_id = ANY(%s))"
    return bool(connection.execute(query, (message_ids,)).fetchall()[0][0])
