"""`wholechart sql`: ask the published warehouse a question, read-only."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from pipelines.commands.options import data_dir

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters a spreadsheet takes for a formula."""


@click.command(epilog='Example: wholechart sql "SELECT status, count(*) FROM marts.appointments GROUP BY 1"')
@click.argument("query")
@click.option(
    "--format",
    "output",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    default="table",
    show_default=True,
    help="parquet is written to standard output, for a file: > answer.parquet",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@data_dir
def sql(query: str, output: str, as_json: bool, folder: Path | None) -> None:
    """Ask the published warehouse a question, read-only."""
    import duckdb

    from hub_core.errors import UnreadableError
    from hub_core.snapshot import open_current
    from pipelines.commands.printing import print_table
    from pipelines.installation import settings_for

    with open_current(settings_for(folder)) as warehouse:
        try:
            if output == "parquet":
                _write_parquet(warehouse.sql(query))
                return
            answer = warehouse.execute(query)
            names = [column[0] for column in answer.description]
            rows = answer.fetchall()
        except duckdb.Error as error:
            raise UnreadableError(_first_line(error)) from error
    if output == "csv":
        click.echo(_csv(names, rows), nl=False)
    else:
        print_table(names, rows, as_json=as_json or output == "json")


def _write_parquet(answer: Any) -> None:
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


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
