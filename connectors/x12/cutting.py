"""Cuts a stream of interchanges into messages: each transaction set in its own envelope, able to stand alone.

A message is `ISA GS ST..SE GE IEA`, every segment as found. The trailers come last in the stream, so the sets of an
interchange are held until its IEA; an interchange of more than the limit is passed on set by set, without trailers,
so that never more than the limit is in memory. What only the whole stream shows is reported beside the messages:
trailers that are missing or count wrong, bytes that belong to no interchange.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from connectors.connector import Issue, Piece, Refusal, Severity
from connectors.x12.tokenizer import CHUNK, Segment, tokenise
from hub_core.errors import TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENDS_STRAY = frozenset({"ISA", "TA1", "GS", "ST", "IEA"})
_BLANK = b" \t\r\n\0\x1a\xef\xbb\xbf"


def cut(stream: BinaryIO, *, limit: int, chunk: int = CHUNK) -> Iterator[Piece | Refusal]:
    """Yield the transaction sets of `stream` in order, each of at most `limit` bytes with its envelope."""
    cutter = _Cutter(limit)
    for segment in tokenise(stream, limit=limit, chunk=chunk):
        yield from cutter.take(segment)
    yield from cutter.end()


@dataclass(slots=True)
class _Held:
    """A set waiting for the trailers of its envelope."""

    position: int
    content: bytes
    group: int
    """Ordinal of its functional group in the interchange; 0 outside any."""


@dataclass(slots=True)
class _Interchange:
    isa: Segment
    gs: Segment | None = None
    groups: int = 0
    sets_in_group: int = 0
    messages: int = 0
    group_trailers: dict[int, bytes] = field(default_factory=dict)
    held: list[_Held] = field(default_factory=list)
    size: int = 0
    is_passed_on: bool = False
    """Whether it outgrew the limit, so that its sets no longer wait for trailers."""


class _Cutter:
    """The interchange, group and set that are open while a stream goes by."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.position = 0
        self.interchange: _Interchange | None = None
        self.set_parts: list[bytes] | None = None
        self.set_offset = self.set_size = 0
        self.stray_offset = self.stray_size = 0
        self.offset = 0
        self.steps = {
            "GS": self._begin_group,
            "ST": self._begin_set,
            "SE": self._complete_set,
            "GE": self._end_group,
            "IEA": self._end_interchange,
            "TA1": self._acknowledgement,
        }

    def take(self, segment: Segment) -> Iterator[Piece | Refusal]:
        """Yield what is complete once `segment` has come."""
        self.offset = segment.offset
        if segment.name in _ENDS_STRAY:
            # What stands before an interchange, such as a covering note, is part of none and costs no record.
            yield from self._end_stray("warning" if segment.name == "ISA" else "error")
        if segment.name == "ISA":
            yield from self._end_interchange(None)
            self.interchange = _Interchange(segment)
        elif self.interchange is None or not segment.name:
            yield from self._stray(segment)
        elif segment.name in self.steps:
            yield from self.steps[segment.name](segment)
        elif self.set_parts is not None:
            self._grow(segment)
        else:
            yield from self._stray(segment)

    def end(self) -> Iterator[Piece | Refusal]:
        """Yield what is left when the stream ends."""
        yield from self._end_stray()
        yield from self._end_interchange(None)

    def _stray(self, segment: Segment) -> Iterator[Piece | Refusal]:
        """Count bytes that belong nowhere; inside a set, a segment over the limit takes the set with it."""
        if self.set_parts is not None and segment.size > len(segment.raw):
            self.set_size += segment.size
        elif self.set_parts is not None:
            self._grow(segment)
        elif segment.raw.strip(_BLANK) or segment.size > len(segment.raw):
            self.stray_offset = self.stray_offset if self.stray_size else segment.offset
            self.stray_size += segment.size
        yield from ()

    def _end_stray(self, severity: Severity = "error") -> Iterator[Refusal]:
        if self.stray_size:
            text = f"{self.stray_size:,} bytes that belong to no transaction set were left out"
            yield self._refusal(severity, text, f"byte {self.stray_offset + 1}")
            self.stray_size = 0

    def _begin_group(self, segment: Segment) -> Iterator[Piece | Refusal]:
        yield from self._end_group(None)
        interchange = self._open
        interchange.gs, interchange.groups, interchange.sets_in_group = segment, interchange.groups + 1, 0

    def _begin_set(self, segment: Segment) -> Iterator[Piece | Refusal]:
        yield from self._end_set()
        self._count_message()
        self.set_offset, self.set_size, self.set_parts = segment.offset, 0, []
        self._open.sets_in_group += 1
        self._grow(segment)

    def _complete_set(self, segment: Segment) -> Iterator[Piece | Refusal]:
        if self.set_parts is None:
            yield from self._stray(segment)
        else:
            self._grow(segment)
            yield from self._end_set()

    def _acknowledgement(self, segment: Segment) -> Iterator[Piece | Refusal]:
        """A TA1 stands in the interchange itself: a message without group and set."""
        yield from self._end_set()
        self._count_message()
        yield from self._hold(segment.raw, group=0)

    def _end_group(self, trailer: Segment | None) -> Iterator[Piece | Refusal]:
        yield from self._end_set()
        interchange = self._open
        if interchange.gs is None:
            if trailer:
                yield from self._stray(trailer)
            return
        if trailer:
            if interchange.held:
                interchange.group_trailers[interchange.groups] = trailer.raw
            yield from self._counted(trailer, "GE01", "transaction sets", interchange.sets_in_group)
        else:
            yield self._refusal("warning", "the functional group ends without GE", f"byte {self.offset + 1}")
        interchange.gs = None

    def _end_interchange(self, trailer: Segment | None) -> Iterator[Piece | Refusal]:
        if self.interchange is None:
            return
        yield from self._end_group(None)
        interchange = self.interchange
        if not interchange.messages:
            self._count_message()
            yield from self._hold(b"", group=0)
        for held in interchange.held:
            yield self._piece(held, trailer)
        if trailer:
            yield from self._counted(trailer, "IEA01", "functional groups", interchange.groups)
        else:
            text = "the interchange ends without IEA: the file may have been cut short"
            yield self._refusal("warning", text, f"byte {self.offset + 1}")
        self.interchange = None

    def _end_set(self) -> Iterator[Piece | Refusal]:
        if self.set_parts is None:
            return
        parts, self.set_parts = self.set_parts, None
        size = self.set_size + len(self._header)
        if size > self.limit:
            error = TooLargeError(size, self.limit)
            yield self._refusal("error", error.text, f"byte {self.set_offset + 1}", error.code)
        else:
            yield from self._hold(b"".join(parts), group=self._open.groups)

    def _hold(self, content: bytes, *, group: int) -> Iterator[Piece]:
        interchange = self._open
        header = self._header if group else interchange.isa.raw
        interchange.held.append(_Held(self.position, header + content, group))
        interchange.size += len(header) + len(content)
        interchange.is_passed_on = interchange.is_passed_on or interchange.size > self.limit
        if interchange.is_passed_on:
            for held in interchange.held:
                yield Piece(held.content, held.position)
            interchange.held.clear()

    def _piece(self, held: _Held, trailer: Segment | None) -> Piece:
        group_trailer = self._open.group_trailers.get(held.group, b"")
        return Piece(held.content + group_trailer + (trailer.raw if trailer else b""), held.position)

    def _count_message(self) -> None:
        self.position += 1
        self._open.messages += 1

    def _grow(self, segment: Segment) -> None:
        self.set_size += len(segment.raw)
        if self.set_parts is not None:
            if self.set_size > self.limit:
                self.set_parts.clear()
            else:
                self.set_parts.append(segment.raw)

    @property
    def _open(self) -> _Interchange:
        if self.interchange is None:
            raise AssertionError("steps are taken inside an interchange only")
        return self.interchange

    @property
    def _header(self) -> bytes:
        interchange = self._open
        return interchange.isa.raw.lstrip(_BLANK) + (interchange.gs.raw if interchange.gs else b"")

    def _counted(self, trailer: Segment, place: str, what: str, found: int) -> Iterator[Refusal]:
        said = trailer.elements[1].strip() if len(trailer.elements) > 1 else ""
        if not (said.isascii() and said.isdigit() and int(said[:9]) == found):
            yield self._refusal("warning", f"the trailer counts other {what} than the {found} found", place, "value")

    def _refusal(self, severity: Severity, text: str, place: str, code: str = "structure") -> Refusal:
        return Refusal(max(self.position, 1), Issue(severity, code, text, place))
