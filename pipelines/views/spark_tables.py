"""Makes the tables of the views on Spark from the files of a lake: the same tables as `pipelines.views.tables` makes.

For lakes that have outgrown one machine: copy the lake to where the cluster reads it, make the tables with a session
of that cluster, then run the staging models there with `dbt run --target spark --select staging`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.lake.envelopes import ENVELOPES
from pipelines.lake.manifest import Manifest
from pipelines.views.compiler import CompiledView, compile_view
from pipelines.views.definition import ViewDefinition
from pipelines.views.dialects.spark import SPARK
from pipelines.views.tables import LAKE_COLUMNS, envelope_columns

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TYPES = {"VARCHAR": "STRING", "TIMESTAMPTZ": "TIMESTAMP"}
_ARROW_TYPES = {"string": "STRING", "int32": "INTEGER", "int64": "BIGINT", "timestamp[us, tz=UTC]": "TIMESTAMP"}
_VERSIONS = "lake_versions"


def create_spark_views(
    session: SparkSession, views: list[ViewDefinition], lake: Path, manifest: Manifest
) -> Iterator[str]:
    """Create the schema `views` with a table of each view and of each table of envelopes, yielding the name of each.

    Args:
        session: a session whose time zone is UTC.
        views: what to make tables of.
        lake: the folder of the lake, as the session reads it.
        manifest: what the lake consists of.

    Raises:
        ViewRefusedError: if a view cannot be compiled; nothing is created then.
    """
    compiled = [compile_view(view, envelope_columns(view.resource), SPARK) for view in views]
    session.sql("CREATE SCHEMA IF NOT EXISTS views")
    for view in compiled:
        _files(session, LAKE_COLUMNS, lake, manifest, view.resource).createOrReplaceTempView(_VERSIONS)
        yield _create(session, view.name, view.over(_current(view)))
    for envelope in ENVELOPES:
        columns = {field.name: _ARROW_TYPES[str(field.type)] for field in envelope.schema}
        _files(session, columns, lake, manifest, envelope.table).createOrReplaceTempView(_VERSIONS)
        yield _create(session, envelope.table, f"SELECT * FROM {_VERSIONS}")  # noqa: S608 - a name of ours


def _create(session: SparkSession, name: str, query: str) -> str:
    session.sql(f"CREATE TABLE views.`{name}` USING parquet AS {query}")
    return name


def _files(session: SparkSession, columns: dict[str, str], lake: Path, manifest: Manifest, table: str) -> DataFrame:
    """Return the rows of a table of the lake; of columns that came later than a file, its rows have none."""
    schema = ", ".join(f"`{name}` {_TYPES.get(type_, type_)}" for name, type_ in columns.items())
    if files := manifest.of(table):
        return session.read.schema(schema).parquet(*(str(lake / file.path) for file in files))
    return session.createDataFrame([], schema)


def _current(view: CompiledView) -> str:
    """Return a query in brackets for the latest version of each resource that is not deleted."""
    taken = ", ".join(f"`{name}`" for name in LAKE_COLUMNS if name not in ("seq", "first_event_at"))
    latest = (
        "SELECT max(seq) AS seq, min(coalesce(first_event_at, event_at)) AS first_event_at,"  # noqa: S608 - our names
        f" min(recorded_at) AS first_recorded_at FROM {_VERSIONS} GROUP BY resource_id"
    )
    known = f"SELECT seq, {taken} FROM {_VERSIONS}"  # noqa: S608 - our names
    return f"(SELECT * FROM ({known}) JOIN ({latest}) USING (seq) WHERE NOT deleted)"  # noqa: S608 - our names
