"""The published snapshot as an asset: what readers see."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import duckdb

from pipelines.build_run import BuildRun
from pipelines.dbt_models import project_models
from pipelines.defs.models import model_key
from pipelines.lake.manifest import load_manifest
from pipelines.publish import publish
from pipelines.quality.findings import keep_findings

PUBLISHED = dg.AssetKey(["published_warehouse"])


def published_warehouse(project: Path) -> dg.AssetsDefinition:
    """Return the asset that publishes what was built from a dbt project."""
    deps = [model_key(model) for model in project_models(project)]

    @dg.asset(key=PUBLISHED, deps=deps, group_name="warehouse", kinds={"duckdb"})
    def published(run: dg.ResourceParam[BuildRun]) -> dg.MaterializeResult[None]:
        """Make the finished file the current snapshot."""
        with run.stage("publish") as stage:
            with duckdb.connect(str(run.built)) as connection:
                keep_findings(connection, run.findings)
                connection.execute("CHECKPOINT")
                stage.rows = _rows(connection)
            last_seq = load_manifest(run.settings.lake_dir).last_seq
            whole_at = run.basis.whole_at if run.basis else None
            run.snapshot = publish(run.built, run.settings.warehouse_dir, run.fingerprint, last_seq, run.code, whole_at)
        return dg.MaterializeResult(metadata={"build_id": run.snapshot.build_id, "rows": stage.rows})

    return published


def _rows(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many rows the marts have."""
    names = connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'marts'").fetchall()
    counts = [connection.execute(f'SELECT count(*) FROM marts."{name}"').fetchall()[0][0] for (name,) in names]  # noqa: S608
    return sum(counts)
