"""Taking messages in: stored once, durable when the transaction commits, whatever is sent how often."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from hub_core.clock import now
from hub_core.errors import NotFoundError
from hub_core.fhir.ids import new_id
from hub_core.messages.arrival import Arrival, Finding, Stored, lanes_of
from hub_core.messages.bodies import Bodies

if TYPE_CHECKING:
    import psycopg

    from hub_core.database import Database
    from hub_core.keyring import Keyring
    from hub_core.settings import Settings

CHANNEL = "wholechart_messages"
"""PostgreSQL notification that messages are waiting; sent once per commit."""

_LONGEST = 250
"""Characters of a control id, key or file name that are kept as they are."""

_FIELDS = {
    "message_id": "uuid",
    "feed": "text",
    "source": "text",
    "location": "text",
    "zone": "text",
    "format": "text",
    "kind": "text",
    "control_id": "text",
    "sha256": "bytea",
    "size": "int",
    "intake": "uuid",
    "input": "text",
    "position": "int",
    "records": "int",
    "sent_at": "timestamptz",
    "release": "text",
    "shelf": "text",
    "keys": "text",
    "lanes": "text",
    "body": "bytea",
    "blob": "text",
}
"""What is said of each arrival, as the columns of one statement, with their types."""

_KEPT = [name for name in _FIELDS if name not in ("keys", "lanes", "body", "blob")]

_SEPARATOR = "\x1f"

# One statement, so that a message alone costs one round trip and one flush. Keys are claimed in one order, so that two
# stores never wait for each other; messages are numbered in the order they came.
_STORE = f"""
WITH arriving AS (
    SELECT * FROM unnest({", ".join(f"%s::{kind}[]" for kind in _FIELDS.values())})
    WITH ORDINALITY AS arriving ({", ".join(_FIELDS)}, place)
), claimed AS (
    INSERT INTO message_key (feed, control_id, sha256, message_id)
    SELECT feed, coalesce(control_id, release), sha256, message_id FROM arriving
    ORDER BY sha256, coalesce(control_id, release), place
    ON CONFLICT DO NOTHING RETURNING message_id
), kept AS (
    INSERT INTO message ({", ".join(_KEPT)}, keys, lanes, state)
    SELECT {", ".join(_KEPT)},
        string_to_array(keys, '{_SEPARATOR}'), string_to_array(lanes, ',')::smallint[], 'received'
    FROM arriving JOIN claimed USING (message_id) ORDER BY place
), shelved AS (
    INSERT INTO message_body (shelf, message_id, body, blob)
    SELECT shelf, message_id, body, blob FROM arriving JOIN claimed USING (message_id) ORDER BY place
)
SELECT message_id, pg_notify('{CHANNEL}', '') FROM claimed
"""  # noqa: S608 - names above

# A repeat is looked up by a statement of its own: only that one sees what another store committed meanwhile.
_REPEAT = """
WITH wanted AS (
    SELECT wanted.place, message_key.message_id
    FROM unnest(%s::int[], %s::text[], %s::text[], %s::bytea[]) AS wanted (place, feed, control_id, sha256)
    JOIN message_key ON message_key.feed = wanted.feed AND message_key.sha256 = wanted.sha256
    AND message_key.control_id IS NOT DISTINCT FROM wanted.control_id
), held AS (
    SELECT message_id FROM message WHERE message_id IN (SELECT message_id FROM wanted) ORDER BY arrival FOR UPDATE
), counted AS (
    UPDATE message SET repeats = repeats + times
    FROM (SELECT message_id, count(*) AS times FROM wanted JOIN held USING (message_id) GROUP BY message_id) AS came
    WHERE message.message_id = came.message_id
)
SELECT place, message_id FROM wanted
"""


class MessageStore:
    """The message store of one installation."""

    def __init__(self, database: Database, keyring: Keyring, settings: Settings) -> None:
        """Open the store; nothing is read or written yet."""
        self._database = database
        self.bodies = Bodies(database, keyring, settings.blob_dir)

    def take(self, arrivals: list[Arrival]) -> list[Stored]:
        """Store messages in one transaction of their own; when this returns, they survive any crash."""
        with self._database.autocommit() as connection:
            return self.store(connection, arrivals)

    def store(self, connection: psycopg.Connection[Any], arrivals: Sequence[Arrival]) -> list[Stored]:
        """Store messages in order, each once, and wake the workers when the statement's transaction commits."""
        if not arrivals:
            return []
        arrivals = [_storable(arrival) for arrival in arrivals]
        digests = [hashlib.sha256(arrival.body).digest() for arrival in arrivals]
        moment = now()
        shelves = {feed: self.bodies.shelf(feed, moment) for feed in {arrival.feed for arrival in arrivals}}
        proposed = [new_id() for _ in arrivals]
        rows = [
            (*_row(message_id, arrival, digest, shelves[arrival.feed]), *self.bodies.place(arrival.body, digest))
            for message_id, arrival, digest in zip(proposed, arrivals, digests, strict=True)
        ]
        fresh = {row[0] for row in connection.execute(_STORE, list(map(list, zip(*rows, strict=True))))}
        known = _count_repeats(connection, arrivals, digests, proposed, fresh) if len(fresh) < len(rows) else {}
        return [Stored(known.get(place, mine), mine not in fresh) for place, mine in enumerate(proposed)]

    def body(self, connection: psycopg.Connection[Any], message_id: UUID, shelf: str) -> bytes:
        """Return one message exactly as it arrived.

        Raises:
            NotFoundError: if it is damaged or no longer kept.
        """
        body = self.bodies.read(connection, shelf, [message_id]).get(message_id)
        if body is None:
            raise NotFoundError("the body of this message is damaged or no longer kept; restore it from your backup")
        return body


def _count_repeats(
    connection: psycopg.Connection[Any],
    arrivals: Sequence[Arrival],
    digests: list[bytes],
    proposed: list[UUID],
    fresh: set[UUID],
) -> dict[int, UUID]:
    """Note on each message how often it came again, and return by place the messages that others repeat."""
    repeats = [place for place, message_id in enumerate(proposed) if message_id not in fresh]
    rows = connection.execute(
        _REPEAT,
        (
            repeats,
            [arrivals[place].feed for place in repeats],
            [arrivals[place].identity for place in repeats],
            [digests[place] for place in repeats],
        ),
    ).fetchall()
    return dict(rows)


def _storable(arrival: Arrival) -> Arrival:
    """Return the arrival with what its sender chose freely made fit for a row; the body stays as it is."""
    return replace(
        arrival,
        kind=_short(arrival.kind),
        control_id=None if arrival.control_id is None else _short(arrival.control_id),
        keys=tuple(_short(key).replace(_SEPARATOR, "?") for key in arrival.keys),
        input=None if arrival.input is None else _short(arrival.input),
    )


def _short(text: str) -> str:
    """Return a text without NUL, which PostgreSQL has not, and a digest in place of what is too long to index."""
    text = text.replace("\0", "?")
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST - 33]}~{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _row(message_id: UUID, arrival: Arrival, digest: bytes, shelf: str) -> tuple[Any, ...]:
    """Return what is said of an arrival, in the order of `_FIELDS`, but for its body."""
    return (
        message_id,
        arrival.feed,
        arrival.source,
        arrival.location,
        arrival.zone,
        arrival.format,
        arrival.kind,
        arrival.control_id,
        digest,
        len(arrival.body),
        arrival.intake,
        arrival.input,
        arrival.position,
        arrival.records,
        arrival.sent_at,
        arrival.release,
        shelf,
        _SEPARATOR.join(arrival.keys),
        ",".join(map(str, lanes_of(arrival.source, arrival.keys))),
    )


def write_findings(
    connection: psycopg.Connection[Any],
    findings: Sequence[tuple[UUID | None, UUID | None, str, str | None, Finding]],
) -> None:
    """Add to the reject list: (message id, intake, feed, input, finding) each."""
    if not findings:
        return
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY reject (reject_id, message_id, intake, feed, input, position, kind, severity, code, reason, location)"
            " FROM STDIN"
        ) as copy,
    ):
        for message_id, intake, feed, source_file, found in findings:
            copy.write_row(
                (
                    new_id(),
                    message_id,
                    intake,
                    feed,
                    source_file and _short(source_file),
                    found.position,
                    _short(found.kind),
                    found.severity,
                    found.code,
                    found.reason[:1000].replace("\0", "?"),
                    found.location[:200].replace("\0", "?"),
                )
            )
