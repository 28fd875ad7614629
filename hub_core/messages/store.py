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

_MESSAGE_COLUMNS = (
    "message_id, feed, source, location, zone, format, kind, control_id, sha256, size, intake, input, position, keys,"
    " lanes, state, records, shelf"
)


class MessageStore:
    """The message store of one installation."""

    def __init__(self, database: Database, keyring: Keyring, settings: Settings) -> None:
        """Open the store; nothing is read or written yet."""
        self._database = database
        self.bodies = Bodies(database, keyring, settings.blob_dir)

    def take(self, arrivals: list[Arrival]) -> list[Stored]:
        """Store messages in one transaction of their own; when this returns, they survive any crash."""
        with self._database.begin() as unit:
            return self.store(unit.driver, arrivals)

    def store(self, connection: psycopg.Connection[Any], arrivals: Sequence[Arrival]) -> list[Stored]:
        """Store messages in the caller's transaction, in order, each once, and wake the workers when it commits."""
        arrivals = [_storable(arrival) for arrival in arrivals]
        digests = [hashlib.sha256(arrival.body).digest() for arrival in arrivals]
        proposed = [new_id() for _ in arrivals]
        fresh = self._claim_keys(connection, arrivals, digests, proposed)
        self._insert(connection, [row for row in zip(arrivals, digests, proposed, strict=True) if row[2] in fresh])
        known = self._known_ids(connection, arrivals, digests, proposed, fresh)
        if fresh:
            connection.execute("SELECT pg_notify(%s, '')", (CHANNEL,))
        return [Stored(kept, mine not in fresh) for kept, mine in zip(known, proposed, strict=True)]

    def body(self, connection: psycopg.Connection[Any], message_id: UUID, shelf: str) -> bytes:
        """Return one message exactly as it arrived.

        Raises:
            NotFoundError: if it is no longer kept.
        """
        body = self.bodies.read(connection, shelf, [message_id]).get(message_id)
        if body is None:
            raise NotFoundError("the body of this message is no longer kept; restore it from your backup")
        return body

    def _claim_keys(
        self,
        connection: psycopg.Connection[Any],
        arrivals: Sequence[Arrival],
        digests: list[bytes],
        proposed: list[UUID],
    ) -> set[UUID]:
        """Return the ids of messages never seen before; sorted, so that two stores cannot wait for each other."""
        order = sorted(range(len(arrivals)), key=lambda i: (digests[i], arrivals[i].control_id or ""))
        rows = connection.execute(
            "INSERT INTO message_key (feed, control_id, sha256, message_id)"
            " SELECT * FROM unnest(%s::text[], %s::text[], %s::bytea[], %s::uuid[])"
            " ON CONFLICT DO NOTHING RETURNING message_id",
            (
                [arrivals[i].feed for i in order],
                [arrivals[i].control_id for i in order],
                [digests[i] for i in order],
                [proposed[i] for i in order],
            ),
        ).fetchall()
        return {row[0] for row in rows}

    def _known_ids(
        self,
        connection: psycopg.Connection[Any],
        arrivals: Sequence[Arrival],
        digests: list[bytes],
        proposed: list[UUID],
        fresh: set[UUID],
    ) -> list[UUID]:
        """Return each arrival's message id: its own, or that of the message it repeats."""
        if len(fresh) == len(arrivals):
            return proposed
        repeats = [i for i, message_id in enumerate(proposed) if message_id not in fresh]
        rows = connection.execute(
            "SELECT wanted.i, message_key.message_id"
            " FROM unnest(%s::int[], %s::text[], %s::text[], %s::bytea[]) AS wanted (i, feed, control_id, sha256)"
            " JOIN message_key ON message_key.feed = wanted.feed AND message_key.sha256 = wanted.sha256"
            " AND message_key.control_id IS NOT DISTINCT FROM wanted.control_id",
            (
                repeats,
                [arrivals[i].feed for i in repeats],
                [arrivals[i].control_id for i in repeats],
                [digests[i] for i in repeats],
            ),
        ).fetchall()
        found = dict(rows)
        return [found.get(i, message_id) for i, message_id in enumerate(proposed)]

    def _insert(self, connection: psycopg.Connection[Any], fresh: list[tuple[Arrival, bytes, UUID]]) -> None:
        moment = now()
        shelves = {arrival.feed: self.bodies.shelf(arrival.feed, moment) for arrival, _, _ in fresh}
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY message ({_MESSAGE_COLUMNS}) FROM STDIN") as copy,
        ):
            for arrival, digest, message_id in fresh:
                copy.write_row(_row(arrival, digest, message_id, shelves[arrival.feed]))
        with (
            connection.cursor() as cursor,
            cursor.copy("COPY message_body (shelf, message_id, body, blob) FROM STDIN") as copy,
        ):
            for arrival, digest, message_id in fresh:
                copy.write_row((shelves[arrival.feed], message_id, *self.bodies.place(arrival.body, digest)))


def _storable(arrival: Arrival) -> Arrival:
    """Return the arrival with what its sender chose freely made fit for an index; the body stays as it is."""
    return replace(
        arrival,
        kind=_short(arrival.kind),
        control_id=None if arrival.control_id is None else _short(arrival.control_id),
        keys=tuple(map(_short, arrival.keys)),
        input=None if arrival.input is None else _short(arrival.input),
    )


def _short(text: str) -> str:
    """Return a text without NUL, which PostgreSQL has not, and a digest in place of what is too long to index."""
    text = text.replace("\0", "?")
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST - 33]}~{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _row(arrival: Arrival, digest: bytes, message_id: UUID, shelf: str) -> tuple[Any, ...]:
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
        list(arrival.keys),
        lanes_of(arrival.source, arrival.keys),
        "received",
        arrival.records,
        shelf,
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
