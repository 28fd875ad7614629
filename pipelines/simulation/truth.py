"""The truth, as CSV files beside the feeds: who is who, what happened, what it cost, what was done wrong on purpose."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import TextIO, TypeAlias

Value: TypeAlias = str | int | date | Decimal
"""What a column holds; nothing is an empty text."""
Row: TypeAlias = Mapping[str, Value]


class _File:
    """The file of one kind of fact."""

    def __init__(self, stream: TextIO, columns: list[str]) -> None:
        """Write to `stream`, the header first; there are several columns."""
        self._stream = stream
        self._values = itemgetter(*columns)
        self._commas = len(columns) - 1
        self._plain = ",".join(["%s"] * len(columns)) + "\n"
        stream.write(_quoted([columns]))

    def write(self, rows: Iterable[Row]) -> None:
        """Add rows; most need no quotes, and to look for what does at every letter takes as long as all the rest."""
        plain, values = self._plain, list(map(self._values, rows))
        text = "".join([plain % each for each in values])
        has_only_ours = text.count(",") == self._commas * len(values) and text.count("\n") == len(values)
        self._stream.write(text if has_only_ours and '"' not in text else _quoted(values))


def _quoted(rows: Iterable[Iterable[Value]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


class TruthFiles:
    """The files of truth below a folder, one a kind of fact, each with a header; rows are added chapter by chapter."""

    def __init__(self, folder: Path) -> None:
        """Write below `folder`, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._stack = ExitStack()
        self._files: dict[str, _File] = {}

    def add(self, kind: str, rows: Iterable[Row]) -> None:
        """Add rows to `<kind>.csv`; every row of a kind has the same columns."""
        rest = iter(rows)
        first = next(rest, None)
        if first is not None:
            file = self._files.get(kind) or self._open(kind, list(first))
            file.write(chain((first,), rest))

    def __enter__(self) -> TruthFiles:
        """Keep the files open until the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open(self, kind: str, columns: list[str]) -> _File:
        path = self._folder / f"{kind}.csv"
        stream = self._stack.enter_context(path.open("w", newline="", encoding="utf-8"))
        file = self._files[kind] = _File(stream, columns)
        return file
