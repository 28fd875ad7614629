"""Cuts a stream of FHIR JSON into messages: one document (a Bundle or resource), or pieces of NDJSON.

NDJSON is one resource a line. Anything may be broken in it, so it is told from a document that spreads over lines by
looking for a line that is an object by itself. A line too long is skipped without being held.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO, Final, NamedTuple

import orjson

from connectors.connector import Issue, Piece, Refusal
from hub_core.errors import TooLargeError

PIECE_LINES: Final = 256
PIECE_BYTES: Final = 1 << 20
BOM: Final = b"\xef\xbb\xbf"
_CHUNK: Final = 1 << 16
_INDENTED: Final = re.compile(rb'[ \t]+"')
"""How the second line of a document laid out for people begins, and no line of NDJSON."""


class _Line(NamedTuple):
    """A line of the stream with its number; the text is None when it was too long to hold."""

    number: int
    text: bytes | None


def recognises(head: bytes) -> bool:
    """Return whether bytes that begin with `head` look like a JSON object."""
    start = head.removeprefix(BOM).lstrip()
    return start.startswith(b"{") and start[1:].lstrip()[:1] in (b'"', b"}", b"")


def has_lines(body: bytes) -> bool:
    """Return whether a message is NDJSON of several lines, and not one document."""
    text = body.removeprefix(BOM).strip()
    first, newline, rest = text.partition(b"\n")
    if not newline:
        return False
    if _is_object(first):
        return True
    if _INDENTED.match(rest):
        return False
    return not _is_object(text) and any(line.startswith(b"{") and _is_object(line) for line in rest.split(b"\n"))


def lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (1-based number, text) of every line of an NDJSON message that is not blank."""
    for number, line in enumerate(body.removeprefix(BOM).split(b"\n"), 1):
        if line and not line.isspace():
            yield number, line


def cut(stream: BinaryIO, *, limit: int) -> Iterator[Piece | Refusal]:
    """Yield the messages of a stream: one document, or pieces of NDJSON whose positions are line numbers."""
    waiting = _lines(stream, limit)
    first = next((line for line in waiting if line.text is None or not line.text.isspace()), None)
    if first is None:
        return
    if first.text is None or _is_object(first.text.removeprefix(BOM)):
        yield from _pieces(chain([first], waiting), limit)
        return
    held, over = _hold(first.text, waiting, limit)
    text = b"".join(held)
    if has_lines(text):
        numbered = (_Line(number, line) for number, line in enumerate(held, first.number))
        yield from _pieces(chain(numbered, over, waiting), limit)
    elif over:
        yield _too_large(1, limit)
    else:
        yield Piece(text, 1)


def _lines(stream: BinaryIO, limit: int) -> Iterator[_Line]:
    number = 0
    while text := stream.readline(limit + 1):
        number += 1
        if len(text) <= limit or text.endswith(b"\n"):
            yield _Line(number, text)
            continue
        while text and not text.endswith(b"\n"):
            text = stream.readline(_CHUNK)
        yield _Line(number, None)


def _hold(first: bytes, waiting: Iterator[_Line], limit: int) -> tuple[list[bytes], list[_Line]]:
    """Return the lines that fit into the limit, and the one that does not, if any."""
    held, size = [first], len(first)
    for line in waiting:
        if line.text is None or size + len(line.text) > limit:
            return held, [line]
        held.append(line.text)
        size += len(line.text)
    return held, []


def _pieces(numbered: Iterator[_Line], limit: int) -> Iterator[Piece | Refusal]:
    held: list[bytes] = []
    start = size = 0
    for number, text in numbered:
        if text is None:
            yield from _flush(held, start)
            held, size = [], 0
            yield _too_large(number, limit)
            continue
        if held and (len(held) == PIECE_LINES or size + len(text) > PIECE_BYTES):
            yield from _flush(held, start)
            held, size = [], 0
        if not held:
            start = number
        if held or not text.isspace():
            held.append(text)
            size += len(text)
    yield from _flush(held, start)


def _flush(held: list[bytes], start: int) -> Iterator[Piece]:
    """Yield the lines as one piece, or each by itself where together nobody could tell them from a broken document."""
    records = sum(not line.isspace() for line in held)
    text = b"".join(held)
    if records == 1 or has_lines(text):
        yield Piece(text, start, records)
        return
    for number, line in enumerate(held, start):
        if not line.isspace():
            yield Piece(line, number)


def _too_large(position: int, limit: int) -> Refusal:
    error = TooLargeError(limit + 1, limit)
    return Refusal(position, Issue("error", error.code, error.text, f"line {position}"))


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except ValueError:
        return False
