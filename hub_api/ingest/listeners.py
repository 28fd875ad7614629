"""The MLLP listeners of an installation, one per feed with transport `mllp`, opened and closed with the application."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

import anyio.to_thread
import psycopg
from sqlalchemy.exc import DBAPIError

from connectors import registry
from connectors.connector import Issue, Piece
from connectors.transport.mllp import Limits, MLLPListener, Responder
from hub_api.ingest.acknowledgement import accept, reject
from hub_api.ingest.intake import arrival_of
from hub_core.errors import ConfigurationError, WholechartError

if TYPE_CHECKING:
    from hub_api.services import Services
    from hub_core.feeds import Feed

_log = logging.getLogger(__name__)

MLLP_PORT: Final = 2575
"""Registered for HL7 (IANA); taken by a feed that names no port."""
_LARGE: Final = 256 * 1024
"""Bytes from which a message is looked at on a thread, so that others are answered meanwhile."""
_AWAY: Final = Issue("error", "transient", "the message could not be stored; send it again")
_NO_MESSAGE: Final = Issue("error", "structure", "this is not an HL7 v2 message", "MSH")


@asynccontextmanager
async def listening(services: Services) -> AsyncIterator[None]:
    """Listen on every MLLP feed's port while the block runs.

    Raises:
        ConfigurationError: if a port cannot be opened.
    """
    async with AsyncExitStack() as listeners:
        for feed in services.feeds.values():
            if feed.transport == "mllp":
                await _listen(listeners, services, feed)
        yield


def responder(services: Services, feed: Feed) -> Responder:
    """Return what answers the messages of a feed: each is durable before its answer leaves."""
    connector = registry.connector("hl7v2")

    async def respond(body: bytes, _peer: str) -> bytes:
        piece = Piece(body, 1)
        if len(body) < _LARGE:
            arrival = arrival_of(feed, connector, piece)
        else:
            arrival = await anyio.to_thread.run_sync(arrival_of, feed, connector, piece)
        try:
            await services.store(arrival)
        except (WholechartError, psycopg.Error, DBAPIError) as error:
            _log.error("feed %s: a message could not be stored: %s", feed.name, type(error).__name__)
            return reject(body, [_AWAY])
        return reject(body, [_NO_MESSAGE]) if arrival.kind == "unreadable" else accept(body)

    return respond


async def _listen(listeners: AsyncExitStack, services: Services, feed: Feed) -> None:
    port = MLLP_PORT if feed.port is None else feed.port
    limits = Limits(message_bytes=services.settings.max_record_bytes)
    listener = MLLPListener(responder(services, feed), host=services.settings.host, port=port, limits=limits)
    try:
        await listeners.enter_async_context(listener)
    except OSError as error:
        raise ConfigurationError(f"feed {feed.name}: port {port} cannot be opened ({error.strerror})") from error
    _log.info("feed %s: listening on port %d", feed.name, listener.port)
