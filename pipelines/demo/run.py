"""Running the demonstration: simulate, start the house, send everything, wait until it is applied, build, compare."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelines.commands.progress import Say
from pipelines.demo.delivery import deliver, has_arrived
from pipelines.demo.house import is_applied, running_house, wait_until_applied
from pipelines.demo.report import DemoReport, report
from pipelines.demo.scenario import Scenario, Simulation, install_feeds, refuse_other_data, simulate
from pipelines.demo.stages import Stages
from pipelines.installation import Installation, administrator

if TYPE_CHECKING:
    from hub_core.feeds import Feed

_MOST_WORKERS = 4
_SAY_EVERY = 0.2


def run(installation: Installation, scenario: Scenario, say: Say, stages: Stages) -> DemoReport:
    """Send what the systems of a simulated group send through a running house, and compare what came out with it.

    What has been sent before is not sent again, so running it again changes nothing.

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
    with stages.stage("deliver and apply"):
        if not (has_arrived(installation, feeds, simulation.feeds) and is_applied(installation, feeds)):
            _deliver(installation, simulation, feeds, say)
    with stages.stage("build"):
        say("building lake, views, marts and quality checks")
        build(
            installation.settings, on_progress=lambda stage, rows: say(f"building {stage}: {rows:,} rows", passing=True)
        )
    with stages.stage("compare"):
        say("comparing with the truth")
        return report(installation, *simulation.truths)


def _deliver(installation: Installation, simulation: Simulation, feeds: Mapping[str, Feed], say: Say) -> None:
    """Send everything through a running house, and return once all of it is applied."""
    say("starting listeners, API and workers")
    with running_house(installation, feeds, workers=_workers(), say=say) as house:
        say("sending everything, each feed in its order")
        deliver(installation, house.settings, house.feeds, simulation.feeds, _Progress(say).advance)
        say("waiting until everything is in the chart")
        wait_until_applied(installation, house.feeds, say)


def _workers() -> int:
    """Return how many processes apply messages: one a core, and never many."""
    return max(1, min(os.cpu_count() or 1, _MOST_WORKERS))


class _Progress:
    """Counts what was sent, and says so now and then."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._sent = 0
        self._said_at = 0.0

    def advance(self, count: int) -> None:
        """Count; senders call it from their threads, and a count that gets lost is only shown too low."""
        self._sent += count
        if time.monotonic() - self._said_at > _SAY_EVERY:
            self._said_at = time.monotonic()
            self._say(f"sent {self._sent:,} messages and files", passing=True)
