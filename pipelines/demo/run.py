"""Running the demonstration: start the house, send everything, wait until it is applied, build, count."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from hub_core.errors import WholechartError
from hub_core.principals import ADMINISTRATOR, Principal, issue_token
from pipelines.demo.delivery import deliver
from pipelines.demo.group import free_port, install_feeds, on_free_ports, refuse_real_data
from pipelines.demo.report import DemoReport, report
from pipelines.folders import drop_folder
from pipelines.installation import Installation, administrator
from pipelines.services import House, services

if TYPE_CHECKING:
    from hub_core.feeds import Feed
    from hub_core.settings import Settings

_START_SECONDS = 60.0
_APPLY_SECONDS = 120.0

Say = Callable[[str], None]


def run(installation: Installation, say: Say) -> DemoReport:
    """Send the group's feeds through a running house and return what came out.

    Raises:
        WholechartError: if a part of the house does not do its work in time.
    """
    from pipelines.build import build

    refuse_real_data(installation)
    administrator(installation)
    feeds = install_feeds(installation.settings)
    with _running_house(installation, feeds, say) as (settings, moved):
        say("sending messages over MLLP, HTTP and a drop folder")
        expected = sum(delivery.records for delivery in deliver(moved, settings, _token(installation)))
        say(f"waiting until {expected} records are in the chart")
        _wait_until_applied(installation, moved)
    say("building lake, views, marts and quality checks")
    build(installation.settings)
    return report(installation)


@contextmanager
def _running_house(
    installation: Installation, feeds: dict[str, Feed], say: Say
) -> Iterator[tuple[Settings, dict[str, Feed]]]:
    """Run the listeners, the API and the worker on ports that are free, beside whatever else runs here."""
    with tempfile.TemporaryDirectory(prefix="wholechart-demo-") as folder:
        moved = on_free_ports(feeds, Path(folder))
        settings = installation.settings.model_copy(update={"feeds_dir": Path(folder), "api_port": free_port()})
        environment = {"WHOLECHART_FEEDS_DIR": folder, "WHOLECHART_API_PORT": str(settings.api_port)}
        house = [s.with_environment(environment) for s in services(settings, dagster=False) if s.name != "dashboards"]
        stop = threading.Event()
        keeper = threading.Thread(target=House(settings, house, say).run, args=(stop,))
        keeper.start()
        try:
            _wait_for_api(settings)
            yield settings, moved
        finally:
            stop.set()
            keeper.join()


def _wait_for_api(settings: Settings) -> None:
    import httpx

    address = f"http://{settings.host}:{settings.api_port}/health/ready"
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(address, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise WholechartError(f"the API did not start within {_START_SECONDS:.0f} s; see {settings.log_dir / 'api.log'}")


def _wait_until_applied(installation: Installation, feeds: dict[str, Feed]) -> None:
    """Wait until nothing lies in the drop folders and no message waits."""
    drops = [drop_folder(installation.settings, feed) for feed in feeds.values() if feed.transport == "folder"]
    folders = [drop / stage for drop in drops for stage in ("incoming", "processing")]
    deadline = time.monotonic() + _APPLY_SECONDS
    while time.monotonic() < deadline:
        if not any(any(folder.glob("[!.]*")) for folder in folders) and _waiting(installation) == 0:
            return
        time.sleep(0.1)
    raise WholechartError(f"messages still wait after {_APPLY_SECONDS:.0f} s; see `wholechart status`")


def _waiting(installation: Installation) -> int:
    with installation.database.begin() as unit:
        rows = unit.driver.execute("SELECT count(*) FROM message WHERE state = 'received'").fetchall()
    return int(rows[0][0])


def _token(installation: Installation) -> str:
    """Return a token of the program that delivers over HTTP, as an administrator would make one."""
    with installation.database.begin() as unit:
        rows = unit.driver.execute(
            "SELECT principal_id FROM principal WHERE lower(name) = lower(%s)", (ADMINISTRATOR,)
        ).fetchall()
        owner = Principal(rows[0][0], ADMINISTRATOR, "person", is_administrator=True)
        return issue_token(unit.driver, "demo-delivery", is_administrator=True, issued_by=owner).secret


class PeakMemory:
    """The most memory all processes of the house together held, in MB, sampled while the block runs.

    The unique set size counts what a process alone holds, so that shared pages are not counted once per process.
    """

    def __init__(self) -> None:
        """Prepare to sample."""
        self.megabytes = 0.0
        self._stop = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> PeakMemory:
        """Begin to sample."""
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._sampler.join()

    def _sample(self) -> None:
        while not self._stop.wait(0.5):
            own = psutil.Process()
            total = sum(_unique_bytes(process) for process in (own, *own.children(recursive=True)))
            self.megabytes = max(self.megabytes, total / 1e6)


def _unique_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().uss)
    except psutil.Error:
        return 0
