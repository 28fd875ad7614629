"""Makes a warehouse file from a lake: whole, or from the last one by what has changed since."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb

from pipelines.dbt_models import DbtOutcome, run_dbt
from pipelines.increment.changed import find_changes, replace_rows
from pipelines.increment.marts import remake_marts
from pipelines.increment.statements import keep_statements
from pipelines.increment.workbench import open_increment
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
    return outcome


def change_views(
    project: Path, lake: Path, last: Path, after: int, built: Path, increment: Path
) -> Iterator[ViewTable]:
    """Copy the last warehouse and bring its views up to date, yielding what is new in each.

    Args:
        project: the dbt project.
        lake: the lake.
        last: the last warehouse.
        after: number of the last change of the record that is in it.
        built: the file to make.
        increment: the file where what changed is laid out, for `change_marts`.
    """
    shutil.copyfile(last, built)
    manifest = load_manifest(lake)
    with open_increment(increment, built, is_kept=True) as connection:
        find_changes(connection, lake, manifest, after)
        yield from replace_rows(connection, load_views(project / "views"), lake, manifest, after)


def change_marts(built: Path, increment: Path) -> DbtOutcome:
    """Make anew and test the rows of the marts that may differ by what changed in the views.

    Raises:
        BuildError: if a mart is not known to be made by parts.
    """
    with open_increment(increment, built, is_kept=False) as connection:
        models, findings = remake_marts(connection)
    increment.unlink()
    failures = tuple(
        f"the dbt test {each.check} of the model {each.subject} failed" for each in findings if each.refuses
    )
    return DbtOutcome(models, tuple(findings), failures)
