"""Kill -9 of anything at any moment, many times: nothing acknowledged is lost, nothing is there twice, no hole is left.

The real processes run: listener and API, worker, embedded PostgreSQL with its supervisor. A sender goes on sending, and
sends again what was not acknowledged, as senders do, while a killer kills one of them, or all at once, at random.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from connectors.transport.mllp import MLLPClient
from ehr_pm.record import changes
from hub_core.errors import WholechartError
from hub_core.postgres.removal import discard
from hub_core.settings import Settings
from pipelines.demo.house import free_port
from pipelines.installation import open_installation

KILLS = int(os.environ.get("WHOLECHART_TEST_KILLS", "12"))
VICTIMS = ("api", "background", "postmaster", "backend", "supervisor", "everything")

pytestmark = pytest.mark.slow


class Processes:
    """The processes of one installation, started again when they die."""

    def __init__(self, settings: Settings, environment: dict[str, str]) -> None:
        self._data_dir = str(settings.data_dir)
        self._environment = {**os.environ, **environment}
        self._log_dir = settings.log_dir
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def keep_running(self) -> None:
        for name, module in (("api", "hub_api.server"), ("background", "pipelines.background")):
            process = self._running.get(name)
            if process is None or process.poll() is not None:
                with (self._log_dir / f"{name}.log").open("ab") as log:
                    self._running[name] = subprocess.Popen(
                        [sys.executable, "-m", module], env=self._environment, stdout=log, stderr=log
                    )

    def kill(self, victim: str, chance: random.Random) -> None:
        names = VICTIMS[:-1] if victim == "everything" else (victim,)
        for name in names:
            for process in self._named(name, chance):
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    def stop(self) -> None:
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        for process in self._running.values():
            process.wait(30)

    def _named(self, name: str, chance: random.Random) -> list[psutil.Process]:
        if name in self._running:
            return [psutil.Process(self._running[name].pid)] if self._running[name].poll() is None else []
        supervisors = [p for p in psutil.process_iter(["cmdline"]) if self._is_supervisor(p)]
        if name == "supervisor":
            return supervisors
        postmasters = [child for p in supervisors for child in p.children() if "postgres" in child.name()]
        if name == "postmaster":
            return postmasters
        backends = [child for p in postmasters for child in p.children()]
        return [chance.choice(backends)] if backends else []

    def _is_supervisor(self, process: psutil.Process) -> bool:
        words = process.info["cmdline"] or []
        return "hub_core.postgres.supervisor" in words and self._data_dir in words


def registration(number: int) -> bytes:
    at = f"202603{1 + number // 1440 % 28:02}{number // 60 % 24:02}{number % 60:02}"
    return (
        f"MSH|^~\\&|EHR|FAM|HUB|GRP|{at}||ADT^A04|C{number}|P|2.5.1\rEVN|A04|{at}\r"
        f"PID|1||{number}^^^RIVER^MR||Family{number}^Given||19800101|F\rPV1|1|O\r"
    ).encode()


def send_until_stopped(port: int, stop: threading.Event, acknowledged: list[int], first: int, step: int) -> None:
    """Send one registration after the other, each again and again until it is acknowledged."""
    client = MLLPClient("127.0.0.1", port, timeout=5)
    number = first
    while not stop.is_set():
        try:
            answer = client.send(registration(number))
        except (OSError, WholechartError):
            stop.wait(0.1)
            continue
        if b"MSA|AA|" in answer or b"MSA|CA|" in answer:
            acknowledged.append(number)
            number += step
    client.close()


@contextmanager
def storm(settings: Settings, port: int, acknowledged: list[int]) -> Iterator[Processes]:
    environment = {"WHOLECHART_DATA_DIR": str(settings.data_dir), "WHOLECHART_API_PORT": str(free_port())}
    processes = Processes(settings, environment)
    stop = threading.Event()
    senders = [threading.Thread(target=send_until_stopped, args=(port, stop, acknowledged, i, 4)) for i in range(4)]
    processes.keep_running()
    for sender in senders:
        sender.start()
    try:
        yield processes
    finally:
        stop.set()
        for sender in senders:
            sender.join()
        processes.keep_running()
        processes.stop()


def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    settings, port = Settings(data_dir=tmp_path), free_port()
    settings.feeds.mkdir()
    settings.log_dir.mkdir()
    feed = f"source: old-ehr\nformat: hl7v2\ntransport: mllp\nport: {port}\n"
    (settings.feeds / "family.yml").write_text(feed, encoding="utf-8")
    seed = random.randrange(2**32)  # noqa: S311 - printed, so that a failure can be run again
    chance = random.Random(seed)  # noqa: S311
    acknowledged: list[int] = []

    with storm(settings, port, acknowledged) as processes:
        for kill in range(KILLS):
            before, deadline = len(acknowledged), time.monotonic() + 90
            while len(acknowledged) < before + 20 and time.monotonic() < deadline:
                processes.keep_running()
                time.sleep(0.05)
            assert len(acknowledged) > before, f"nothing is acknowledged any more after kill {kill} (seed {seed})"
            time.sleep(chance.random())
            processes.kill(chance.choice(VICTIMS) if kill else "everything", chance)

    with open_installation(settings) as installation:
        for _ in installation.worker().drain():
            pass
        with installation.database.begin() as unit:
            changes.seal(unit.driver)
        with installation.database.begin() as unit:
            kept = unit.driver.execute("SELECT control_id, state FROM message").fetchall()
            patients = unit.driver.execute(
                "SELECT count(*), count(DISTINCT resource_id) FROM resource_version WHERE resource_type = 'Patient'"
            ).fetchall()[0]
            versions = unit.driver.execute("SELECT count(*) FROM resource_version").fetchall()[0][0]
            log = [change.seq for change in changes.read(unit.driver, 0, versions + 1)]
    discard(settings.data_dir)
    control_ids = [control_id for control_id, _ in kept]
    assert {f"C{number}" for number in acknowledged} <= set(control_ids), f"lost (seed {seed})"
    assert len(control_ids) == len(set(control_ids)), f"stored twice (seed {seed})"
    assert {state for _, state in kept} == {"processed"}
    assert patients == (len(kept), len(kept)), f"recorded twice or not at all (seed {seed})"
    assert log == list(range(1, versions + 1)), f"a hole in the change log (seed {seed})"
