"""The change log: every version once, in one order, without holes, and never one that appears behind a reader's back.

A number drawn while writing is not a position in a log: a transaction that drew 7 may commit after one that drew 8, and
a reader that has passed 8 never sees 7. So writers draw nothing. They commit batches of versions; one sealer at a time
then numbers the batches it can see, densely, and readers see sealed batches only.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ehr_pm.record.bodies import unpack

if TYPE_CHECKING:
    import psycopg

_SEALER = 0x5EA1
"""Advisory lock of the one sealer."""


PAGE_BYTES = 32 * 1024 * 1024
"""Bodies that one page holds, but for the last one of it."""


class Change(NamedTuple):
    """One sealed version; ids are text, as everything that reads the log wants them."""

    seq: int
    resource_type: str
    resource_id: str
    version: int
    source: str
    source_id: str
    location: str | None
    patient_id: str | None
    sensitivity: str | None
    event_at: datetime | None
    first_event_at: datetime | None
    authority: int
    recorded_at: datetime
    message_id: str | None
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


# Numbers are dense, so that the pages of a batch are known before it is looked at: without the upper bound, every page
# would look at all that follows.
_READ = """
SELECT seq, resource_type, resource_id::text, version, source, source_id, location, patient_id::text, sensitivity,
    event_at, first_event_at, authority, recorded_at, message_id::text, position, mapping_version, deleted, body
FROM (
    SELECT b.first_seq + v.ordinal AS seq, v.*,
        sum(octet_length(v.body)) OVER (ORDER BY b.first_seq, v.ordinal) - octet_length(v.body) AS bytes_before
    FROM change_batch b JOIN resource_version v USING (batch_key)
    WHERE b.first_seq BETWEEN
        coalesce((SELECT max(first_seq) FROM change_batch WHERE first_seq <= %(after)s::bigint + 1), 0)
        AND %(after)s::bigint + %(limit)s::bigint
    AND b.first_seq + v.ordinal BETWEEN %(after)s::bigint + 1 AND %(after)s::bigint + %(limit)s::bigint
) AS page
WHERE bytes_before < %(size)s::bigint ORDER BY seq
"""


def read(connection: psycopg.Connection[Any], after: int, limit: int, size: int = PAGE_BYTES) -> list[Change]:
    """Return up to `limit` sealed versions numbered above `after`, in order; fewer where they are more than `size`."""
    with connection.cursor(binary=True) as cursor:  # times as text take a tenth of the whole to read
        rows = cursor.execute(_READ, {"after": after, "limit": limit, "size": size}).fetchall()
    return list(_unpacked(rows, size))


def _unpacked(rows: list[tuple[Any, ...]], size: int) -> Iterator[Change]:
    """Yield changes until their bodies are `size` bytes: packed, many more of them are as many."""
    unpacked = 0
    for *envelope, packed in rows:
        if unpacked >= size:
            return
        body = unpack(packed, *envelope[1:4])  # type, id and version
        unpacked += len(body)
        yield Change._make((*envelope, body.decode()))
