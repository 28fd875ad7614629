"""Takes MLLP frames out of bytes that arrive in any pieces: 0x0B, message, 0x1C 0x0D (HL7 MLLP release 1).

Between frames only line ends and blanks are expected; anything else there, a frame begun inside another one and a frame
over the limit are faults, told with their offset so that a sender finds them. One frame at a time is held, never more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

START = 0x0B
END = 0x1C
CARRIAGE_RETURN = 0x0D

_BLANK = b"\r\n \t\x00"


@dataclass(frozen=True, slots=True)
class Frame:
    """The message of one frame."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """Bytes that are no frame, or a frame that cannot be taken."""

    text: str
    offset: int
    """Where it begins, in bytes from the start of the stream."""
    oversize: int = 0
    """Bytes seen of a frame over the limit; 0 for other faults."""


Event: TypeAlias = Frame | Fault


def frame(body: bytes) -> bytes:
    """Return `body` as one MLLP frame."""
    return b"\x0b" + body + b"\x1c\r"


class FrameDecoder:
    """Turns chunks of a byte stream into frames and faults, in order."""

    def __init__(self, limit: int) -> None:
        """Refuse frames of more than `limit` bytes."""
        self._limit = limit
        self._held = bytearray()
        self._searched = 0
        self._offset = 0
        self._inside = False
        self._dropping = False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Yield what `chunk` completes."""
        self._held += chunk
        while True:
            if self._inside:
                event, again = self._take_frame()
            else:
                event, again = self._skip_to_frame()
            if event is not None:
                yield event
            if not again:
                return

    def close(self) -> Iterator[Event]:
        """Yield the fault of a stream that ends inside a frame."""
        if self._inside and not self._dropping:
            yield Fault("the stream ends inside a frame: its end (0x1C 0x0D) is missing", self._offset - 1)
        self._inside = False
        self._held.clear()

    def _skip_to_frame(self) -> tuple[Event | None, bool]:
        found = self._held.find(START)
        junk = bytes(self._held[: found if found >= 0 else len(self._held)]).strip(_BLANK)
        fault = Fault(f"{len(junk):,} bytes outside any frame", self._offset) if junk else None
        self._drop(found + 1 if found >= 0 else len(self._held))
        self._inside, self._dropping = found >= 0, False
        return fault, found >= 0

    def _take_frame(self) -> tuple[Event | None, bool]:
        end = self._held.find(END, self._searched)
        restart = self._held.find(START, self._searched, end if end >= 0 else len(self._held))
        if restart >= 0:
            fault = None
            if not self._dropping:
                fault = Fault("a frame begins inside another: the first has no end (0x1C 0x0D)", self._offset - 1)
            self._drop(restart + 1)
            self._dropping = False
            return fault, True
        size = end if end >= 0 else len(self._held)
        if size > self._limit or self._dropping:
            return self._drop_oversize(end)
        if end < 0:
            self._searched = len(self._held)
            return None, False
        body = bytes(self._held[:end])
        self._drop(end + 1)
        self._inside = False
        return Frame(body), True

    def _drop_oversize(self, end: int) -> tuple[Event | None, bool]:
        fault = None
        if not self._dropping:
            size = end if end >= 0 else len(self._held)
            fault = Fault("the frame is over the limit", self._offset - 1, oversize=size)
        self._dropping = end < 0
        self._inside = end < 0
        self._drop(end + 1 if end >= 0 else len(self._held))
        return fault, end >= 0

    def _drop(self, count: int) -> None:
        del self._held[:count]
        self._offset += count
        self._searched = 0
