"""The truth, as CSV files beside the feeds: who is who, what happened, what it cost, what was done wrong on purpose."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO


class TruthFiles:
    """The files of truth below a folder, one a kind of fact, each with a header; rows are added chapter by chapter."""

    def __init__(self, folder: Path) -> None:
        """Write below `folder`, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._stack = ExitStack()
        self._files: dict[str, tuple[TextIO, csv.DictWriter[str]]] = {}

    def add(self, kind: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Add rows to `<kind>.csv`; every row of a kind has the same columns."""
        for row in rows:
            if kind not in self._files:
                self._open(kind, list(row))
            self._files[kind][1].writerow(row)

    def __enter__(self) -> TruthFiles:
        """Keep the files open until the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open(self, kind: str, columns: list[str]) -> None:
        path = self._folder / f"{kind}.csv"
        stream = self._stack.enter_context(path.open("w", newline="", encoding="utf-8"))
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        self._files[kind] = (stream, writer)
