"""All that Dagster shows and runs: `dagster dev -m pipelines.definitions`."""

from __future__ import annotations

import dagster as dg

from pipelines.dbt_models import project_folder
from pipelines.defs.lake import change_log, envelopes, landed
from pipelines.defs.models import model_assets
from pipelines.defs.published import published_warehouse
from pipelines.defs.record import record
from pipelines.defs.resources import build_run
from pipelines.defs.views import views


def warehouse_assets() -> list[dg.AssetsDefinition | dg.AssetChecksDefinition]:
    """Return the assets and checks of one build, from lake to published snapshot."""
    project = project_folder()
    return [change_log, envelopes, landed, views, model_assets(project), published_warehouse(project)]


@dg.definitions
def definitions() -> dg.Definitions:
    """Return the definitions of an installation; nothing is opened before a run starts."""
    made = warehouse_assets()
    return dg.Definitions(
        assets=[record, *(each for each in made if not isinstance(each, dg.AssetChecksDefinition))],
        asset_checks=[each for each in made if isinstance(each, dg.AssetChecksDefinition)],
        resources={"run": build_run},
        jobs=[dg.define_asset_job("build", selection=dg.AssetSelection.all(include_sources=False))],
        # One process: the run holds the lock and the file that the next stage goes on with.
        executor=dg.in_process_executor,
    )
