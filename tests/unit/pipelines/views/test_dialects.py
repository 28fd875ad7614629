"""Dialects: the same view in other words; what Spark makes of them is tested in `tests/spark`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.commands.view import view
from pipelines.dbt_models import project_folder
from pipelines.views.compiler import compile_view
from pipelines.views.definition import read_definition
from pipelines.views.dialects.known import DIALECTS
from pipelines.views.dialects.spark import SPARK
from pipelines.views.tables import envelope_columns, load_views
from pipelines.views.value import ViewRefusedError

ONLY_DUCKDB = re.compile(
    r"struct_extract|struct_pack|list_\w+\(|json_extract|\blen\(|array_to_string|unnest|VARCHAR|TIMESTAMPTZ|\blambda\b"
    r'|strftime|::|\[\]|"'
)


@pytest.fixture
def definition(tmp_path: Path) -> Path:
    columns = [{"name": "id", "path": "getResourceKey()"}, {"name": "family", "path": "name.first().family"}]
    file = tmp_path / "view.json"
    file.write_text(json.dumps({"resource": "Patient", "name": "people", "select": [{"column": columns}]}))
    return file


def test_every_view_we_ship_is_in_sparks_own_words() -> None:
    for each in load_views(project_folder() / "views"):
        compiled = compile_view(each, envelope_columns(each.resource), SPARK)
        assert ONLY_DUCKDB.findall(compiled.sql) == [], each.name
        assert compiled.columns == compile_view(each, envelope_columns(each.resource)).columns


def test_a_text_cannot_leave_its_quotes_in_spark() -> None:
    assert SPARK.text("O'Hara\\'; --") == r"'O\'Hara\\\'; --'"
    with pytest.raises(ViewRefusedError, match="NUL"):
        SPARK.text("a\0")


@pytest.mark.parametrize("name", DIALECTS)
def test_what_no_dialect_can_say_is_refused_by_its_path(name: str) -> None:
    columns = [{"name": "c", "path": "name.conformsTo('x')"}]
    with pytest.raises(ViewRefusedError, match=re.escape("name.conformsTo('x')")):
        compile_view(read_definition({"resource": "Patient", "select": [{"column": columns}]}), (), DIALECTS[name])


def test_the_sql_of_a_view_is_printed_with_what_its_session_needs(definition: Path) -> None:
    printed = CliRunner().invoke(view, [str(definition), "--dialect", "spark"], catch_exceptions=False).output
    assert printed.splitlines()[1:] == [
        "SET spark.sql.session.timeZone = UTC;",
        "SET spark.sql.analyzer.maxIterations = 1000;",
        "SELECT CAST((resource).`id` AS STRING) AS `id`,"
        " CAST((try_element_at((resource).`name`, 1)).`family` AS STRING) AS `family`"
        " FROM (SELECT from_json(body, 'STRUCT<`id`: STRING, `name`: ARRAY<STRUCT<`family`: STRING>>>')"
        " AS resource FROM resources);",
    ]


def test_a_view_is_run_over_files_or_printed(definition: Path) -> None:
    refused = CliRunner().invoke(view, [str(definition)])
    assert refused.exit_code == 2
    assert "--input" in refused.output
