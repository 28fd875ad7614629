"""The dbt models as assets, their tests as checks.

dagster-dbt would parse the project when definitions are loaded and run dbt as a process of its own, which starts
Python, dbt and the parser once more. Here the graph is read from the files, and dbt runs in this
process; what it compiled is run without it where only what changed is made anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import dagster as dg

from pipelines.build_run import BuildRun
from pipelines.dbt_models import Model, project_models
from pipelines.defs.views import VIEWS
from pipelines.quality.findings import Finding
from pipelines.warehouse import change_marts, make_marts

_CHECK = "dbt_tests"


def model_key(model: Model) -> dg.AssetKey:
    """Return the key of a model: its layer and its name."""
    return dg.AssetKey([model.layer, model.name])


def model_assets(project: Path) -> dg.AssetsDefinition:
    """Return the models of a dbt project as one multi-asset, with a blocking check of each."""
    models = _in_order(project_models(project))
    keys = {model.name: model_key(model) for model in models}
    specs = [
        dg.AssetSpec(
            keys[model.name],
            deps=[*(keys[name] for name in model.models), *([VIEWS] if model.views else [])],
            group_name="warehouse",
            kinds={"dbt", "duckdb"},
        )
        for model in models
    ]
    checks = [dg.AssetCheckSpec(_CHECK, asset=keys[model.name], blocking=True) for model in models]

    @dg.multi_asset(name="dbt_models", specs=specs, check_specs=checks)
    def dbt_models(run: dg.ResourceParam[BuildRun]) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        with run.stage("dbt") as stage:
            if run.workbench is None:
                outcome = make_marts(project, run.built, run.dbt_target)
            else:
                outcome = change_marts(run.workbench)
            stage.rows = len(outcome.models)
        run.findings.extend(outcome.findings)
        run.failures.extend(outcome.failures)
        for model in models:
            yield dg.MaterializeResult(asset_key=keys[model.name])
            yield _check(keys[model.name], [each for each in outcome.findings if each.subject == model.name])
        if outcome.failures:
            raise dg.Failure("; ".join(outcome.failures), allow_retries=False)

    return dbt_models


def _in_order(models: list[Model]) -> list[Model]:
    """Return the models, each after those it reads, as Dagster wants to hear of them."""
    named = {model.name: model for model in models}
    order = TopologicalSorter({model.name: model.models for model in models}).static_order()
    return [named[name] for name in order]


def _check(key: dg.AssetKey, findings: list[Finding]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not any(finding.refuses for finding in findings),
        asset_key=key,
        check_name=_CHECK,
        metadata={finding.check: finding.passed for finding in findings},
    )
