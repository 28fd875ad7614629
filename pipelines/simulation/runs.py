"""What a chapter sends by a feed, kept as a sorted run, and how the runs of all chapters become the files of the feed.

A run has a line per sending: when it arrives, the chapter and its place there (all of fixed width, so that lines sort
as bytes), the suffix of its file, and the body, whose line ends are written as a character that no body holds.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import count
from pathlib import Path

from pipelines.simulation.sending import Sent

_LINE_END = b"\x0b"
_FRAME = b"\x0b%b\x1c\r"
"""MLLP: a file holds many messages, and where one that is cut off ends is to be seen."""
_MOST_OPEN = 200
_MOST_MESSAGES = 5000
_MOST_INTERCHANGES = 50


def write_run(path: Path, chapter: int, arrivals: Iterable[tuple[datetime, Sent]]) -> None:
    """Write what arrives by one feed, given in the order of arrival."""
    with path.open("wb") as stream:
        for place, (at, sent) in enumerate(arrivals):
            body = sent.body.replace(b"\n", _LINE_END)
            stream.write(b"%012d\t%06d\t%08d\t%s\t" % (int(at.timestamp()), chapter, place, sent.suffix.encode()))
            stream.write(body)
            stream.write(b"\n")


def merge_runs(runs: list[Path], folder: Path) -> None:
    """Write the files of a feed, numbered in the order they are to be sent; the runs are used up."""
    wave = count()
    while len(runs) > _MOST_OPEN:
        groups = [runs[start : start + _MOST_OPEN] for start in range(0, len(runs), _MOST_OPEN)]
        runs = [_merged(group, folder.with_name(f".{folder.name}-{next(wave)}")) for group in groups]
    number = 0
    stream = None
    held = 0
    before: tuple[bytes, bytes] = b"", b""
    try:
        for line in _sorted(runs):
            at, _, _, suffix, body = line.split(b"\t", 4)
            if stream is None or _begins_file(before, (at, suffix), held):
                if stream is not None:
                    stream.close()
                number, held = number + 1, 0
                stream = (folder / f"{number:06d}.{suffix.decode()}").open("wb")
            body = body[:-1].replace(_LINE_END, b"\n")
            stream.write(_FRAME % body if suffix == b"hl7" else body)
            before, held = (at, suffix), held + 1
    finally:
        if stream is not None:
            stream.close()
    for path in runs:
        path.unlink()


def _begins_file(before: tuple[bytes, bytes], now: tuple[bytes, bytes], held: int) -> bool:
    """Return whether a sending begins a new file: one night's export of a type is one, others are bound in size."""
    if before[1] != now[1]:
        return True
    if now[1] == b"ndjson":
        return before[0] != now[0]
    return held >= (_MOST_MESSAGES if now[1] == b"hl7" else _MOST_INTERCHANGES)


def _merged(runs: list[Path], target: Path) -> Path:
    with target.open("wb") as stream:
        stream.writelines(_sorted(runs))
    for path in runs:
        path.unlink()
    return target


def _sorted(runs: list[Path]) -> Iterator[bytes]:
    with ExitStack() as stack:
        yield from heapq.merge(*(stack.enter_context(path.open("rb")) for path in runs))
