"""The processes that make up a running house: what they are, and keeping them running until told to stop."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from hub_core.errors import ConfigurationError
from hub_core.feeds import Feed
from hub_core.settings import Settings
from pipelines.tether import tethered

_PATIENCE = 20.0
"""Seconds a service has to stop cleanly before it is killed."""

_STEADY = 60.0
_LONGEST_WAIT = 30.0
"""Seconds: a service that lived this long is started again at once; others wait up to so long."""


@dataclass(frozen=True, slots=True)
class Service:
    """One process of the house."""

    name: str
    command: tuple[str, ...]
    port: int | None = None
    url: str | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def with_environment(self, more: dict[str, str]) -> Service:
        """Return the same service with more environment variables."""
        return replace(self, environment={**self.environment, **more})


def services(settings: Settings, *, dagster: bool, workers: int = 1) -> list[Service]:
    """Return the processes of a running house, in the order they start.

    Args:
        settings: the installation.
        dagster: whether Dagster's pages belong to it.
        workers: how many processes apply messages: the background process, and others that do nothing else.
    """
    python = sys.executable
    background = (python, "-m", "pipelines.background")
    house = [
        Service("background", background),
        *(Service(f"worker-{number}", (*background, "worker")) for number in range(2, workers + 1)),
        Service("api", (python, "-m", "hub_api.server"), settings.api_port, settings.api_url),
        Service("dashboards", (python, "-m", "dashboards.server"), settings.dashboards_port, settings.dashboards_url),
    ]
    if dagster:
        house.append(_dagster(settings))
    return house


def _dagster(settings: Settings) -> Service:
    home = settings.data_dir / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    port = settings.dagster_port
    command = ("-m", "dagster", "dev", "-m", "pipelines.definitions", "-h", settings.host, "-p", str(port))
    url = f"http://{settings.host}:{port}"
    return Service("dagster", (sys.executable, *command), port, url, {"DAGSTER_HOME": str(home)})


def refuse_taken_ports(host: str, house: Iterable[Service], feeds: Iterable[Feed]) -> None:
    """Make sure that every port is free.

    Raises:
        ConfigurationError: naming the port, and what moves it.
    """
    for service in house:
        if service.port is not None:
            _refuse_taken(host, service.port, service.name, f"set WHOLECHART_{service.name.upper()}_PORT")
    for feed in feeds:
        if feed.transport == "mllp" and feed.port:
            _refuse_taken(host, feed.port, f"feed {feed.name}", "give the feed another port in its file")


def _refuse_taken(host: str, port: int, user: str, remedy: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"port {port} for {user} is taken on {host}; stop what uses it, or {remedy}"
            ) from error


@dataclass(frozen=True, slots=True)
class _Restart:
    """A process that died, and when another is started in its place."""

    process: subprocess.Popen[bytes]
    wait: float
    due: float

    def next_wait(self) -> float:
        """Return the wait after one more death: doubled, unless the last one lived for a while."""
        has_lived = time.monotonic() - self.due > _STEADY
        return 0.0 if has_lived else min(max(1.0, self.wait * 2), _LONGEST_WAIT)


class House:
    """The running processes; one that dies is started again."""

    def __init__(self, settings: Settings, house: list[Service], say: Callable[[str], None]) -> None:
        """Prepare to run `house`; `say` is told what a person should know."""
        self._environment = {**os.environ, "WHOLECHART_DATA_DIR": str(settings.data_dir), "PYTHONUNBUFFERED": "1"}
        self._log_dir = settings.log_dir
        self._house = house
        self._say = say
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._restarts: dict[str, _Restart] = {}

    def run(self, stop: threading.Event) -> None:
        """Start every process, keep them running, and stop them all when `stop` is set."""
        try:
            for service in self._house:
                self._start(service)
            while not stop.wait(0.5):
                self._restart_dead()
        finally:
            self._stop()

    def _start(self, service: Service) -> None:
        log = self._log_dir / f"{service.name}.log"
        with log.open("ab") as output:
            self._running[service.name] = subprocess.Popen(
                tethered(service.command),
                env={**self._environment, **service.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _restart_dead(self) -> None:
        """Start again what died: at once the first time, then after ever longer waits, so that nothing spins."""
        for service in self._house:
            code = self._running[service.name].poll()
            if code is None:
                continue
            restart = self._restarts.get(service.name)
            if restart is None or restart.process is not self._running[service.name]:
                wait = restart.next_wait() if restart else 0.0
                self._restarts[service.name] = _Restart(self._running[service.name], wait, time.monotonic() + wait)
                log = self._log_dir / f"{service.name}.log"
                self._say(f"{service.name} ended with {code}; starting it again in {wait:.0f} s (see {log})")
            elif time.monotonic() >= restart.due:
                self._start(service)

    def _stop(self) -> None:
        for process in self._running.values():
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)
                process.wait()


def _signal_group(process: subprocess.Popen[bytes], which: signal.Signals) -> None:
    """Signal a service and what it started itself."""
    try:
        os.killpg(process.pid, which)
    except ProcessLookupError:
        return
