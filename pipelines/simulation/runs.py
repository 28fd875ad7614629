"""What a chapter sends by each feed, kept as a sorted run, and how the runs of all chapters become the feed's files.

A run holds lists of sendings, as Python's own programs are kept: nothing else is read and written as fast, and it is
gone before anybody else could read it. Sendings sort by when they arrive, then by their chapter and their place there,
which no two share.
"""

from __future__ import annotations

import heapq
import marshal
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import count, islice
from pathlib import Path
from struct import Struct
from typing import BinaryIO, TypeAlias

from pipelines.simulation.sending import Sent

_Sending: TypeAlias = tuple[int, int, int, str, bytes]
"""When it arrives, in seconds since 1970; the chapter, and the place there; the suffix of its file; what it says."""

_FRAME = b"\x0b%b\x1c\r"
"""MLLP: a file holds many messages, and where one that is cut off ends is to be seen."""
_BUFFER = 1 << 17
_SIZE = Struct(">I")
"""What stands before a list: how many bytes it has."""
_TOGETHER = 64
"""Sendings of one list: of 200 runs, one list each is in memory."""
_MOST_OPEN = 200
_MOST_MESSAGES = 5000
_MOST_INTERCHANGES = 50


def write_run(path: Path, chapter: int, arrivals: Iterable[tuple[datetime, Sent]]) -> None:
    """Write what arrives by one feed, given in the order of arrival."""
    sendings = (
        (int(at.timestamp()), chapter, place, sent.suffix, _FRAME % sent.body if sent.suffix == "hl7" else sent.body)
        for place, (at, sent) in enumerate(arrivals)
    )
    _write(path, sendings)


def merge_runs(runs: list[Path], folder: Path) -> None:
    """Write the files of a feed, numbered in the order they are to be sent; the runs are used up."""
    wave = count()
    while len(runs) > _MOST_OPEN:
        groups = [runs[start : start + _MOST_OPEN] for start in range(0, len(runs), _MOST_OPEN)]
        runs = [_merged(group, folder.with_name(f".{folder.name}-{next(wave)}")) for group in groups]
    number = 0
    stream = None
    held = 0
    before = 0, ""
    try:
        for at, _, _, suffix, body in _sorted(runs):
            if stream is None or _begins_file(before, (at, suffix), held):
                if stream is not None:
                    stream.close()
                number, held = number + 1, 0
                stream = (folder / f"{number:06d}.{suffix}").open("wb", _BUFFER)
            stream.write(body)
            before, held = (at, suffix), held + 1
    finally:
        if stream is not None:
            stream.close()
    for path in runs:
        path.unlink()


def _begins_file(before: tuple[int, str], now: tuple[int, str], held: int) -> bool:
    """Return whether a sending begins a new file: one night's export of a type is one, others are bound in size."""
    if before[1] != now[1]:
        return True
    if now[1] == "ndjson":
        return before[0] != now[0]
    return held >= (_MOST_MESSAGES if now[1] == "hl7" else _MOST_INTERCHANGES)


def _merged(runs: list[Path], target: Path) -> Path:
    _write(target, _sorted(runs))
    for path in runs:
        path.unlink()
    return target


def _sorted(runs: list[Path]) -> Iterator[_Sending]:
    with ExitStack() as stack:
        yield from heapq.merge(*(_read(stack.enter_context(path.open("rb"))) for path in runs))


def _write(path: Path, sendings: Iterable[_Sending]) -> None:
    rest = iter(sendings)
    with path.open("wb", _BUFFER) as stream:
        while some := list(islice(rest, _TOGETHER)):
            written = marshal.dumps(some)
            stream.write(_SIZE.pack(len(written)))
            stream.write(written)


def _read(stream: BinaryIO) -> Iterator[_Sending]:
    while head := stream.read(_SIZE.size):
        (size,) = _SIZE.unpack(head)
        yield from marshal.loads(stream.read(size))  # noqa: S302 - written by `_write` moments ago
