"""`wholechart sql`: ask the published warehouse a question, read-only."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.commands.options import data_dir


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
    from pipelines.commands.answers import first_line, write_answer
    from pipelines.installation import settings_for

    with open_current(settings_for(folder)) as warehouse:
        try:
            write_answer(warehouse.sql(query), "json" if as_json else output)
        except duckdb.Error as error:
            raise UnreadableError(first_line(error)) from error
