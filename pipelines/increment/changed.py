"""Replaces the rows of the views that were made of resources which have changed since the last snapshot.

The change log numbers every version, so a resource that changed has its latest version among the new ones, and the old
part of the lake need not be read: only for when a resource that was known before was first heard of.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.lake.envelopes import ENVELOPES
from pipelines.lake.manifest import LakeFile, Manifest
from pipelines.views.compiler import compile_view
from pipelines.views.definition import ViewDefinition
from pipelines.views.tables import ViewTable, current, envelope_columns, envelopes, versions

if TYPE_CHECKING:
    import duckdb

_FIRSTS = (
    "resource_type, resource_id, min(coalesce(first_event_at, event_at)) AS first_event_at,"
    " min(recorded_at) AS first_recorded_at"
)


def find_changes(connection: duckdb.DuckDBPyConnection, lake: Path, manifest: Manifest, after: int) -> int:
    """Make the table `changed.resource` of what has a version numbered above `after`, and return how many there are."""
    files = _newer(manifest.files, after)
    connection.execute("CREATE SCHEMA changed")
    connection.execute(
        f"CREATE TABLE changed.resource AS SELECT {_FIRSTS}, max(seq) AS seq, min(version) AS first_version"  # noqa: S608
        f" FROM ({versions(lake, files)}) WHERE seq > ? GROUP BY resource_type, resource_id",
        [after],
    )
    _look_back(connection, lake, manifest, after)
    return int(connection.execute("SELECT count(*) FROM changed.resource").fetchall()[0][0])


def _look_back(connection: duckdb.DuckDBPyConnection, lake: Path, manifest: Manifest, after: int) -> None:
    """Complete the firsts of what changed by the versions that were there before."""
    types = connection.execute("SELECT DISTINCT resource_type FROM changed.resource WHERE first_version > 1").fetchall()
    files = [file for (name,) in types for file in manifest.of(name) if file.first_seq <= after]
    if files:
        connection.execute(
            "UPDATE changed.resource AS new SET first_event_at = least(new.first_event_at, old.first_event_at),"  # noqa: S608
            " first_recorded_at = least(new.first_recorded_at, old.first_recorded_at)"
            f" FROM (SELECT {_FIRSTS} FROM ({versions(lake, files)}) AS known WHERE seq <= ? AND resource_id IN"
            " (SELECT resource_id FROM changed.resource WHERE first_version > 1) GROUP BY resource_type, resource_id)"
            " AS old WHERE new.resource_type = old.resource_type AND new.resource_id = old.resource_id",
            [after],
        )


def replace_rows(
    connection: duckdb.DuckDBPyConnection, views: list[ViewDefinition], lake: Path, manifest: Manifest, after: int
) -> Iterator[ViewTable]:
    """Put the new rows of each view in the place of the old ones, keep both, and yield how many are new.

    The warehouse is attached as `whole`; the old rows stay in the schema `before` and the new ones in `after`.
    """
    connection.execute("CREATE SCHEMA before; CREATE SCHEMA after")
    rows = connection.execute("SELECT DISTINCT resource_type FROM changed.resource").fetchall()
    types = {name for (name,) in rows}
    for view in views:
        if view.resource in types:
            yield _replace(connection, view, lake, manifest, after)
        else:
            for place in ("before", "after"):
                connection.execute(f'CREATE TABLE {place}."{view.name}" AS FROM whole.views."{view.name}" LIMIT 0')
    _replace_envelopes(connection, lake, manifest)


def _replace(
    connection: duckdb.DuckDBPyConnection, view: ViewDefinition, lake: Path, manifest: Manifest, after: int
) -> ViewTable:
    name, columns = view.name, envelope_columns(view.resource)
    of_type = f"FROM changed.resource WHERE resource_type = '{view.resource}'"
    news = f"SELECT * FROM ({versions(lake, _newer(manifest.of(view.resource), after))}) WHERE seq > {after:d}"  # noqa: S608
    latest = f"SELECT seq, first_event_at, first_recorded_at {of_type}"
    query = compile_view(view, columns).over(current(news, latest))
    of_old = "rowid IN (FROM old)"
    connection.execute(
        f'CREATE OR REPLACE TEMP TABLE old AS SELECT rowid FROM whole.views."{name}"'  # noqa: S608 - names of ours
        f' WHERE "{columns[0][1]}" IN (SELECT resource_id {of_type})'
    )
    old = connection.execute(f'CREATE TABLE before."{name}" AS FROM whole.views."{name}" WHERE {of_old}').fetchall()
    new = connection.execute(f'CREATE TABLE after."{name}" AS {query}').fetchall()
    if old[0][0]:
        connection.execute(f'DELETE FROM whole.views."{name}" WHERE {of_old}')  # noqa: S608 - names of ours
    connection.execute(f'INSERT INTO whole.views."{name}" FROM after."{name}"')
    return ViewTable(name, int(new[0][0]))


def _replace_envelopes(connection: duckdb.DuckDBPyConnection, lake: Path, manifest: Manifest) -> None:
    """Make the tables of envelopes anew, and keep what is different in the crosswalk."""
    for envelope in ENVELOPES:
        query, table = envelopes(connection, envelope, lake, manifest), f"whole.views.{envelope.table}"
        if envelope.table == "crosswalk":
            connection.execute(f"CREATE TABLE before.crosswalk AS FROM {table} EXCEPT ({query})")
            connection.execute(f"CREATE TABLE after.crosswalk AS {query} EXCEPT FROM {table}")
        connection.execute(f"CREATE OR REPLACE TABLE {table} AS {query}")


def _newer(files: tuple[LakeFile, ...], after: int) -> tuple[LakeFile, ...]:
    return tuple(file for file in files if file.last_seq > after)
