"""What a source says by today's mapping, beside what stands: so that only what differs is made anew.

    every kept message, read anew -> note -> compare -> rank anew, withdraw -> (the messages are applied again)

Statements are kept in temporary tables of one connection, without their content. A resource gets the rank of the best
statement that today's mapping makes of it before that statement is applied again: then the worker's own rule, that the
greater rank stands, ends where it had ended if today's mapping had been there from the start. Live messages are judged
by the new ranks at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ehr_pm.record.apply import apply
from ehr_pm.record.entry import BEGINNING, Entry

if TYPE_CHECKING:
    import psycopg

PORTION = 500
"""Resources that are touched in one transaction: few enough that live messages hardly wait for them."""

_ABOUT_IT = 2

_RANK = "authority, event_at, arrival, position"
_BEGIN = """
DROP TABLE IF EXISTS remade_statement, remade_best, remade_difference;
CREATE TEMP TABLE remade_statement (
    resource_type text, resource_id uuid, authority smallint, event_at timestamptz, arrival bigint, position int,
    began_at timestamptz, content_sha bytea, is_deleted boolean, message_id uuid
)
"""
_BEST = f"""
CREATE TEMP TABLE remade_best AS SELECT DISTINCT ON (resource_type, resource_id) resource_type, resource_id, {_RANK},
    content_sha, is_deleted, message_id,
    min(began_at) OVER (PARTITION BY resource_type, resource_id) AS first_event_at
FROM remade_statement
ORDER BY resource_type, resource_id, authority DESC, event_at DESC, arrival DESC, position DESC;
TRUNCATE remade_statement;
ALTER TABLE remade_best ADD PRIMARY KEY (resource_type, resource_id);
ANALYZE remade_best
"""  # noqa: S608 - names above
_STANDING_RANK = "(r.authority, coalesce(r.event_at, %(beginning)s), coalesce(r.arrival, 0), coalesce(r.position, 1))"
_BEST_RANK = "(b.authority, b.event_at, b.arrival, b.position)"
# What somebody wrote who is no message, and what messages say that can no longer be read, is not in question.
_COMPARE = f"""
CREATE TEMP TABLE remade_difference AS
SELECT resource_type, resource_id, b.message_id, CASE
    WHEN b.arrival IS NULL AND (r.deleted OR r.arrival > %(last)s OR r.message_id = ANY(%(lost)s)) THEN 'same'
    WHEN b.arrival IS NULL THEN 'withdrawn'
    WHEN r.content_sha = b.content_sha THEN 'same'
    WHEN r.resource_key IS NOT NULL AND (r.arrival > %(last)s OR r.message_id = ANY(%(lost)s))
        AND {_STANDING_RANK} > {_BEST_RANK} THEN 'same'
    WHEN b.is_deleted THEN 'deleted'
    WHEN r.resource_key IS NULL OR r.deleted THEN 'created'
    ELSE 'changed' END AS verdict,
    r.resource_key IS NOT NULL AND b.arrival IS NOT NULL AND r.arrival <= %(last)s
        AND r.message_id <> ALL(%(lost)s) AND ({_STANDING_RANK} <> {_BEST_RANK}
        OR r.first_event_at < b.first_event_at OR (r.first_event_at IS NOT NULL AND b.first_event_at IS NULL)
    ) AS is_ranked_otherwise
FROM remade_best b
FULL JOIN (SELECT * FROM resource WHERE source = %(source)s AND message_id IS NOT NULL) r
    USING (resource_type, resource_id)
"""  # noqa: S608 - names above
# A first event that today's mapping knows nothing of is forgotten; its messages, applied again, tell the true one.
_RANK_ANEW = f"""
WITH portion AS (
    DELETE FROM remade_ranking WHERE ctid = ANY(ARRAY(SELECT ctid FROM remade_ranking LIMIT %(portion)s))
    RETURNING resource_type, resource_id
), locked AS (
    SELECT r.resource_key, {_BEST_RANK[1:-1]}, b.first_event_at FROM resource r
    JOIN portion USING (resource_type, resource_id) JOIN remade_best b USING (resource_type, resource_id)
    WHERE r.source = %(source)s AND r.arrival <= %(last)s ORDER BY r.resource_type, r.resource_id FOR UPDATE OF r
), ranked AS (
    UPDATE resource r SET authority = n.authority, event_at = n.event_at, arrival = n.arrival, position = n.position,
        first_event_at = CASE WHEN r.first_event_at < n.first_event_at THEN NULL WHEN n.first_event_at IS NULL THEN NULL
            ELSE r.first_event_at END
    FROM locked n WHERE r.resource_key = n.resource_key
)
SELECT count(*) FROM portion
"""  # noqa: S608 - names above
_GONE = """
WITH portion AS (
    DELETE FROM remade_withdrawal WHERE ctid = ANY(ARRAY(SELECT ctid FROM remade_withdrawal LIMIT %(portion)s))
    RETURNING resource_type, resource_id
), locked AS (
    SELECT r.resource_type, r.resource_id::text, r.source_id, r.location, r.event_at, r.authority, r.arrival,
        r.message_id, r.position, m.format
    FROM resource r JOIN portion USING (resource_type, resource_id) JOIN message m USING (message_id)
    WHERE r.source = %(source)s AND r.arrival <= %(last)s AND NOT r.deleted
    ORDER BY r.resource_type, r.resource_id FOR UPDATE OF r
)
SELECT (SELECT count(*) FROM portion), locked.* FROM (SELECT) AS always LEFT JOIN locked ON true
"""
# What is said of it some day counts as its first word, however early it speaks of.
_FORGET_RANK = """
UPDATE resource SET authority = 0, event_at = NULL, first_event_at = NULL, arrival = 0, position = 0
WHERE (resource_type, resource_id) IN (SELECT * FROM unnest(%s::text[], %s::uuid[]))
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is made anew."""

    source: str
    last: int
    """The newest arrival that was read anew; what came later was made by today's mapping anyhow."""
    lost: list[UUID]
    """Messages that could not be read anew: what they said stands."""
    versions: Mapping[str, str]
    """Today's mapping version of each format."""


def begin(connection: psycopg.Connection[Any]) -> None:
    """Make room for statements on this connection, and forget those of an earlier time."""
    connection.execute(_BEGIN)


def note(connection: psycopg.Connection[Any], entries: Iterable[Entry]) -> None:
    """Remember what a message says by today's mapping: how it ranks, and a digest of it."""
    names = f"resource_type, resource_id, {_RANK}, began_at, content_sha, is_deleted, message_id"
    with connection.cursor() as cursor, cursor.copy(f"COPY remade_statement ({names}) FROM STDIN") as copy:
        for entry in entries:
            is_told = entry.authority >= _ABOUT_IT and not entry.is_deleted
            copy.write_row(
                (
                    *entry.key,
                    *entry.rank,
                    entry.event_at if is_told else None,
                    entry.digest,
                    entry.is_deleted,
                    entry.message_id,
                )
            )


def compare(connection: psycopg.Connection[Any], scope: Scope) -> dict[tuple[str, str], int]:
    """Put the best statement of each resource beside what stands, and return how many differ by type and verdict.

    A verdict is `created`, `changed`, `withdrawn` (nothing says it any more), `deleted` (its source says so) or `same`.
    """
    connection.execute(_BEST)
    values = {"source": scope.source, "last": scope.last, "lost": scope.lost, "beginning": BEGINNING}
    connection.execute(_COMPARE, values)
    rows = connection.execute(
        "SELECT resource_type, verdict, count(*) FROM remade_difference GROUP BY resource_type, verdict ORDER BY 1, 2"
    )
    return {(kind, verdict): int(count) for kind, verdict, count in rows.fetchall()}


def wanted(connection: psycopg.Connection[Any]) -> list[UUID]:
    """Return the messages whose statements are to stand and do not."""
    rows = connection.execute(
        "SELECT DISTINCT message_id FROM remade_difference WHERE verdict IN ('created', 'changed', 'deleted')"
    )
    return [message_id for (message_id,) in rows.fetchall()]


def rank_anew(connection: psycopg.Connection[Any], scope: Scope) -> None:
    """Give what stands the rank of the best statement of today, a portion per transaction."""
    _list(connection, "remade_ranking", "is_ranked_otherwise")
    values = {"portion": PORTION, "source": scope.source, "last": scope.last}
    while connection.execute(_RANK_ANEW, values).fetchall() != [(0,)]:
        pass


def withdraw(connection: psycopg.Connection[Any], scope: Scope) -> None:
    """Delete what no message says any more, a portion per transaction."""
    _list(connection, "remade_withdrawal", "verdict = 'withdrawn'")
    while _withdraw_some(connection, scope):
        pass


def _withdraw_some(connection: psycopg.Connection[Any], scope: Scope) -> int:
    values = {"portion": PORTION, "source": scope.source, "last": scope.last}
    with connection.transaction():
        rows = connection.execute(_GONE, values).fetchall()
        gone = [_tombstone(row[1:], scope) for row in rows if row[1] is not None]
        if gone:
            apply(connection, gone)
            connection.execute(_FORGET_RANK, list(map(list, zip(*(entry.key for entry in gone), strict=True))))
    return int(rows[0][0])


def _tombstone(row: tuple[Any, ...], scope: Scope) -> Entry:
    kind, resource_id, source_id, location, event_at, authority, arrival, message_id, position, spoken = row
    return Entry(
        {"resourceType": kind, "id": resource_id},
        scope.source,
        source_id,
        location,
        event_at,
        authority,
        arrival,
        message_id,
        position,
        scope.versions[spoken],
        is_deleted=True,
    )


def _list(connection: psycopg.Connection[Any], name: str, condition: str) -> None:
    connection.execute(f"DROP TABLE IF EXISTS {name}")
    connection.execute(
        f"CREATE TEMP TABLE {name} AS SELECT resource_type, resource_id FROM remade_difference"  # noqa: S608
        f" WHERE {condition} ORDER BY resource_type, resource_id"
    )
