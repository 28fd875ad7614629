"""The views as one asset: a table per ViewDefinition in a new warehouse file, or in a copy of the last one."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from hub_core.snapshot import Snapshot
from pipelines.build_run import BuildRun
from pipelines.defs.lake import CHANGE_LOG, ENVELOPES
from pipelines.lake.manifest import load_manifest
from pipelines.views.tables import ViewTable
from pipelines.warehouse import change_views, copy_warehouse, make_views

VIEWS = dg.AssetKey(["views"])

_LARGE = 0.2
"""The share of the change log that is news from which on it is cheaper to make everything anew."""


@dg.asset(key=VIEWS, deps=[CHANGE_LOG, ENVELOPES], group_name="warehouse", kinds={"duckdb"})
def views(run: dg.ResourceParam[BuildRun]) -> dg.MaterializeResult[None]:
    """Make a table of each ViewDefinition from the lake's current resources, or bring the last ones up to date."""
    run.workshop.mkdir(parents=True, exist_ok=True)
    for leftover in run.workshop.glob("*.duckdb*"):
        leftover.unlink()
    if run.basis is not None and _is_much(run, run.basis.last_seq):
        run.basis = None
    rows: dict[str, int] = {}
    with run.stage("views") as stage:
        lake, basis = run.settings.lake_dir, run.basis
        for table in _changed(run, basis) if basis else make_views(run.project, lake, run.built):
            rows[table.name] = table.rows
            stage.progress(sum(rows.values()))
    return dg.MaterializeResult(metadata=dict(rows))


def _is_much(run: BuildRun, after: int) -> bool:
    last = load_manifest(run.settings.lake_dir).last_seq
    return last - after > _LARGE * last


def _changed(run: BuildRun, basis: Snapshot) -> Iterator[ViewTable]:
    run.workbench = copy_warehouse(basis.path, run.built)
    return change_views(run.workbench, run.project, run.settings.lake_dir, basis.last_seq)
