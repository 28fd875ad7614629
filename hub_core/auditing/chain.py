"""Linking audit events into chains of keyed digests, so that none can be changed, taken out or put in unseen.

Writers insert events plainly, as fast as anything else. A sealer links what has been committed since: each digest is a
keyed BLAKE2b (RFC 7693) of the digest before it and the event, under a key that is not in the database. A chain holds a
month of events, so that months can be archived whole; 45 CFR 164.312(b) and (c), 164.316(b)(2)(i).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_SEALER = 0xA0D17
"""Advisory lock of the one sealer."""
_AT_ONCE = 20_000

BEGINNING = bytes(32)
"""What the first event of a chain is linked to."""

SHARD = "to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM')"
FORM = 2
"""How events are told to the digest of a link that is made today; each link says in which form its own was."""
_COLUMNS = "e.action, e.resource_type, e.resource_id, e.patient_id, e.outcome, e.purpose, e.location, e.detail"
_TEXT = (
    "convert_to(json_build_array(e.event_id, to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'),"
    f" e.principal_id, {_COLUMNS})::text, 'UTF8')"
)
_BINARY = f"record_send(ROW(e.event_id, e.recorded_at, e.principal_id, {_COLUMNS}))"
"""As PostgreSQL sends rows: the types and lengths of columns and their values, told in half the time of a text."""
PAYLOAD = f"CASE {{form}} WHEN 1 THEN {_TEXT} ELSE {_BINARY} END"
"""What a digest speaks for: every column of an event, the same bytes in any session (`Database.connect`)."""


@dataclass(frozen=True, slots=True)
class Head:
    """A link of a chain: how far the chain goes, or has been walked."""

    shard: str
    number: int
    digest: bytes


def keyed(key: bytes) -> hashlib.blake2b:
    """Return the beginning that all digests under a key share, made once for many."""
    return hashlib.blake2b(digest_size=32, key=key)


def link(beginning: hashlib.blake2b, before: bytes, payload: bytes) -> bytes:
    """Return the digest of an event that follows one with digest `before`, begun by `keyed`."""
    digest = beginning.copy()
    digest.update(before + payload)
    return digest.digest()


def seal(connection: psycopg.Connection[Any], key: bytes) -> int:
    """Link events committed since the last seal, at most a portion of them, and return how many.

    An event is taken once no running transaction is as old as its own, so that none can appear behind the sealer.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SEALER,))
    payload = PAYLOAD.format(form=FORM)
    rows = connection.execute(
        f"SELECT e.event_id, {SHARD}, {payload}, e.txid::text FROM audit_event e"  # noqa: S608 - words of this file
        " WHERE e.txid >= (SELECT horizon FROM audit_sealed) AND e.txid < pg_snapshot_xmin(pg_current_snapshot())"
        " AND NOT EXISTS (SELECT FROM audit_link l WHERE l.event_id = e.event_id)"
        " ORDER BY e.txid, e.event_id LIMIT %s",
        (_AT_ONCE,),
        binary=True,
    ).fetchall()
    if rows:
        _write(connection, key, rows)
        connection.execute("UPDATE audit_sealed SET horizon = %s::xid8", (rows[-1][3],))
    return len(rows)


def heads(connection: psycopg.Connection[Any]) -> Iterator[Head]:
    """Yield the newest link of every chain."""
    found = connection.execute(
        "SELECT DISTINCT ON (shard) shard, number, digest FROM audit_link ORDER BY shard, number DESC"
    )
    for shard, number, digest in found.fetchall():
        yield Head(shard, number, bytes(digest))


def _write(connection: psycopg.Connection[Any], key: bytes, rows: list[Any]) -> None:
    beginning = keyed(key)
    newest = {shard: _head(connection, shard) for shard in {row[1] for row in rows}}
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY audit_link (shard, number, event_id, digest, form) FROM STDIN") as copy,
    ):
        for event_id, shard, payload, _ in rows:
            number, digest = newest[shard]
            digest = link(beginning, digest, payload)
            newest[shard] = number + 1, digest
            copy.write_row((shard, number + 1, event_id, digest, FORM))


def _head(connection: psycopg.Connection[Any], shard: str) -> tuple[int, bytes]:
    row = connection.execute(
        "SELECT number, digest FROM audit_link WHERE shard = %s ORDER BY number DESC LIMIT 1", (shard,)
    ).fetchone()
    return (row[0], bytes(row[1])) if row else (0, BEGINNING)
