"""The change log: every version once, in one order, without holes, and never one that appears behind a reader's back.

A number drawn while writing is not a position in a log: a transaction that drew 7 may commit after one that drew 8, and
a reader that has passed 8 never sees 7. So writers draw nothing. They commit batches of versions; one sealer at a time
then numbers the batches it can see, densely, and readers see sealed batches only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.rows import class_row

if TYPE_CHECKING:
    import psycopg

_SEALER = 0x5EA1
"""Advisory lock of the one sealer."""


@dataclass(frozen=True, slots=True)
class Change:
    """One sealed version."""

    seq: int
    resource_type: str
    resource_id: UUID
    version: int
    source: str
    source_id: str
    location: str | None
    patient_id: UUID | None
    sensitivity: str | None
    event_at: datetime | None
    recorded_at: datetime
    message_id: UUID | None
    position: int | None
    mapping_version: str | None
    deleted: bool
    body: str


def seal(connection: psycopg.Connection[Any]) -> int:
    """Number what has been committed since the last seal, and return how many versions that were.

    Commit soon: other sealers wait.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SEALER,))
    row = connection.execute(
        "WITH open AS ("
        "  SELECT batch_key, size, sum(size) OVER (ORDER BY batch_key) - size AS before"
        "  FROM change_batch WHERE first_seq IS NULL"
        "), sealed AS ("
        "  UPDATE change_batch SET first_seq = change_head.next_seq + open.before, sealed_at = clock_timestamp()"
        "  FROM open, change_head WHERE change_batch.batch_key = open.batch_key RETURNING change_batch.size"
        ") UPDATE change_head SET next_seq = next_seq + total FROM (SELECT sum(size) AS total FROM sealed) AS t"
        " WHERE total > 0 RETURNING total"
    ).fetchone()
    return int(row[0]) if row else 0


def sealed_up_to(connection: psycopg.Connection[Any]) -> int:
    """Return the number of the last sealed version, 0 when there is none."""
    row = connection.execute("SELECT next_seq - 1 FROM change_head").fetchone()
    return int(row[0]) if row else 0


def read(connection: psycopg.Connection[Any], after: int, limit: int) -> list[Change]:
    """Return up to `limit` sealed versions numbered above `after`, in order."""
    with connection.cursor(row_factory=class_row(Change)) as cursor:
        return cursor.execute(
            "SELECT b.first_seq + v.ordinal AS seq, v.resource_type, v.resource_id, v.version, v.source, v.source_id,"
            " v.location, v.patient_id, v.sensitivity, v.event_at, v.recorded_at, v.message_id, v.position,"
            " v.mapping_version, v.deleted, v.body"
            " FROM change_batch b JOIN resource_version v USING (batch_key)"
            " WHERE b.first_seq >="
            " coalesce((SELECT max(first_seq) FROM change_batch WHERE first_seq <= %(after)s + 1), 0)"
            " AND b.first_seq + v.ordinal > %(after)s"
            " ORDER BY b.first_seq, v.ordinal LIMIT %(limit)s",
            {"after": after, "limit": limit},
        ).fetchall()
