"""A house that runs for a while: listeners, API and workers on free ports, beside whatever else runs here."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from hub_core.errors import WholechartError
from pipelines.commands.progress import Say
from pipelines.folders import drop_folder
from pipelines.services import House, services

if TYPE_CHECKING:
    from hub_core.feeds import Feed
    from hub_core.settings import Settings
    from pipelines.installation import Installation

_START_SECONDS = 60.0
_STALLED_SECONDS = 60.0
"""How long nothing may be applied while messages wait."""
_NOTHING = (0, 0)
_NEVER = str(365 * 24 * 60)
"""Minutes between builds of a house whose warehouse is built when everything is in."""


@dataclass(frozen=True, slots=True)
class RunningHouse:
    """Where a house that was started answers."""

    settings: Settings
    feeds: Mapping[str, Feed]


@contextmanager
def running_house(
    installation: Installation, feeds: Mapping[str, Feed], *, workers: int, say: Say
) -> Iterator[RunningHouse]:
    """Give a running house without pages, its warehouse not built meanwhile, and stop it afterwards."""
    with tempfile.TemporaryDirectory(prefix="wholechart-demo-") as folder:
        moved = on_free_ports(feeds, Path(folder))
        settings = installation.settings.model_copy(update={"feeds_dir": Path(folder), "api_port": free_port()})
        environment = {
            "WHOLECHART_FEEDS_DIR": folder,
            "WHOLECHART_API_PORT": str(settings.api_port),
            "WHOLECHART_BUILD_EVERY_MINUTES": _NEVER,
        }
        house = [
            service.with_environment(environment)
            for service in services(settings, dagster=False, workers=workers)
            if service.name != "dashboards"
        ]
        stop = threading.Event()
        keeper = threading.Thread(target=House(settings, house, say).run, args=(stop,))
        keeper.start()
        try:
            wait_for_api(settings)
            yield RunningHouse(settings, moved)
        finally:
            stop.set()
            keeper.join()


def wait_for_api(settings: Settings) -> None:
    """Wait until the API of a house answers.

    Raises:
        WholechartError: if it takes too long.
    """
    import httpx

    address = f"http://{settings.host}:{settings.api_port}/health/ready"
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(address, timeout=5, trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass  # not listening yet
        time.sleep(0.1)
    raise WholechartError(f"the API did not start within {_START_SECONDS:.0f} s; see {settings.log_dir / 'api.log'}")


def wait_until_applied(installation: Installation, feeds: Mapping[str, Feed], say: Say) -> None:
    """Wait until nothing lies in the drop folders and no message waits.

    Raises:
        WholechartError: if nothing moves any more.
    """
    before: tuple[int, int] | None = None
    moved_at = time.monotonic()
    while time.monotonic() - moved_at < _STALLED_SECONDS:
        files, waiting = now = _left(installation, feeds)
        if now == _NOTHING:
            return
        if now != before:
            before, moved_at = now, time.monotonic()
            say(f"{waiting:,} messages and {files:,} files wait to be applied", passing=True)
        time.sleep(0.2)
    raise WholechartError(f"messages wait, and nothing moved for {_STALLED_SECONDS:.0f} s; see `wholechart status`")


def is_applied(installation: Installation, feeds: Mapping[str, Feed]) -> bool:
    """Return whether nothing lies in the drop folders and no message waits."""
    return _left(installation, feeds) == _NOTHING


def on_free_ports(feeds: Mapping[str, Feed], folder: Path) -> dict[str, Feed]:
    """Write the feed files to `folder` with MLLP ports that are free now, and return the feeds so moved."""
    moved = {
        name: feed.model_copy(update={"port": free_port()}) if feed.transport == "mllp" else feed
        for name, feed in feeds.items()
    }
    for name, feed in moved.items():
        text = yaml.safe_dump(feed.model_dump(exclude_none=True), sort_keys=False)
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    return moved


def free_port() -> int:
    """Return a port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _left(installation: Installation, feeds: Mapping[str, Feed]) -> tuple[int, int]:
    """Return how many files lie in the drop folders, and how many messages wait."""
    drops = [drop_folder(installation.settings, feed) for feed in feeds.values() if feed.transport == "folder"]
    files = sum(1 for drop in drops for stage in ("incoming", "processing") for _ in (drop / stage).glob("[!.]*"))
    with installation.database.begin() as unit:
        rows = unit.driver.execute("SELECT count(*) FROM message WHERE state = 'received'").fetchall()
    return files, int(rows[0][0])
