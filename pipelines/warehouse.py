"""Makes a warehouse file from a lake: whole, or from the last one by what has changed since."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from pipelines.dbt_models import DbtOutcome, run_dbt
from pipelines.increment.changed import find_changes, replace_rows
from pipelines.increment.columns import keep_columns
from pipelines.increment.file_copy import copy_file
from pipelines.increment.marts import remake_marts
from pipelines.increment.statements import keep_statements
from pipelines.increment.workbench import Workbench
from pipelines.lake.manifest import load_manifest
from pipelines.views.tables import ViewTable, create_views, load_views


def make_views(project: Path, lake: Path, built: Path) -> Iterator[ViewTable]:
    """Make every view of a lake in a new file, yielding each."""
    with duckdb.connect(str(built)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield from create_views(connection, load_views(project / "views"), lake, load_manifest(lake))


def make_marts(project: Path, built: Path, target: Path) -> DbtOutcome:
    """Let dbt make and test every model, and keep what it ran for the changes that come.

    Raises:
        BuildError: if dbt could not run at all.
    """
    outcome = run_dbt(project, built, target)
    with duckdb.connect(str(built)) as connection:
        keep_statements(connection, outcome.statements)
        keep_columns(connection, outcome.statements)
    return outcome


def copy_warehouse(last: Path, built: Path) -> Workbench:
    """Copy the last warehouse, to be brought up to date by `change_views` and then `change_marts`."""
    copy_file(last, built)
    return Workbench(built)


def change_views(workbench: Workbench, project: Path, lake: Path, after: int) -> Iterator[ViewTable]:
    """Bring the views of a warehouse up to date, yielding what is new in each.

    Args:
        workbench: has the warehouse.
        project: the dbt project.
        lake: the lake.
        after: number of the last change of the record that is in the warehouse.
    """
    manifest = load_manifest(lake)
    find_changes(workbench.connection, lake, manifest, after)
    yield from replace_rows(workbench.connection, load_views(project / "views"), lake, manifest, after)


def change_marts(workbench: Workbench) -> DbtOutcome:
    """Make anew and test the rows of the marts that may differ by what changed in the views, and write all of it.

    Raises:
        BuildError: if a mart is not known to be made by parts.
    """
    models, findings = remake_marts(workbench.connection)
    workbench.finish()
    failures = tuple(
        f"the dbt test {each.check} of the model {each.subject} failed" for each in findings if each.refuses
    )
    return DbtOutcome(models, tuple(findings), failures)
