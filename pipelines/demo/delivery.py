"""Sending what the fictional systems send, each by its own transport: MLLP, HTTP, a file into a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from connectors import registry
from connectors.connector import Piece
from connectors.transport.mllp import MLLPClient
from hub_core.errors import ConfigurationError, WholechartError
from pipelines.demo.group import SAMPLES
from pipelines.folders import drop_folder

if TYPE_CHECKING:
    from hub_core.feeds import Feed
    from hub_core.settings import Settings

_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing sent: by which feed, and how many records it holds."""

    feed: str
    records: int


def deliver(feeds: dict[str, Feed], settings: Settings, token: str) -> Iterator[Delivery]:
    """Send everything every feed has, in order, yielding as each delivery is acknowledged.

    Raises:
        WholechartError: if the house does not take one.
    """
    for name, feed in feeds.items():
        files = sorted(path for path in (SAMPLES / name).iterdir() if path.is_file())
        if feed.transport == "mllp":
            yield from _by_mllp(feed, settings, files)
        elif feed.transport == "http":
            yield from _by_http(feed, settings, files, token)
        else:
            yield from _by_folder(feed, settings, files)


def _by_mllp(feed: Feed, settings: Settings, files: list[Path]) -> Iterator[Delivery]:
    if feed.port is None:
        raise ConfigurationError(f"feed {feed.name} has transport mllp but no port")
    with MLLPClient(settings.host, feed.port) as client:
        for path in files:
            for piece in _pieces(feed, path):
                answer = client.send(piece.body)
                if b"MSA|A" not in answer and b"MSA|C" not in answer:
                    raise WholechartError(f"feed {feed.name}: a message was not acknowledged")
                yield Delivery(feed.name, piece.records)


def _by_http(feed: Feed, settings: Settings, files: list[Path], token: str) -> Iterator[Delivery]:
    import httpx

    address = f"http://{settings.host}:{settings.api_port}/ingest/{feed.name}"
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        for path in files:
            answer = client.post(address, content=path.read_bytes())
            if answer.status_code != 202:
                raise WholechartError(f"feed {feed.name}: {path.name} was answered with {answer.status_code}")
            yield Delivery(feed.name, sum(piece.records for piece in _pieces(feed, path)))


def _by_folder(feed: Feed, settings: Settings, files: list[Path]) -> Iterator[Delivery]:
    """Drop files as a careful sender does: written beside, then renamed, so that no half file is ever taken."""
    folder = drop_folder(settings, feed) / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        part = folder / f".{path.name}.part"
        part.write_bytes(path.read_bytes())
        os.replace(part, folder / path.name)  # noqa: PTH105 - the atomic one, by its name
        yield Delivery(feed.name, sum(piece.records for piece in _pieces(feed, path)))


def _pieces(feed: Feed, path: Path) -> Iterator[Piece]:
    with path.open("rb") as stream:
        for cut in registry.connector(str(feed.format)).cut(stream, limit=_LIMIT):
            if isinstance(cut, Piece):
                yield cut
