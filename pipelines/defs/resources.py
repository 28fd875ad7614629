"""The resource the assets share: one run of the build, opened when Dagster starts a run and alone until it ends."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from hub_core.settings import Settings
from pipelines.build_run import BuildRun, open_run


@dg.resource(description="One run of the build, on the installation that the environment names.")
def build_run(_: dg.InitResourceContext) -> Iterator[BuildRun]:
    """Give a run of the build to the assets of one Dagster run."""
    with open_run(Settings()) as run:
        yield run
