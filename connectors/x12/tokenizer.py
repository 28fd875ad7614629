"""Cuts bytes into X12 segments without losing one: joined again, the segments are the stream.

The delimiters are not fixed: each interchange declares its own in the ISA header (X12.5, interchange control
structure): the byte after `ISA` separates elements, ISA16 components, ISA11 repetitions, and the byte after ISA16 ends
a segment. Line breaks around segments, a byte order mark, blank lines, text between interchanges and a trailing 0x1A
occur in real files and are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

CHUNK = 1 << 16
HEADER_SPAN = 160
"""Bytes within which an ISA header must end; 106 by the standard, senders that trim or pad its fields differ."""

_STRAY_SPAN = 4096
_GAP = re.compile(rb"(?:\xef\xbb\xbf|[ \t\r\n\0\x1a]){0,4096}")
_HEADER = re.compile(rb"(?<![A-Za-z0-9])ISA[^A-Za-z0-9\s]")
_LINE_WITH_HEADER = re.compile(rb"[\r\n](?=ISA[^A-Za-z0-9\s])")
_FIRST_REPEATING_VERSION = "00402"


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The four characters an interchange is written with."""

    element: str
    component: str
    terminator: str
    repetition: str | None = None
    """None before version 00402, where ISA11 names a standards body instead."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment as found, or bytes that are none."""

    offset: int
    name: str
    """`ISA`, `NM1` ...; empty for bytes outside any interchange and for a segment over the limit."""
    raw: bytes
    """All its bytes: what stood before it on the way from the last terminator, the text, the terminator."""
    elements: tuple[str, ...] = ()
    """Filled for the segments of the envelope only."""
    size: int = 0
    """Bytes it had in the stream; more than `raw` only when it was over the limit and let go."""


def read_header(text: bytes) -> tuple[Delimiters, tuple[str, ...], int] | None:
    """Return delimiters, elements and length of the ISA header that `text` begins with, or None if it is none."""
    fields = text[:HEADER_SPAN].split(text[3:4], 16)
    if len(fields) < 17 or len(fields[16]) < 2 or fields[0] != b"ISA" or text[3:4].isspace():
        return None
    elements = (*(field.decode("latin-1") for field in fields[:16]), chr(fields[16][0]))
    repetition = elements[11] if elements[12] >= _FIRST_REPEATING_VERSION else ""
    marks = [chr(text[3]), elements[16], chr(fields[16][1])]
    if len(repetition) == 1 and not repetition.isalnum() and repetition not in marks:
        marks.append(repetition)
    if len(set(marks)) < len(marks) or any(mark.isalnum() or mark == " " or mark > "\x7f" for mark in marks):
        return None
    return Delimiters(*marks), elements, sum(map(len, fields[:16])) + 18


def tokenise(stream: BinaryIO, *, limit: int, chunk: int = CHUNK) -> Iterator[Segment]:
    """Yield every byte of `stream` as segments in order, reading `chunk` bytes at a time.

    A segment of more than `limit` bytes is let go and reported by its size with an empty name.
    """
    window = _Window(stream, limit, chunk)
    delimiters: Delimiters | None = None
    while window.reach(HEADER_SPAN):
        gap = window.gap()
        header = read_header(window.peek(gap)) if window.begins_header(gap) else None
        if header:
            delimiters, elements, length = header
            yield window.take(gap + length, "ISA", elements)
        elif delimiters is None:
            yield window.take_stray(gap)
        else:
            segment = window.take_segment(gap, delimiters)
            delimiters = None if segment.name == "IEA" else delimiters
            yield segment


class _Window:
    """The part of the stream that is in memory."""

    def __init__(self, stream: BinaryIO, limit: int, chunk: int) -> None:
        self.stream, self.limit, self.chunk = stream, limit, chunk
        self.buffer = bytearray()
        self.start = 0  # of what is not taken yet, in the buffer
        self.offset = 0  # of the same place in the stream
        self.ended = False

    def fill(self) -> bool:
        """Read on; whether anything came."""
        if not self.ended:
            del self.buffer[: self.start]
            self.start = 0
            more = self.stream.read(self.chunk)
            self.buffer += more
            self.ended = not more
        return not self.ended

    def reach(self, span: int) -> bool:
        """Have `span` bytes ahead if the stream has them; whether there are any at all."""
        while len(self.buffer) - self.start < span and self.fill():
            pass
        return self.start < len(self.buffer)

    def gap(self) -> int:
        """Length of the white space, byte order mark and end-of-file mark ahead."""
        while True:
            found = _GAP.match(self.buffer, self.start)
            length = found.end() - self.start if found else 0
            if len(self.buffer) - self.start >= length + HEADER_SPAN or length >= _STRAY_SPAN or not self.fill():
                return length

    def peek(self, ahead: int) -> bytes:
        return bytes(self.buffer[self.start + ahead : self.start + ahead + HEADER_SPAN])

    def begins_header(self, ahead: int) -> bool:
        return self.buffer.startswith(b"ISA", self.start + ahead)

    def take(self, length: int, name: str, elements: tuple[str, ...] = ()) -> Segment:
        """Return the next `length` bytes as a segment, and move on."""
        raw = bytes(self.buffer[self.start : self.start + length])
        segment = Segment(self.offset, name, raw, elements, len(raw))
        self.start += length
        self.offset += length
        return segment

    def take_stray(self, gap: int) -> Segment:
        """Return the bytes before the next header, at most `_STRAY_SPAN` at once."""
        self.reach(_STRAY_SPAN + HEADER_SPAN)
        end = min(self.start + _STRAY_SPAN, len(self.buffer))
        found = _HEADER.search(self.buffer, self.start + gap + 1, min(end + 4, len(self.buffer)))
        stop = min(found.start(), end) if found else end
        return self.take(stop - self.start, "")

    def take_segment(self, gap: int, delimiters: Delimiters) -> Segment:
        """Return the bytes up to the terminator, to a header on a line of its own, or to the end of the stream."""
        mark = delimiters.terminator.encode()
        searched = gap
        while (found := self.buffer.find(mark, self.start + searched)) < 0:
            searched = len(self.buffer) - self.start
            if searched > self.limit:
                return self._let_go(mark)
            if not self.fill():
                found = len(self.buffer) - 1
                break
        length = found + 1 - self.start
        if length > self.limit:
            return self._let_go(mark)
        body = self.buffer[self.start + gap : found + 1]
        restart = _LINE_WITH_HEADER.search(body) if b"ISA" in body else None
        if restart:
            body, length = body[: restart.end()], gap + restart.end()
        name, _, _ = body[:4].partition(delimiters.element.encode())
        code = bytes(name).rstrip(mark + b"\r\n").decode("latin-1")
        return self.take(length, code, _elements(body, delimiters) if code in _ENVELOPE else ())

    def _let_go(self, mark: bytes) -> Segment:
        begin, size = self.offset, 0
        while (found := self.buffer.find(mark, self.start)) < 0:
            size += len(self.buffer) - self.start
            self.start = len(self.buffer)
            if not self.fill():
                break
        length = max(found + 1 - self.start, 0)
        self.start += length
        self.offset += size + length
        return Segment(begin, "", b"", (), size + length)


_ENVELOPE = frozenset({"GS", "ST", "SE", "GE", "IEA", "TA1"})


def _elements(body: bytes | bytearray, delimiters: Delimiters) -> tuple[str, ...]:
    text = body.decode("latin-1").rstrip("\r\n\x1a\0 ").removesuffix(delimiters.terminator)
    return tuple(text.rstrip("\r\n").split(delimiters.element))
