"""The dbt project over an empty lake: every model is made, every contract holds, the unit tests of the marts pass."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.dbt_models import project_folder, project_models
from pipelines.lake.manifest import Manifest
from pipelines.views.tables import create_views, load_views

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


def test_there_is_no_python_in_the_project() -> None:
    assert list(Path(project_folder()).rglob("*.py")) == []
