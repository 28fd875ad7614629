"""The truth, as CSV files beside the feeds: who is who, what happened, what it cost, what was done wrong on purpose."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple


class _File(NamedTuple):
    """How the rows of one kind are written."""

    write: Callable[[Iterable[Iterable[object]]], object]
    values: Callable[[Mapping[str, object]], tuple[object, ...]]
    """The values of a row in the order of the columns, of which there are several."""


class TruthFiles:
    """The files of truth below a folder, one a kind of fact, each with a header; rows are added chapter by chapter."""

    def __init__(self, folder: Path) -> None:
        """Write below `folder`, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._stack = ExitStack()
        self._files: dict[str, _File] = {}

    def add(self, kind: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Add rows to `<kind>.csv`; every row of a kind has the same columns."""
        rest = iter(rows)
        first = next(rest, None)
        if first is not None:
            file = self._files.get(kind) or self._open(kind, list(first))
            file.write(map(file.values, chain((first,), rest)))

    def __enter__(self) -> TruthFiles:
        """Keep the files open until the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open(self, kind: str, columns: list[str]) -> _File:
        path = self._folder / f"{kind}.csv"
        stream = self._stack.enter_context(path.open("w", newline="", encoding="utf-8"))
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        file = self._files[kind] = _File(writer.writerows, itemgetter(*columns))
        return file
