"""The views as one asset: a table per ViewDefinition in a new warehouse file."""

from __future__ import annotations

import dagster as dg
import duckdb

from pipelines.build_run import BuildRun
from pipelines.defs.lake import CHANGE_LOG, ENVELOPES
from pipelines.lake.manifest import load_manifest
from pipelines.views.tables import create_views, load_views

VIEWS = dg.AssetKey(["views"])


@dg.asset(key=VIEWS, deps=[CHANGE_LOG, ENVELOPES], group_name="warehouse", kinds={"duckdb"})
def views(run: dg.ResourceParam[BuildRun]) -> dg.MaterializeResult[None]:
    """Make a table of each ViewDefinition from the current resources of the lake."""
    run.workshop.mkdir(parents=True, exist_ok=True)
    for leftover in run.workshop.glob("warehouse.duckdb*"):
        leftover.unlink()
    lake = run.settings.lake_dir
    rows: dict[str, int] = {}
    with run.stage("views") as stage, duckdb.connect(str(run.built)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in create_views(connection, load_views(run.project / "views"), lake, load_manifest(lake)):
            rows[table.name] = table.rows
            stage.progress(sum(rows.values()))
    return dg.MaterializeResult(metadata=dict(rows))
