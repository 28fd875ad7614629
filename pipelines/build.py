"""Brings lake, views, marts and the published warehouse up to date, in this process, when something has changed."""

from __future__ import annotations

import logging
import os
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub_core.errors import BuildError
from pipelines.build_run import BuildRun, OnProgress, StageReport, open_run
from pipelines.dbt_models import parsing_ahead

if TYPE_CHECKING:
    from hub_core.settings import Settings
    from hub_core.snapshot import Snapshot
    from pipelines.quality.findings import Finding


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did."""

    snapshot: Snapshot
    """What is published now."""
    is_new: bool
    """Whether this build made it; otherwise nothing had changed."""
    is_whole: bool
    """Whether everything in it was made anew, and not only what had changed."""
    stages: tuple[StageReport, ...]
    findings: tuple[Finding, ...]
    seconds: float


def build(settings: Settings, *, on_progress: OnProgress = lambda _, __: None, whole: bool = False) -> BuildReport:
    """Build and publish the warehouse of an installation, unless what is published is made from the same.

    Only what has changed since the last build is made anew, unless what makes it has changed too.

    Args:
        settings: the installation.
        on_progress: told the stage at work and the rows it has made so far.
        whole: whether everything is made anew, whatever has changed.

    Raises:
        BuildError: if a stage failed, a test or the quality gate refused to publish, or another build is running.
    """
    started = time.monotonic()
    with open_run(settings, on_progress, whole=whole) as run:
        current = run.current
        if current and current.fingerprint == run.fingerprint and current.path.exists() and not whole:
            return BuildReport(current, False, False, (), (), time.monotonic() - started)
        if run.basis is None:
            with parsing_ahead(run.project, run.built, run.dbt_target):
                _materialize(run)
        else:
            _materialize(run)
        if run.failures or run.snapshot is None:
            raise BuildError(_refusal(run.failures))
        return BuildReport(
            run.snapshot, True, run.basis is None, tuple(run.stages), tuple(run.findings), time.monotonic() - started
        )


def _materialize(run: BuildRun) -> None:
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster's, of what is not final in it
        import dagster as dg  # seconds to import, and often there is nothing to build

        from pipelines.definitions import warehouse_assets

        logging.getLogger("dagster").setLevel(logging.CRITICAL)
        with dg.DagsterInstance.ephemeral() as instance:
            result = dg.materialize(
                warehouse_assets(),
                resources={"run": run},
                instance=instance,
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
    for event in result.all_events:
        error = event.step_failure_data.error if event.is_step_failure else None
        if error is not None and not run.failures:
            run.failures.append(f"{event.step_key} failed with {error.cls_name}")


def _refusal(failures: list[str]) -> str:
    reasons = list(dict.fromkeys(failures)) or ["no snapshot was made"]
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"nothing was published: {reasons[0]}{more}"
