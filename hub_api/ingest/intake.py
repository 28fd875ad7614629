"""From bytes at the door to durable messages: cut, addressed, and stored before anybody is told so."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from connectors import registry
from connectors.connector import Connector, Origin, Piece, Refusal
from hub_core.errors import NotFoundError, UnreadableError
from hub_core.messages.arrival import Arrival, Finding, Stored
from hub_core.messages.store import write_findings

if TYPE_CHECKING:
    import psycopg

    from hub_api.services import Services
    from hub_core.feeds import Feed
    from hub_core.fhir.releases import Release

_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one delivery."""

    messages: tuple[tuple[Arrival, Stored], ...]
    """Every message in it, in order, durable."""
    refusals: tuple[Refusal, ...]
    """Stretches that were no message."""


def feed_named(services: Services, name: str) -> Feed:
    """Return a configured feed.

    Raises:
        NotFoundError: if there is none of that name.
    """
    feed = services.feeds.get(name)
    if feed is None:
        raise NotFoundError("there is no feed of this name; feeds are files in the feeds folder")
    return feed


async def take(services: Services, feed: Feed, body: bytes, release: Release | None = None) -> Taken:
    """Return once every message in `body` is durable; what is none is on the feed's reject list.

    Args:
        services: what the server has.
        feed: whose messages they are.
        body: the messages.
        release: the release of FHIR that they are said to be of, where that is not what the feed says.

    Raises:
        UnreadableError: if the bytes are of no format known, or of another than the feed's.
    """
    limit = services.settings.max_record_bytes
    arrivals, refusals = await anyio.to_thread.run_sync(_cut, feed, body, limit, release, limiter=services.queries)
    stored = await asyncio.gather(*map(services.store, arrivals))
    if refusals:

        def write(connection: psycopg.Connection[Any]) -> None:
            write_findings(connection, [(None, None, feed.name, None, _finding(refusal)) for refusal in refusals])

        await services.query(write)
    return Taken(tuple(zip(arrivals, stored, strict=True)), tuple(refusals))


def connector_of(feed: Feed, head: bytes) -> Connector:
    """Return the connector that reads what a feed sends.

    Raises:
        UnreadableError: if the feed has no fixed format and the bytes are of none that is known.
    """
    found = registry.connector(feed.format) if feed.format else registry.recognise(head)
    if found is None:
        raise UnreadableError("these bytes are not HL7 v2, FHIR JSON or X12", code="not-supported")
    return found


def arrival_of(feed: Feed, connector: Connector, piece: Piece, release: Release | None = None) -> Arrival:
    """Return a message as the store takes it."""
    envelope = connector.envelope(piece.body, Origin(feed.source, feed.location, feed.zone))
    return Arrival(
        feed=feed.name,
        source=feed.source,
        location=feed.location,
        zone=feed.zone,
        format=connector.format,
        kind=envelope.kind,
        control_id=envelope.control_id,
        keys=envelope.keys,
        sent_at=envelope.sent_at,
        body=piece.body,
        position=piece.position,
        records=piece.records,
        release=release or feed.release(connector.format),
    )


def _cut(feed: Feed, body: bytes, limit: int, release: Release | None) -> tuple[list[Arrival], list[Refusal]]:
    connector = connector_of(feed, body[:_HEAD])
    arrivals: list[Arrival] = []
    refusals: list[Refusal] = []
    for piece in connector.cut(io.BytesIO(body), limit=limit):
        if isinstance(piece, Refusal):
            refusals.append(piece)
        else:
            arrivals.append(arrival_of(feed, connector, piece, release))
    return arrivals, refusals


def _finding(refusal: Refusal) -> Finding:
    issue = refusal.issue
    return Finding(refusal.position, "unreadable", issue.severity, issue.code, issue.text, issue.location)
