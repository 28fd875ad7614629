"""Sending what the simulated systems send: each feed in its order, by its transport, from where it was broken off."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.hl7v2.framing import Frame, FrameDecoder
from connectors.transport.mllp import AsyncMLLPClient
from hub_core.errors import ConfigurationError, WholechartError
from pipelines.folders import drop_folder

if TYPE_CHECKING:
    from hub_core.feeds import Feed
    from hub_core.settings import Settings
    from pipelines.installation import Installation

_LIMIT = 16 * 1024 * 1024
_CHUNK = 1 << 20
_AHEAD = 16
"""Messages of a feed sent before the first of them is answered."""
_FRAMED = b"\x0b"
_NOT_STORED = b"|207^"
"""In the answer to a message that must be sent again (table 0357: application internal error)."""

Advance = Callable[[int], None]


def deliver(
    installation: Installation, settings: Settings, feeds: Mapping[str, Feed], folder: Path, advance: Advance
) -> None:
    """Send what `folder` holds for each feed, all feeds side by side, and return once all of it is acknowledged.

    What an earlier delivery sent is not sent again: a listener's feed goes on behind the messages that are stored, a
    folder's behind the files it has seen.

    Args:
        installation: where it arrives.
        settings: the running house's, whose listeners are spoken to.
        feeds: by name; `<folder>/<name>/` holds what each sends, in order of the names.
        folder: what is sent.
        advance: told how many messages or files were sent since it was told last.

    Raises:
        WholechartError: if the house does not take a message.
    """
    sent = _messages_stored(installation)

    async def send(feed: Feed) -> None:
        files = sorted(path for path in (folder / feed.name).iterdir() if path.is_file())
        if feed.transport == "mllp":
            bodies = islice(messages(files), sent.get(feed.name, 0), None)
            await _by_mllp(feed, settings.host, bodies, advance)
        elif feed.transport == "folder":
            await asyncio.to_thread(_by_folder, drop_folder(settings, feed), files, advance)
        else:
            raise ConfigurationError(f"feed {feed.name}: nothing is delivered by {feed.transport} here")

    async def send_all() -> None:
        await asyncio.gather(*map(send, feeds.values()))

    asyncio.run(send_all())


def has_arrived(installation: Installation, feeds: Mapping[str, Feed], folder: Path) -> bool:
    """Return whether everything that `folder` holds for the feeds has been sent before."""
    sent = _messages_stored(installation)
    for feed in feeds.values():
        files = sorted(path for path in (folder / feed.name).iterdir() if path.is_file())
        if feed.transport == "folder":
            if not {path.name for path in files} <= _names_seen(drop_folder(installation.settings, feed)):
                return False
        elif next(islice(messages(files), sent.get(feed.name, 0), None), None) is not None:
            return False
    return True


def messages(files: Iterable[Path]) -> Iterator[bytes]:
    """Yield the HL7 v2 messages of files in order: of each MLLP frame, or the one message that a plain file is."""
    for path in files:
        with path.open("rb") as stream:
            if stream.peek(1)[:1] != _FRAMED:
                yield stream.read()
                continue
            decoder = FrameDecoder(_LIMIT)
            while chunk := stream.read(_CHUNK):
                for event in decoder.feed(chunk):
                    if not isinstance(event, Frame):
                        raise WholechartError(f"{path.name}, byte {event.offset}: {event.text}")
                    yield event.body


def _messages_stored(installation: Installation) -> dict[str, int]:
    with installation.database.begin() as unit:
        rows = unit.driver.execute("SELECT feed, count(*) + sum(repeats) FROM message GROUP BY feed").fetchall()
    return {feed: int(count) for feed, count in rows}


async def _by_mllp(feed: Feed, host: str, bodies: Iterator[bytes], advance: Advance) -> None:
    """Send over one connection, a few messages ahead of the answers: they arrive and are kept in the order of sending.

    A refusal (AR) is an answer too: what is no message is kept and judged by the house, and a sender goes on.
    """
    if feed.port is None:
        raise ConfigurationError(f"feed {feed.name} has transport mllp but no port")
    async with AsyncMLLPClient(host, feed.port) as client:
        while ahead := list(islice(bodies, _AHEAD)):
            for answer in await asyncio.gather(*map(client.send, ahead)):
                if b"MSA|" not in answer or _NOT_STORED in answer:
                    raise WholechartError(f"feed {feed.name}: a message was not taken")
            advance(len(ahead))


def _by_folder(folder: Path, files: Iterable[Path], advance: Advance) -> None:
    """Drop files as a careful sender does: written beside, then renamed, so that no half file is ever taken."""
    incoming = folder / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    seen = _names_seen(folder)
    for path in files:
        if path.name not in seen:
            part = incoming / f".{path.name}.part"
            part.write_bytes(path.read_bytes())
            os.replace(part, incoming / path.name)  # noqa: PTH105 - the atomic one, by its name
        advance(1)


def _names_seen(folder: Path) -> set[str]:
    """Return the names of files dropped before, as their sender called them."""
    waiting = {path.name for path in (folder / "incoming").glob("*")}
    taken = {path.name.split("-", 2)[-1] for stage in ("processing", "done") for path in (folder / stage).glob("*-*-*")}
    return waiting | taken
