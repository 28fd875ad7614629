"""Replaces the rows of the views that were made of resources which have changed since the last snapshot.

The change log numbers every version, so a resource that changed has its latest version among the new ones, and the old
part of the lake need not be read: only for when a resource that had been deleted was first heard of.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.increment.scope import SEEN_BEFORE, SEEN_WHOLE
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
_KNOWN = "resource_type, resource_id, first_event_at, first_recorded_at"
_LOST = "FROM changed.resource ANTI JOIN known USING (resource_type, resource_id) WHERE first_version > 1"
"""What has been there, and has no rows in the warehouse."""


def find_changes(connection: duckdb.DuckDBPyConnection, lake: Path, manifest: Manifest, after: int) -> int:
    """Make the table `changed.resource` of what has a version numbered above `after`, and return how many there are.

    When something was first heard of is known of its new versions only, until `replace_rows` has looked back.
    """
    files = _newer(manifest.files, after)
    connection.execute("CREATE SCHEMA changed")
    connection.execute(
        f"CREATE TABLE changed.resource AS SELECT {_FIRSTS}, max(seq) AS seq, min(version) AS first_version"  # noqa: S608
        f" FROM ({versions(lake, files)}) WHERE seq > ? GROUP BY resource_type, resource_id",
        [after],
    )
    return int(connection.execute("SELECT count(*) FROM changed.resource").fetchall()[0][0])


def replace_rows(
    connection: duckdb.DuckDBPyConnection, views: list[ViewDefinition], lake: Path, manifest: Manifest, after: int
) -> Iterator[ViewTable]:
    """Put the new rows of each view in the place of the old ones, and yield how many are new.

    The warehouse is attached as `whole`. Where they are asked for, old rows stay in the schema `before` and new ones in
    `after`.
    """
    connection.execute("CREATE SCHEMA before; CREATE SCHEMA after")
    types = connection.execute("SELECT DISTINCT resource_type FROM changed.resource").fetchall()
    changed = [view for view in views if (view.resource,) in types]
    for view in changed:
        _find_old(connection, view)
    _look_back(connection, changed, lake, manifest, after)
    for view in views:
        if view in changed:
            yield _replace(connection, view, lake, manifest, after)
        else:
            _keep_none(connection, view.name)
    _replace_envelopes(connection, lake, manifest)


def _find_old(connection: duckdb.DuckDBPyConnection, view: ViewDefinition) -> None:
    """Find the rows of what changed; of what has only just come there are none."""
    key = envelope_columns(view.resource)[0][1]
    connection.execute(
        f"CREATE TEMP TABLE old_{view.name} AS SELECT rowid AS place, '{view.resource}' AS resource_type,"  # noqa: S608
        f' "{key}" AS resource_id, first_event_at, first_recorded_at FROM whole.views."{view.name}"'
        f' WHERE "{key}" IN (SELECT resource_id FROM changed.resource'
        f" WHERE resource_type = '{view.resource}' AND first_version > 1)"
    )


def _look_back(
    connection: duckdb.DuckDBPyConnection, views: list[ViewDefinition], lake: Path, manifest: Manifest, after: int
) -> None:
    """Complete the firsts of what changed: by its old rows, and by its old versions where it has none (deleted)."""
    if not views:
        return
    rows = " UNION ALL ".join(f"SELECT {_KNOWN} FROM old_{view.name}" for view in views)  # noqa: S608 - names of ours
    connection.execute(f"CREATE TEMP TABLE known AS SELECT DISTINCT * FROM ({rows})")  # noqa: S608
    lost = connection.execute(f"SELECT DISTINCT resource_type {_LOST}").fetchall()
    types = sorted({view.resource for view in views if (view.resource,) in lost})
    if files := [file for name in types for file in manifest.of(name) if file.first_seq <= after]:
        connection.execute(
            f"INSERT INTO known SELECT {_FIRSTS} FROM ({versions(lake, files)}) AS version"  # noqa: S608 - ours
            f" WHERE seq <= ? AND resource_id IN (SELECT resource_id {_LOST}) GROUP BY resource_type, resource_id",
            [after],
        )
    connection.execute(
        "UPDATE changed.resource AS new SET first_event_at = least(new.first_event_at, known.first_event_at),"
        " first_recorded_at = least(new.first_recorded_at, known.first_recorded_at) FROM known"
        " WHERE new.resource_type = known.resource_type AND new.resource_id = known.resource_id"
    )


def _replace(
    connection: duckdb.DuckDBPyConnection, view: ViewDefinition, lake: Path, manifest: Manifest, after: int
) -> ViewTable:
    name, table = view.name, f'whole.views."{view.name}"'
    of_old = f"rowid IN (SELECT place FROM old_{name})"  # noqa: S608 - names of ours
    news = f"SELECT * FROM ({versions(lake, _newer(manifest.of(view.resource), after))}) WHERE seq > {after:d}"  # noqa: S608
    latest = (
        "SELECT seq, first_event_at, first_recorded_at FROM changed.resource"  # noqa: S608 - names of ours
        f" WHERE resource_type = '{view.resource}'"
    )
    query = compile_view(view, envelope_columns(view.resource)).over(current(news, latest))
    if name in SEEN_BEFORE:
        connection.execute(f'CREATE TABLE before."{name}" AS SELECT {SEEN_BEFORE[name]} FROM {table} WHERE {of_old}')  # noqa: S608
    if name not in SEEN_WHOLE:
        connection.execute(f'CREATE TABLE after."{name}" AS {query}')
        query = f'FROM after."{name}"'
    if connection.execute(f"FROM old_{name} LIMIT 1").fetchall():
        connection.execute(f"DELETE FROM {table} WHERE {of_old}")  # noqa: S608 - names of ours
    return ViewTable(name, int(connection.execute(f"INSERT INTO {table} {query}").fetchall()[0][0]))


def _keep_none(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Say of a view that none of its rows has changed."""
    columns = {"before": SEEN_BEFORE.get(name), "after": None if name in SEEN_WHOLE else "*"}
    for place, asked in columns.items():
        if asked:
            connection.execute(f'CREATE TABLE {place}."{name}" AS SELECT {asked} FROM whole.views."{name}" LIMIT 0')  # noqa: S608


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
