"""Spark gives what DuckDB gives: every view, every staging model, and the cases of the SQL-on-FHIR suite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest

from hub_core.fhir.canonical import dumps
from pipelines import dbt_models
from pipelines.dbt_models import project_folder, project_models
from pipelines.lake.envelopes import ENVELOPES
from pipelines.views.compiler import compile_view
from pipelines.views.definition import read_definition
from pipelines.views.dialects.spark import SPARK
from pipelines.views.spark_tables import create_spark_views
from pipelines.views.tables import create_views, load_views
from pipelines.views.value import ViewRefusedError
from tests.conformance.test_sql_on_fhir import Case, cases, rows
from tests.simulated import simulated_group
from tests.spark.lake import write_lake

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

PEOPLE, SEED = 50, 11
VIEWS = load_views(project_folder() / "views")
STAGING = [model.name for model in project_models(project_folder()) if model.layer == "staging"]


@dataclass(frozen=True)
class Warehouses:
    """The same tables by two engines: each gives a table by its schema and name."""

    duckdb: Callable[[str], pa.Table]
    spark: Callable[[str], pa.Table]


@pytest.fixture(scope="module")
def built(spark: SparkSession, corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouses:
    folder = tmp_path_factory.mktemp("built")
    group = simulated_group(folder / "simulation", people=PEOPLE, seed=SEED)
    manifest = write_lake(folder / "lake", group, corpora)
    file = folder / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        list(create_views(connection, VIEWS, folder / "lake", manifest))
    list(create_spark_views(spark, VIEWS, folder / "lake", manifest))
    for target in ("build", "spark"):
        run_staging(target, file, folder)
    return Warehouses(lambda name: read(file, name), lambda name: spark.table(name).toArrow())


def run_staging(target: str, file: Path, folder: Path) -> None:
    from dbt.cli.main import dbtRunner

    project = str(project_folder())
    places = ("--project-dir", project, "--profiles-dir", project, "--log-path", str(folder), "--target", target)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WHOLECHART_BUILD_FILE", str(file))
        patch.setenv("WHOLECHART_DBT_TARGET", str(folder / target))
        ran = dbtRunner().invoke(["run", "--select", "staging", *places, "--quiet", "--log-level", "none"])
    dbt_models._let_go()  # of DuckDB's file
    failed = [(each.node.name, each.message) for each in getattr(ran.result, "results", []) if each.status != "success"]
    assert (ran.success, failed) == (True, []), ran.exception


def read(file: Path, name: str) -> pa.Table:
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.sql(f"SELECT * FROM {name}").to_arrow_table()


def told(table: pa.Table) -> tuple[list[str], Counter[Any]]:
    """Return the names of the columns, and how often each row is there."""
    columns = [list(map(plain, column.to_pylist())) for column in table.columns]
    return table.column_names, Counter(zip(*columns, strict=True))


def plain(value: Any) -> Any:
    return tuple(map(plain, value)) if isinstance(value, list) else value


def compared(built: Warehouses, names: list[str]) -> dict[str, int]:
    """Return how many rows each table has, all of them alike by both engines."""
    found = {}
    for name in names:
        ours, theirs = told(built.duckdb(name)), told(built.spark(name))
        assert theirs[0] == ours[0], name
        assert (list(theirs[1] - ours[1])[:2], list(ours[1] - theirs[1])[:2]) == ([], []), name
        found[name] = ours[1].total()
    return found


def test_spark_makes_the_rows_of_every_view(built: Warehouses) -> None:
    made = [view.name for view in VIEWS] + [envelope.table for envelope in ENVELOPES]
    counts = compared(built, [f"views.{name}" for name in made])
    assert [name for name, count in counts.items() if not count] == []
    assert sum(counts.values()) > 5000


def test_spark_makes_the_rows_of_every_staging_model(built: Warehouses) -> None:
    counts = compared(built, [f"staging.{name}" for name in STAGING])
    assert len(counts) > len(ENVELOPES)
    assert [name for name, count in counts.items() if not count] == []


def test_spark_passes_the_sql_on_fhir_suite(spark: SparkSession, corpora: Path) -> None:
    verdicts = {case.name: passes(spark, case) for case in cases(corpora)}
    assert len(verdicts) == 144
    assert [name for name, passed in verdicts.items() if not passed] == []


def passes(spark: SparkSession, case: Case) -> bool:
    from pyspark.errors import PySparkException

    if case.test.get("expectError", False):
        with pytest.raises((ViewRefusedError, PySparkException)):
            run(spark, case)
        return True
    found = run(spark, case)
    names = case.test.get("expectColumns")
    return (not names or list(found.column_names) == names) and rows(numbers(found)) == rows(case.test["expect"])


def run(spark: SparkSession, case: Case) -> pa.Table:
    compiled = compile_view(read_definition(case.test["view"]), dialect=SPARK)
    bodies = [dumps(each).decode() for each in case.resources if each["resourceType"] == compiled.resource]
    lake = pa.table({"body": pa.array(bodies, pa.string())})
    spark.createDataFrame(lake).createOrReplaceTempView("suite")
    return spark.sql(compiled.over("suite")).toArrow()


def numbers(found: pa.Table) -> list[dict[str, Any]]:
    return [
        {key: float(value) if isinstance(value, Decimal) else value for key, value in row.items()}
        for row in found.to_pylist()
    ]
