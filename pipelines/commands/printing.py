"""How the verbs print rows: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click


def print_table(
    names: Sequence[str], rows: Iterable[Sequence[Any]], *, as_json: bool, right: Sequence[int] = ()
) -> None:
    """Print rows under their names, or as a JSON array of objects; the columns numbered by `right` end in one line."""
    if as_json:
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str))
        return
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(names)]
    for line in ([*names], ["-" * width for width in widths], *cells):
        texts = (
            text.rjust(width) if i in right else text.ljust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        click.echo("  ".join(texts).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)
