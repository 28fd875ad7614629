"""What the message store is given and gives back: arrivals, stored messages, messages waiting, and their results."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

_MOST_LANES = 64
"""Lanes of one message: one about more patients is a batch of claims or an export, whose event times keep order."""

MessageState: TypeAlias = Literal["received", "processed", "filtered", "rejected"]

LANES = 1 << 15
"""Lanes that keys are hashed to; a worker holds the lanes of the messages it applies, and no other may touch them.

Many more than the patients of a batch, or the first worker's batch would leave the others no lane.
"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as a transport hands it over."""

    feed: str
    source: str
    format: str
    kind: str
    body: bytes
    location: str | None = None
    zone: str = "UTC"
    control_id: str | None = None
    keys: tuple[str, ...] = ()
    sent_at: datetime | None = None
    """When it was sent, as it says itself."""
    input: str | None = None
    """Name of the file it was cut from; never its folder."""
    position: int = 1
    """1-based ordinal, in that file, of its first record."""
    records: int = 1
    intake: UUID | None = None
    """The run of `ingest` that brought it."""
    release: str | None = None
    """The release of its format that it is said to be of; the same bytes of another are another message."""

    @property
    def identity(self) -> str | None:
        """Return what tells it from others of the same bytes."""
        return self.release if self.control_id is None else self.control_id


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store answers once a message is durable."""

    message_id: UUID
    duplicate: bool
    """The same bytes under the same control id were there already; nothing was stored again."""


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message, without its body."""

    message_id: UUID
    arrival: int
    feed: str
    source: str
    location: str | None
    zone: str
    format: str
    kind: str
    size: int
    intake: UUID | None
    input: str | None
    position: int
    records: int
    lanes: tuple[int, ...]
    shelf: str
    received_at: datetime
    release: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a record was not taken, or what was odd about it, as the reject list shows it."""

    position: int
    kind: str
    severity: str
    code: str
    reason: str
    location: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one message: how many of its records went which way."""

    message_id: UUID
    processed: int = 0
    filtered: int = 0
    rejected: int = 0
    resources: int = 0
    changed: int = 0
    mapping_version: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def state(self) -> MessageState:
        """Return the message's state: what most matters to whoever has to look after it."""
        if self.processed:
            return "processed"
        return "rejected" if self.rejected else "filtered"


def lanes_of(source: str, keys: tuple[str, ...]) -> list[int]:
    """Return the lanes of a message with these keys, in order."""
    return sorted({zlib.crc32(f"{source}\x1f{key}".encode()) % LANES for key in keys[:_MOST_LANES]})
