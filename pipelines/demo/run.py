"""Running the demonstration: simulate, start the house, send everything, let northgate work, build, compare."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

from pipelines.commands.progress import Say
from pipelines.demo.api import address_of
from pipelines.demo.delivery import deliver, has_arrived
from pipelines.demo.house import RunningHouse, is_applied, running_house, wait_until_applied
from pipelines.demo.northgate.month import has_worked, work_month
from pipelines.demo.report import DemoReport, report
from pipelines.demo.scenario import Scenario, Simulation, install_feeds, refuse_other_data, simulate
from pipelines.demo.stages import Stages
from pipelines.installation import Installation, administrator

if TYPE_CHECKING:
    from hub_core.feeds import Feed

_MOST_WORKERS = 4
_SAY_EVERY = 0.2


def run(installation: Installation, scenario: Scenario, say: Say, stages: Stages) -> DemoReport:
    """Send what a simulated group's systems send to a running house, do what its people do there, and compare.

    What has been sent or done before is not sent or done again, so running it again changes nothing.

    Args:
        installation: where it arrives.
        scenario: the group.
        say: told what is under way.
        stages: told what each stage takes.

    Raises:
        ConflictError: if the installation holds other people.
        WholechartError: if a part of the house does not do its work in time.
    """
    from pipelines.build import build

    refuse_other_data(installation, scenario)
    administrator(installation)
    with stages.stage("simulate"):
        say(f"simulating {scenario.people:,} people")
        simulation = simulate(installation.settings, scenario)
    feeds = install_feeds(installation.settings, simulation.feeds)
    with ExitStack() as running:
        with stages.stage("deliver and apply"):
            house = None
            if not _is_all_there(installation, simulation, feeds):
                say("starting listeners, API and workers")
                house = running.enter_context(running_house(installation, feeds, workers=_workers(), say=say))
                _deliver(installation, simulation, house, say)
        with stages.stage("northgate's month"):
            if house is not None:
                say("northgate works its month")
                address, progress = address_of(house.settings), _Progress(say, "things done at northgate")
                work_month(installation, address, simulation.northgate, progress.advance)
                running.close()
    with stages.stage("build"):
        say("building lake, views, marts and quality checks")
        build(
            installation.settings, on_progress=lambda stage, rows: say(f"building {stage}: {rows:,} rows", passing=True)
        )
    with stages.stage("compare"):
        say("comparing with the truth")
        return report(installation, *simulation.truths)


def _is_all_there(installation: Installation, simulation: Simulation, feeds: Mapping[str, Feed]) -> bool:
    """Return whether everything was sent, applied and done before."""
    has_come = has_arrived(installation, feeds, simulation.feeds) and is_applied(installation, feeds)
    return has_come and has_worked(simulation.northgate)


def _deliver(installation: Installation, simulation: Simulation, house: RunningHouse, say: Say) -> None:
    """Send everything through a running house, and return once all of it is applied."""
    say("sending everything, each feed in its order")
    progress = _Progress(say, "messages and files sent")
    deliver(installation, house.settings, house.feeds, simulation.feeds, progress.advance)
    say("waiting until everything is in the chart")
    wait_until_applied(installation, house.feeds, say)


def _workers() -> int:
    """Return how many processes apply messages: one a core, and never many."""
    return max(1, min(os.cpu_count() or 1, _MOST_WORKERS))


class _Progress:
    """Counts what was done, and says so now and then."""

    def __init__(self, say: Say, what: str) -> None:
        self._say = say
        self._what = what
        self._count = 0
        self._said_at = 0.0

    def advance(self, count: int) -> None:
        """Count; this is called from several threads, and a count that gets lost is only shown too low."""
        self._count += count
        if time.monotonic() - self._said_at > _SAY_EVERY:
            self._said_at = time.monotonic()
            self._say(f"{self._count:,} {self._what}", passing=True)
