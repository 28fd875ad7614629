"""The shape every format's connector has: bytes are cut into messages, and a message becomes facts, issues and rejects.

    stream --cut--> Piece (a message to store) --convert--> Outcome per record (facts | filtered | rejected)

A connector is pure: the same bytes and origin give the same outcome on any machine, at any time.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import BinaryIO, Literal, Protocol, TypeAlias

from hub_core.fhir.canonical import Json

Severity: TypeAlias = Literal["fatal", "error", "warning", "information"]
RecordState: TypeAlias = Literal["processed", "filtered", "rejected"]


class Authority(IntEnum):
    """How strongly a sender speaks for a resource; a weaker word never overwrites a stronger one."""

    STUB = 0
    """Only that it exists: the target of a reference that has not arrived."""
    MENTION = 1
    """Said in passing: the PID of a lab result, the performer named on an observation."""
    FULL = 2
    """The message is about it: the PID of an ADT, a resource of a FHIR feed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message comes from: what its ids, codes and clock are scoped to."""

    source: str
    location: str | None = None
    zone: str = "UTC"
    """IANA zone of timestamps that name none."""
    release: str | None = None
    """The release of its format that a message is said to be of; None where it has to show it."""


@dataclass(slots=True)
class Fact:
    """One canonical FHIR R4 resource, whose `id` is derived from `source_id`.

    Not frozen, and never changed: a message makes several, and frozen ones take three times as long to make.
    """

    resource: Json
    source_id: str
    """The business identifier at the source, as text: what the id was derived from."""
    event_at: datetime | None = None
    """When this became true at the source (aware); a later event wins over an earlier one."""
    authority: Authority = Authority.FULL
    is_deleted: bool = False
    """Whether the source says that it has the resource no more; `resource` holds its type and id then."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding about a record, in words that a person at the sending side understands, without patients' data."""

    severity: Severity
    code: str
    """FHIR issue type (http://hl7.org/fhir/issue-type): structure, required, value, not-supported, ..."""
    text: str
    location: str = ""
    """Where, in the notation of the format: `PID-3[2].4`, `line 7: Observation.status`, `2010AA NM109`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record: its facts, or why there are none."""

    position: int
    """1-based ordinal of the record in its message."""
    kind: str
    """What it is in words of its format: `ADT^A01`, `837P`, `Observation`, `Bundle`."""
    state: RecordState
    facts: tuple[Fact, ...] = ()
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """One message cut from a stream, as it will be stored."""

    body: bytes
    position: int
    """1-based ordinal, in the stream, of the first record in it."""
    records: int = 1


@dataclass(frozen=True, slots=True)
class Refusal:
    """A stretch of a stream from which no message could be cut."""

    position: int
    issue: Issue


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the store needs to know of a message before it is mapped."""

    kind: str
    control_id: str | None = None
    """The sender's own id of the message (MSH-10, ISA13+ST02); None where the format has none."""
    keys: tuple[str, ...] = ()
    """Whom it is about, scoped to the source: messages that share a key are applied in order of arrival."""
    sent_at: datetime | None = None
    """When it was sent, as it says itself (MSH-7, GS04 and 05, Bundle.timestamp), in UTC; None where it does not."""


class Connector(Protocol):
    """One format: how it is recognised, cut, and converted."""

    @property
    @abstractmethod
    def format(self) -> str:
        """Return the name used in feed files and on the command line."""

    @property
    @abstractmethod
    def mapping_version(self) -> str:
        """Return the version of the mapping; it changes whenever the same bytes would give other facts."""

    @abstractmethod
    def recognises(self, head: bytes) -> bool:
        """Return whether bytes that begin with `head` (up to 4 KiB) look like this format."""

    @abstractmethod
    def cut(self, stream: BinaryIO, *, limit: int) -> Iterator[Piece | Refusal]:
        """Yield the messages of a stream in order, never holding more than one of at most `limit` bytes."""

    @abstractmethod
    def envelope(self, body: bytes, origin: Origin) -> Envelope:
        """Return what the store needs to know; never raises, an unreadable message gets kind `unreadable`."""

    @abstractmethod
    def convert(self, body: bytes, origin: Origin) -> Iterator[Outcome]:
        """Yield one outcome per record of a message, in order; never raises for anything in `body`."""

    @abstractmethod
    def check(self, body: bytes) -> Iterator[Issue]:
        """Yield every issue of one message, each with its place, in the order of the text."""
