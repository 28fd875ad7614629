"""The dbt project: every model is made, contracts hold, unit tests pass; what changed, made anew, equals all of it."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.dbt_models import _outcome, project_folder, project_models
from pipelines.increment.columns import keep_columns, kept_columns
from pipelines.increment.marts import IN_SCOPE
from pipelines.increment.scope import REPORTED
from pipelines.increment.statements import Statement, keep_statements, make_models
from pipelines.lake.manifest import Manifest
from pipelines.views.tables import create_views, load_views
from pipelines.warehouse import change_marts, change_views, copy_warehouse, make_views
from tests.unit.pipelines.changing import House

MARTS = {
    "account_adjustments",
    "appointments",
    "charges",
    "claim_adjustments",
    "claim_payments",
    "claims",
    "conditions",
    "denials",
    "eligibility_answers",
    "encounters",
    "feed_activity",
    "findings",
    "immunizations",
    "lab_results",
    "medications",
    "no_shows",
    "patient_records",
    "patients",
    "payments",
    "receivables",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    folder = tmp_path_factory.mktemp("dbt")
    project = project_folder()
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        list(create_views(connection, load_views(project / "views"), folder, Manifest()))
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from dbt.cli.main import dbtRunner

        patch.setenv("WHOLECHART_BUILD_FILE", str(folder / "warehouse.duckdb"))
        patch.setenv("WHOLECHART_DBT_TARGET", str(folder / "target"))
        places = ("--project-dir", str(project), "--profiles-dir", str(project), "--log-path", str(folder))
        ran = dbtRunner().invoke(["build", *places, "--quiet", "--log-level", "none", "--log-level-file", "none"])
    return list(getattr(ran.result, "results", []))


def test_everything_is_made_and_everything_holds(results: list[Any]) -> None:
    assert [each.node.name for each in results if str(each.status) not in ("success", "pass")] == []
    made = Counter(str(each.node.resource_type) for each in results)
    assert made["model"] == len(project_models(project_folder()))


def test_every_mart_has_a_grain_a_key_traces_and_a_unit_test(results: list[Any]) -> None:
    marts = {
        each.node.name: each.node
        for each in results
        if each.node.fqn[1:2] == ["marts"] and each.node.resource_type == "model"
    }
    unit_tests = [each.node for each in results if each.node.resource_type == "unit_test"]
    tested = {node.tested_node_unique_id.rsplit(".", 1)[-1] for node in unit_tests}
    checks = {each.node.name for each in results if each.node.resource_type == "test"}
    assert set(marts) == MARTS <= tested
    for name, node in marts.items():
        columns = list(node.columns)
        assert node.description.startswith("One row per"), name
        assert node.contract.enforced, name
        assert (columns[-1], node.columns["traces"].data_type) == ("traces", "varchar[]"), name
        assert {f"is_key_{name}_{columns[0]}", f"has_traces_{name}_traces"} <= checks


def test_it_is_known_of_every_mart_which_rows_change() -> None:
    assert set(IN_SCOPE) == MARTS


def test_marts_ask_of_a_report_what_scope_compares(results: list[Any], tmp_path: Path) -> None:
    House(1).write(tmp_path / "lake")
    make_whole(tmp_path / "lake", tmp_path / "built.duckdb", statements_of(results, tmp_path))
    with duckdb.connect(str(tmp_path / "built.duckdb")) as connection:
        columns = kept_columns(connection, "built")["diagnostic_report"]
    assert {column.name for column in columns if column.is_read} == set(REPORTED.split(", "))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_changed_made_anew_equals_everything_made_anew(seed: int, results: list[Any], tmp_path: Path) -> None:
    statements = statements_of(results, tmp_path)
    house, lake, last = House(seed), tmp_path / "lake", tmp_path / "0.duckdb"
    house.live(150)
    after = house.write(lake).last_seq
    make_whole(lake, last, statements)
    for step, changes in enumerate((6, 15), 1):
        house.live(changes)
        manifest = house.write(lake)
        built = tmp_path / f"{step}.duckdb"
        with copy_warehouse(last, built) as workbench:
            list(change_views(workbench, project_folder(), lake, after))
            change_marts(workbench)
        make_whole(lake, tmp_path / f"whole-{step}.duckdb", statements)
        assert differences(built, tmp_path / f"whole-{step}.duckdb") == {}
        last, after = built, manifest.last_seq


def statements_of(results: list[Any], folder: Path) -> Sequence[Statement]:
    """Return what dbt compiled, but for the unit tests."""
    return _outcome([each for each in results if each.node.resource_type in ("model", "test")], folder).statements


def make_whole(lake: Path, built: Path, statements: Sequence[Statement]) -> None:
    """Make a warehouse of a lake as a whole build does, without starting dbt again."""
    list(make_views(project_folder(), lake, built))
    with duckdb.connect(str(built)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        make_models(connection, statements)
        keep_statements(connection, statements)
        keep_columns(connection, statements)


def differences(one: Path, other: Path) -> dict[str, int]:
    """Return the tables of two warehouses that differ, and in how many rows."""
    found: dict[str, int] = {}
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{one}' AS one (READ_ONLY); ATTACH '{other}' AS other (READ_ONLY)")
        tables = connection.execute(
            "SELECT DISTINCT schema_name || '.' || table_name FROM duckdb_tables()"
            " WHERE schema_name IN ('views', 'marts')"
        ).fetchall()
        assert len(tables) > len(MARTS)
        for (table,) in tables:
            odd = [f"(FROM {a}.{table} EXCEPT ALL FROM {b}.{table})" for a, b in (("one", "other"), ("other", "one"))]
            ((rows,),) = connection.execute(f"SELECT count(*) FROM ({' UNION ALL '.join(odd)})").fetchall()
            if rows:
                found[table] = rows
    return found


def test_there_is_no_python_in_the_project() -> None:
    assert list(Path(project_folder()).rglob("*.py")) == []
