"""How the verbs that ask DuckDB write what it answers: a table for people, CSV, JSON or Parquet for programs."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import duckdb

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters a spreadsheet takes for a formula."""


def write_answer(answer: duckdb.DuckDBPyRelation, output: str) -> None:
    """Write the rows of a relation to standard output as `table`, `csv`, `json` or `parquet`."""
    from pipelines.commands.printing import print_table

    if output == "parquet":
        _write_parquet(answer)
    elif output == "csv":
        click.echo(_csv(answer.columns, answer.fetchall()), nl=False)
    else:
        print_table(answer.columns, answer.fetchall(), as_json=output == "json")


def first_line(error: Exception) -> str:
    """Return the line of an engine's error that says what is wrong, without the query it quotes."""
    return str(error).strip().split("\n")[0]


def _write_parquet(answer: duckdb.DuckDBPyRelation) -> None:
    from pyarrow import BufferOutputStream, parquet

    if sys.stdout.isatty():
        raise click.UsageError("parquet is not for a terminal; redirect it: > answer.parquet")
    buffer = BufferOutputStream()
    parquet.write_table(answer.to_arrow_table(), buffer)
    click.echo(buffer.getvalue().to_pybytes(), nl=False)


def _csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([[_harmless(value) for value in row] for row in rows])
    return text.getvalue()


def _harmless(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula (OWASP CSV injection: lead with an apostrophe)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
