"""A throwaway installation to measure on: a database of its own, servers beside it, and the CPU time of all of them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psutil

from benchmarks.measuring import Clock
from hub_core.feeds import Feed
from hub_core.postgres.removal import discard
from hub_core.principals import Principal, ensure_administrator, issue_token
from hub_core.settings import Settings
from pipelines.accounting import apply_all
from pipelines.installation import Installation, open_installation
from pipelines.intake import Intake

_PATIENCE = 60.0
_numbers = count(1)


@contextmanager
def scratch_installation() -> Iterator[Installation]:
    """Give an empty installation on an embedded database, whatever the environment names; nothing of it stays."""
    with tempfile.TemporaryDirectory(prefix="wholechart-bench-", ignore_cleanup_errors=True) as folder:
        settings = Settings(data_dir=Path(folder) / "data", database_url=None, feeds_dir=None)
        try:
            with open_installation(settings) as installation:
                yield installation
        finally:
            discard(settings.data_dir)


def new_feed(format_name: str) -> Feed:
    """Return a feed nothing has come from: under it, the same bytes are new messages about new patients."""
    name = f"bench{next(_numbers)}"
    return Feed(name=name, source=name, format=format_name, zone="America/Chicago")  # type: ignore[arg-type]


def ingest(installation: Installation, feed: Feed, path: Path) -> int:
    """Take a file to the record as `wholechart ingest` does and return its records.

    Raises:
        AssertionError: if one was rejected: a figure over rejects says nothing.
    """
    intake = Intake(installation, feed)
    for _ in intake.take([path]):
        pass
    apply_all(installation, intake, lambda _: None)
    assert not intake.tally.refused
    return intake.tally.records


def administrator_token(installation: Installation) -> str:
    """Return a token that may do everything."""
    with installation.database.begin() as unit:
        name, _ = ensure_administrator(unit.driver, installation.settings.keys_dir)
        rows = unit.driver.execute("SELECT principal_id FROM principal WHERE name = %s", (name,)).fetchall()
        issuer = Principal(rows[0][0], name, "person", is_administrator=True)
        return issue_token(unit.driver, "bench", is_administrator=True, issued_by=issuer).secret


def cpu_clock(installation: Installation, *processes: psutil.Process) -> Clock:
    """Return a clock of the CPU time of this process, others named, and every process of the database."""
    with installation.database.connect(autocommit=True) as connection:
        backend = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert backend is not None
        postmaster = psutil.Process(psutil.Process(backend[0]).ppid())

    def clock() -> float:
        family = [postmaster, *postmaster.children(recursive=True), *processes]
        ended = postmaster.cpu_times()
        return _own() + sum(map(_used, family)) + ended.children_user + ended.children_system

    return clock


def _own() -> float:
    """Return the CPU seconds of this process and of those it started that have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


@dataclass(frozen=True, slots=True)
class Server:
    """A server under measurement."""

    port: int
    process: psutil.Popen

    def cpu(self) -> float:
        """Return the CPU seconds it has used."""
        return _used(self.process)


@contextmanager
def serving(module: str, *arguments: str, port: int, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """Give a module that runs as a process of its own and listens on a port.

    Raises:
        TimeoutError: if it does not listen in time.
        ChildProcessError: if it ended instead.
    """
    with running(module, *arguments, environment=environment) as process:
        _wait_for(port, process)
        yield Server(port, process)


@contextmanager
def running(module: str, *arguments: str, environment: dict[str, str] | None = None) -> Iterator[psutil.Popen]:
    """Give a module that runs as a process of its own, in no environment of ours but what is given."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WHOLECHART_")}
    process = psutil.Popen(
        [sys.executable, "-m", module, *arguments],
        env={**inherited, **(environment or {})},
        cwd=Path(__file__).parents[1],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def free_port() -> int:
    """Return a port nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: psutil.Popen) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ChildProcessError(f"what should listen on port {port} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port}")


def _used(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # a backend that has just ended; the postmaster's account of its children has it
        return 0.0
    return float(times.user + times.system)
