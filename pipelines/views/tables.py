"""Makes a table of each ViewDefinition from the current resources of the lake."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hub_core.fhir.canonical import load_object
from hub_core.quoting import literal
from pipelines.lake.envelopes import ENVELOPES, Envelope
from pipelines.lake.manifest import LakeFile, Manifest
from pipelines.views.compiler import CompiledView, compile_view
from pipelines.views.definition import ViewDefinition, read_definition

if TYPE_CHECKING:
    import duckdb

LAKE_COLUMNS = {
    "seq": "BIGINT",
    "resource_type": "VARCHAR",
    "resource_id": "VARCHAR",
    "version": "INTEGER",
    "source": "VARCHAR",
    "location": "VARCHAR",
    "patient_id": "VARCHAR",
    "event_at": "TIMESTAMPTZ",
    "first_event_at": "TIMESTAMPTZ",
    "authority": "SMALLINT",
    "recorded_at": "TIMESTAMPTZ",
    "message_id": "VARCHAR",
    "position": "INTEGER",
    "deleted": "BOOLEAN",
    "body": "VARCHAR",
}
"""What views may ask of a resource, whether the lake has files of its type or not, and however old they are."""


@dataclass(frozen=True, slots=True)
class ViewTable:
    """A table made of a view."""

    name: str
    rows: int


def load_views(folder: Path) -> list[ViewDefinition]:
    """Return the views of a folder by name.

    Raises:
        ViewRefusedError: if one of them is not a ViewDefinition.
    """
    return [read_definition(load_object(path.read_bytes())) for path in sorted(folder.glob("*.ViewDefinition.json"))]


def create_views(
    connection: duckdb.DuckDBPyConnection,
    views: list[ViewDefinition],
    lake: Path,
    manifest: Manifest,
    on_progress: Callable[[str], object] = lambda _: None,
) -> Iterator[ViewTable]:
    """Create the schema `views` with a table of each view and of each table of envelopes, yielding each.

    Raises:
        ViewRefusedError: if a view cannot be compiled; nothing is created then.
    """
    compiled = [compile_view(view, envelope_columns(view.resource)) for view in views]
    connection.execute("CREATE SCHEMA IF NOT EXISTS views")
    for view in compiled:
        on_progress(view.name)
        yield _create(connection, view.name, view.over(_of_all(view, lake, manifest)))
    for envelope in ENVELOPES:
        yield _create(connection, envelope.table, envelopes(connection, envelope, lake, manifest))


def envelope_columns(resource: str) -> list[tuple[str, str]]:
    """Return the columns each row of a view carries besides its own: (column of the lake, name in the view)."""
    key = "_".join(part.lower() for part in re.findall("[A-Z][a-z0-9]*", resource)) + "_id"
    columns = [("resource_id", key)] if resource == "Patient" else [("resource_id", key), ("patient_id", "patient_id")]
    return [
        *columns,
        ("version", "version"),
        ("source", "source"),
        ("location", "location"),
        ("message_id", "message_id"),
        ("position", "message_position"),
        ("event_at", "event_at"),
        ("authority", "authority"),
        ("recorded_at", "recorded_at"),
        ("first_event_at", "first_event_at"),
        ("first_recorded_at", "first_recorded_at"),
    ]


def versions(lake: Path, files: Sequence[LakeFile]) -> str:
    """Return a query for every version in files of one resource type.

    Of columns that came later than a file, its rows have none.
    """
    none = "SELECT " + ", ".join(f'NULL::{type_} AS "{name}"' for name, type_ in LAKE_COLUMNS.items()) + " WHERE false"
    return f"{none} UNION ALL BY NAME SELECT * FROM {parquet(lake, files)}" if files else none  # noqa: S608


def current(known: str, latest: str) -> str:
    """Return a query in brackets for what views are made of: the latest version of each resource that is not deleted.

    Args:
        known: a query for versions, the latest ones among them.
        latest: a query for the latest `seq` of each, with `first_event_at` and `first_recorded_at` of all versions.
    """
    known = f"SELECT * EXCLUDE (first_event_at) FROM ({known})"  # noqa: S608 - own file names
    return f"(SELECT * FROM ({known}) JOIN ({latest}) USING (seq) WHERE NOT deleted)"  # noqa: S608


def envelopes(connection: duckdb.DuckDBPyConnection, envelope: Envelope, lake: Path, manifest: Manifest) -> str:
    """Return a query for a table of envelopes, empty before its first file."""
    if files := manifest.of(envelope.table):
        return f"SELECT * FROM {parquet(lake, files)}"  # noqa: S608 - our own file names
    connection.register("no_rows", envelope.schema.empty_table())
    return "SELECT * FROM no_rows"


def parquet(lake: Path, files: Sequence[LakeFile]) -> str:
    """Return SQL of files of the lake as one relation."""
    return f"read_parquet([{', '.join(literal(str(lake / file.path)) for file in files)}], union_by_name => true)"


def _create(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> ViewTable:
    made = connection.execute(f'CREATE TABLE views."{name}" AS {query}').fetchall()
    return ViewTable(name, int(made[0][0]))


def _of_all(view: CompiledView, lake: Path, manifest: Manifest) -> str:
    known = versions(lake, manifest.of(view.resource))
    latest = (
        "SELECT max(seq) AS seq, min(coalesce(first_event_at, event_at)) AS first_event_at,"  # noqa: S608
        f" min(recorded_at) AS first_recorded_at FROM ({known}) GROUP BY resource_id"
    )
    return current(known, latest)
