"""`wholechart view`: run one SQL-on-FHIR view over NDJSON files, without a database, or print its SQL."""

from __future__ import annotations

from pathlib import Path

import click

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(epilog="Example: wholechart view patient.ViewDefinition.json --input Patient.ndjson.gz --format csv")
@click.argument("definition", metavar="VIEWDEFINITION", type=_FILE)
@click.option(
    "--input",
    "inputs",
    type=_FILE,
    multiple=True,
    help="NDJSON, plain or .gz; may be repeated.",
)
@click.option(
    "--format",
    "output",
    type=click.Choice(["csv", "json", "parquet", "table"]),
    default="csv",
    show_default=True,
    help="parquet is written to standard output, for a file: > rows.parquet",
)
@click.option(
    "--dialect",
    type=click.Choice(["duckdb", "spark"]),
    help="Print the view's SQL for this engine, over a relation `resources` with the JSON of each resource as `body`,"
    " and run nothing.",
)
def view(definition: Path, inputs: tuple[Path, ...], output: str, dialect: str | None) -> None:
    """Run one SQL-on-FHIR view over files of FHIR resources, one resource a line.

    Resources of other types than the view's are passed over. A view that says something which cannot be compiled is
    refused, naming the column and the path.
    """
    import duckdb

    from hub_core.errors import UnreadableError
    from hub_core.fhir.canonical import load_object
    from pipelines.commands.answers import write_answer
    from pipelines.views.compiler import compile_view
    from pipelines.views.definition import read_definition
    from pipelines.views.dialects.known import DIALECTS
    from pipelines.views.files import open_resources, told

    known = DIALECTS[dialect or "duckdb"]
    compiled = compile_view(read_definition(load_object(definition.read_bytes())), dialect=known)
    if dialect is not None:
        click.echo(";\n".join((*known.session, compiled.over("resources"))) + ";")
        return
    if not inputs:
        raise click.UsageError("--input names the files to run the view over")
    with open_resources(inputs, compiled.resource) as (connection, source):
        try:
            write_answer(connection.sql(compiled.over(source)), output)
        except duckdb.Error as error:
            raise UnreadableError(told(error)) from error
