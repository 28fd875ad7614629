"""Tables of views: the current version of what is not deleted, with where it came from; and every view we ship."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from hub_core.fhir.registry import RESOURCE_TYPES
from pipelines.dbt_models import project_folder
from pipelines.lake.manifest import Manifest
from pipelines.views.compiler import compile_view
from pipelines.views.definition import ViewDefinition, read_definition
from pipelines.views.tables import create_views, envelope_columns, load_views
from tests.unit.pipelines.changes import Log, change, identity

PEOPLE = read_definition(
    {"name": "people", "resource": "Patient", "select": [{"column": [{"name": "gender", "path": "gender"}]}]}
)
SHIPPED = load_views(project_folder() / "views")


def patient(name: str, gender: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, "gender": gender}


def table(lake: Path, manifest: Manifest, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        list(create_views(connection, [PEOPLE], lake, manifest))
        return connection.execute(query).fetchall()


def test_only_the_current_version_of_what_is_not_deleted_is_there(tmp_path: Path) -> None:
    first = [change(1, patient("a", "male")), change(2, patient("b", "male")), change(3, patient("c", "other"))]
    later = [
        change(4, patient("a", "female"), version=2),
        change(5, patient("b", "male"), version=2, deleted=True),
        change(6, patient("c", "other"), version=2, deleted=True),
        change(7, patient("c", "male"), version=3),
    ]
    Log(first).append_to(tmp_path)
    manifest = Log(first + later).append_to(tmp_path)
    found = table(tmp_path, manifest, "SELECT patient_id, gender, version FROM views.people ORDER BY version")
    assert found == [(str(identity("a")), "female", 2), (str(identity("c")), "male", 3)]


def test_each_row_says_where_it_came_from(tmp_path: Path) -> None:
    message = identity("message")
    manifest = Log([change(1, patient("a", "male"), message_id=message, position=7)]).append_to(tmp_path)
    query = "SELECT source, location, message_id, message_position FROM views.people"
    assert table(tmp_path, manifest, query) == [("ehr", "main", str(message), 7)]


def test_each_row_says_when_the_resource_was_first_spoken_of(tmp_path: Path) -> None:
    days = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3)]
    versions = [
        change(1, patient("a", "male"), event_at=days[1], recorded_at=days[1]),
        change(2, patient("a", "female"), version=2, event_at=days[0], recorded_at=days[2]),
    ]
    manifest = Log(versions).append_to(tmp_path)
    query = "SELECT gender, event_at, first_event_at, recorded_at, first_recorded_at FROM views.people"
    assert table(tmp_path, manifest, query) == [("female", days[0], days[0], days[2], days[1])]


def test_files_written_before_a_column_was_there_have_none_of_it(tmp_path: Path) -> None:
    manifest = Log([change(1, patient("a", "male"))]).append_to(tmp_path)
    path = tmp_path / manifest.files[0].path
    pq.write_table(pq.read_table(path).drop_columns(["authority"]), path)
    assert table(tmp_path, manifest, "SELECT gender, authority FROM views.people") == [("male", None)]
    manifest = Log([change(2, patient("b", "male"))]).append_to(tmp_path)
    assert table(tmp_path, manifest, "SELECT authority FROM views.people ORDER BY 1") == [(2,), (None,)]


def test_a_lake_without_a_file_gives_empty_tables(tmp_path: Path) -> None:
    assert table(tmp_path, Manifest(), "SELECT * FROM views.people") == []
    assert table(tmp_path, Manifest(), "SELECT received_at FROM views.messages") == []


def test_every_type_that_is_about_a_patient_or_has_a_date_has_a_view() -> None:
    known = {each.name for each in RESOURCE_TYPES.values() if each.patient or each.dates}
    assert known - {view.resource for view in SHIPPED} == set()


@pytest.mark.parametrize("view", SHIPPED, ids=lambda view: view.name)
def test_every_view_we_ship_compiles(view: ViewDefinition) -> None:
    compiled = compile_view(view, envelope_columns(view.resource))
    assert {"source", "location", "patient_id", "message_id", "message_position", "recorded_at"} <= set(
        compiled.columns
    )
