"""What the hub answered to everything that northgate's people did, written down at once: so that nothing is done twice.

A practice knows its patients by the numbers the hub gave them; the truth about northgate is completed from here.
"""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer of the hub."""

    key: str
    """Of the intention."""
    subject: str
    """What the script calls the thing it was about: a record, a booking, a coverage, a merge."""
    status: int
    """HTTP status."""
    answer_id: str = ""
    """What the hub calls it."""
    number: str = ""
    """The record number of somebody who was registered."""


class Ledger:
    """The answers so far; several threads may add to it."""

    def __init__(self, heard: list[Heard], stream: TextIO) -> None:
        """Go on behind what was heard before."""
        self._stream = stream
        self._lock = threading.Lock()
        self._done = {each.key for each in heard}
        self._ids = {each.subject: each.answer_id for each in heard if each.answer_id}

    def is_done(self, key: str) -> bool:
        """Return whether an intention was answered before."""
        return key in self._done

    def id_of(self, subject: str) -> str:
        """Return what the hub calls a thing of the script."""
        return self._ids[subject]

    def add(self, heard: Heard) -> None:
        """Write an answer down."""
        with self._lock:
            if heard.answer_id:
                self._ids.setdefault(heard.subject, heard.answer_id)
            csv.writer(self._stream, lineterminator="\n").writerow(astuple(heard))
            self._stream.flush()


@contextmanager
def ledger(path: Path) -> Iterator[Ledger]:
    """Give the ledger kept in a file, which is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = heard(path)
    with path.open("a", newline="", encoding="utf-8") as stream:
        if stream.tell() == 0:
            csv.writer(stream, lineterminator="\n").writerow([each.name for each in fields(Heard)])
        yield Ledger(before, stream)


def heard(path: Path) -> list[Heard]:
    """Return what a ledger holds; nothing when there is none."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        rows = csv.reader(stream)
        next(rows)
        return [Heard(key, subject, int(status), *rest) for key, subject, status, *rest in rows]
