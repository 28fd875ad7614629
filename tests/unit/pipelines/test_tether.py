"""What a house started ends with it, even when nobody could tell it to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HOUSE = """
import sys, threading
from pathlib import Path
from hub_core.settings import Settings
from pipelines.services import House, Service

settings = Settings(data_dir=Path(sys.argv[1]))
settings.log_dir.mkdir(parents=True)
waits = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(60)"
service = Service("waiting", (sys.executable, "-c", waits, sys.argv[2]))
House(settings, [service], print).run(threading.Event())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_service_ends_with_the_house_that_started_it(tmp_path: Path, how: signal.Signals) -> None:
    told = tmp_path / "pid"
    house = subprocess.Popen([sys.executable, "-c", HOUSE, str(tmp_path / "data"), str(told)])
    service = int(_until_written(told))
    assert is_running(service)
    house.send_signal(how)
    assert house.wait() == -how
    assert _ends(service)


def test_what_lost_its_parent_before_it_began_does_not_begin(tmp_path: Path) -> None:
    made = tmp_path / "made"
    command = [sys.executable, "-m", "pipelines.tether", "1", "/bin/sh", "-c", f"touch {made}"]
    assert subprocess.run(command, check=False).returncode == 0
    assert not made.exists()


def is_running(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except FileNotFoundError:
        return False


def _until_written(told: Path) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if told.exists() and (text := told.read_text(encoding="ascii")):
            return text
        time.sleep(0.02)
    raise AssertionError("the service did not start")


def _ends(process: int) -> bool:
    deadline = time.monotonic() + 30
    while is_running(process):
        if time.monotonic() > deadline:
            os.kill(process, signal.SIGKILL)
            return False
        time.sleep(0.02)
    return True
