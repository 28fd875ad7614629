"""The real house for the browser: a simulated group taken in, the warehouse built, the API and the pages running."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from dashboards.server import command
from hub_core.settings import Settings
from hub_core.snapshot import open_current
from pipelines.build import build
from pipelines.demo.scenario import install_feeds
from pipelines.installation import Installation, administrator, open_installation
from tests.e2e import ports
from tests.simulated import simulated_group, take_in

_START_SECONDS = 90
_STOP_SECONDS = 20
_PEOPLE, _SEED = 30, 2
"""A group small enough to be quick, in which somebody missed an appointment and was never called back."""


@dataclass(frozen=True, slots=True)
class House:
    """A running house and how to come in."""

    installation: Installation
    settings: Settings
    name: str
    password: str

    @property
    def dashboards(self) -> str:
        """Return the address of the dashboards."""
        return self.settings.dashboards_url

    def published(self, question: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return what SQL says about the published snapshot."""
        with open_current(self.settings) as warehouse:
            return warehouse.execute(question, list(parameters)).fetchall()

    def recorded(self, question: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return what SQL says about the record."""
        with self.installation.database.begin() as unit:
            return list(unit.driver.execute(question, parameters).fetchall())


@contextmanager
def running_house(data_dir: Path) -> Iterator[House]:
    """Give a house with a simulated group in it, and stop all of it afterwards."""
    api_port, dashboards_port = ports.reserve(2)
    settings = Settings(data_dir=data_dir, api_port=api_port, dashboards_port=dashboards_port)
    with open_installation(settings) as installation:
        name, password = administrator(installation)
        _take_group_in(installation)
        build(settings)
        with ExitStack() as running:
            running.enter_context(
                service(settings, "api", [sys.executable, "-m", "hub_api.server"], f"{settings.api_url}/health/ready")
            )
            running.enter_context(
                service(settings, "dashboards", command(settings), f"{settings.dashboards_url}/_stcore/health")
            )
            yield House(installation, settings, name, password)


def _take_group_in(installation: Installation) -> None:
    """Take in what a simulated group sent, then give the listeners of its feeds ports of our own."""
    settings = installation.settings
    simulation = simulated_group(settings.data_dir / "simulation", people=_PEOPLE, seed=_SEED)
    feeds = install_feeds(settings, simulation.feeds)
    take_in(installation, simulation)
    for name, feed in feeds.items():
        if feed.transport == "mllp":
            moved = feed.model_copy(update={"port": ports.reserve(1)[0]})
            text = yaml.safe_dump(moved.model_dump(exclude_none=True), sort_keys=False)
            (settings.feeds / f"{name}.yml").write_text(text, encoding="utf-8")


@contextmanager
def service(settings: Settings, name: str, arguments: list[str], health: str) -> Iterator[None]:
    """Run one process of the house, from another folder as an installed one would be, until the block ends."""
    environment = {
        **os.environ,
        "WHOLECHART_DATA_DIR": str(settings.data_dir),
        "WHOLECHART_API_PORT": str(settings.api_port),
        "WHOLECHART_DASHBOARDS_PORT": str(settings.dashboards_port),
    }
    log = settings.log_dir / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            arguments,
            env=environment,
            cwd=settings.data_dir,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            _wait_for(process, health, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(process: subprocess.Popen[bytes], health: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(health, timeout=5, trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass  # not listening yet
        time.sleep(0.2)
    raise RuntimeError(f"{log.stem} did not start: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")
