"""Cuts a stream or file into its messages: MLLP frames, FHS/BHS batches, or messages one after another.

The stream is read in chunks and at most one message of the allowed size is held. Batch headers and trailers are
envelopes, not messages; what stands where a message should begin and is none becomes a refusal with its offset.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from connectors.connector import Issue, Piece, Refusal
from connectors.hl7v2.framing import Fault, Frame, FrameDecoder
from hub_core.errors import TooLargeError

CHUNK = 1 << 18

_MESSAGE = re.compile(rb"MSH[^\w\s]")
_ENVELOPE = re.compile(rb"(?:FHS|BHS|BTS|FTS)(?:[^\w\s]|[\r\n\x1c]|\Z)")
_BOUNDARY = re.compile(rb"[\r\n](?=(?:MSH|FHS|BHS)[^\w\s]|(?:BTS|FTS)[^\w ])")
_BARE_TRAILER = re.compile(rb"[\r\n](?=(?:BTS|FTS)\Z)")
_LEAD = b"\xef\xbb\xbf\r\n\t \x00"
_OVERLAP = 5
"""A boundary is a line end and four bytes: that much of a chunk is looked at again with the next one."""


def recognises(head: bytes) -> bool:
    """Return whether a stream beginning with `head` is HL7 v2: framed, a batch, or bare messages."""
    begin = head.lstrip(_LEAD + b"\x0b")
    return bool(_MESSAGE.match(begin) or _ENVELOPE.match(begin))


def cut(stream: BinaryIO, *, limit: int) -> Iterator[Piece | Refusal]:
    """Yield the messages of `stream` in order, holding at most one of `limit` bytes."""
    chunks = iter(lambda: stream.read(CHUNK), b"")
    first = b""
    for chunk in chunks:
        first = (first + chunk).lstrip(_LEAD)
        if first:
            break
    position = 1
    for found in _records(first, chunks, limit):
        if isinstance(found, bytes):
            yield Piece(found, position)
        else:
            yield Refusal(position, found)
        position += 1


def _records(first: bytes, chunks: Iterator[bytes], limit: int) -> Iterator[bytes | Issue]:
    """Yield messages and issues; refusals count as records, so that positions name places in the input."""
    if not first:
        yield Issue("error", "structure", "there is no message: the input is empty", "byte 0")
    elif first.startswith(b"\x0b"):
        yield from _framed(first, chunks, limit)
    else:
        yield from _lined(_chain(first, chunks), limit)


def _framed(first: bytes, chunks: Iterator[bytes], limit: int) -> Iterator[bytes | Issue]:
    decoder = FrameDecoder(limit)
    for chunk in _chain(first, chunks):
        for event in decoder.feed(chunk):
            if isinstance(event, Frame):
                yield from _lined(iter((event.body,)), limit)
            else:
                yield _issue(event, limit)
    for event in decoder.close():
        if isinstance(event, Fault):
            yield _issue(event, limit)


def _issue(fault: Fault, limit: int) -> Issue:
    if fault.oversize:
        return Issue("error", "too-long", str(TooLargeError(fault.oversize, limit)), f"byte {fault.offset}")
    return Issue("error", "structure", fault.text, f"byte {fault.offset}")


def _chain(first: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from chunks


def _lined(chunks: Iterator[bytes], limit: int) -> Iterator[bytes | Issue]:
    """Yield what lies between the lines that begin a message or an envelope."""
    held = bytearray()
    offset = searched = 0
    oversize = False
    for chunk in chunks:
        held += chunk
        begin = 0
        while boundary := _next_boundary(held, max(begin, searched)):
            if not oversize:
                yield from _record(bytes(held[begin : boundary.end()]), offset + begin, limit)
            oversize = False
            searched = begin = boundary.end()
        del held[:begin]
        offset += begin
        searched = max(0, len(held) - _OVERLAP)
        if len(held) > limit + _OVERLAP:
            if not oversize:
                yield _too_large(len(held), limit, offset)
            oversize = True
            offset += len(held) - _OVERLAP
            del held[:-_OVERLAP]
            searched = 0
    if not oversize:
        end = boundary.end() if (boundary := _BARE_TRAILER.search(held)) else len(held)
        yield from _record(bytes(held[:end]), offset, limit)


def _next_boundary(held: bytearray, start: int) -> re.Match[bytes] | None:
    """Return the next line end before a message or envelope; without any line end there is nothing to look at."""
    if held.find(b"\r", start) < 0 and held.find(b"\n", start) < 0:
        return None
    return _BOUNDARY.search(held, start)


def _record(record: bytes, offset: int, limit: int) -> Iterator[bytes | Issue]:
    body = record.lstrip(_LEAD)
    if _MESSAGE.match(body):
        if len(body) > limit:
            yield _too_large(len(body), limit, offset)
        else:
            yield body
    elif body.strip(_LEAD + b"\x1c\x1a") and not _ENVELOPE.match(body):
        yield Issue(
            "error", "structure", f"{len(body):,} bytes that do not begin with an MSH segment", f"byte {offset}"
        )


def _too_large(size: int, limit: int, offset: int) -> Issue:
    return Issue("error", "too-long", str(TooLargeError(size, limit)), f"byte {offset}")
