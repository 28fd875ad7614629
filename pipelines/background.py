"""The background process of a running house: applies messages, empties drop folders, keeps the warehouse fresh."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

from hub_core.errors import WholechartError
from hub_core.feeds import load_feeds
from hub_core.settings import Settings
from pipelines.folders import DropFolders
from pipelines.installation import Installation, open_installation

_log = logging.getLogger(__name__)

_FOLDER_SECONDS = 1.0


def main() -> None:
    """Run until terminated."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = threading.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        signal.signal(which, lambda *_: stop.set())
    with open_installation(Settings()) as installation:
        _run(installation, stop)


def _run(installation: Installation, stop: threading.Event) -> None:
    settings = installation.settings
    folders = DropFolders(installation, load_feeds(settings.feeds).values())
    tasks = [
        threading.Thread(target=installation.worker().run, args=(stop,), name="worker"),
        _every(_FOLDER_SECONDS, folders.poll, stop, "folders"),
        _every(settings.build_every_minutes * 60, _build, stop, "builder"),
    ]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join()


def _every(seconds: float, work: Callable[[], object], stop: threading.Event, name: str) -> threading.Thread:
    def loop() -> None:
        while not stop.wait(seconds):
            try:
                work()
            except WholechartError as error:
                _log.warning("%s: %s", name, error)
            except Exception as error:  # boundary: the next tick tries again
                _log.warning("%s failed with %s; trying again", name, type(error).__name__)

    return threading.Thread(target=loop, name=name)


def _build() -> None:
    """Build in a process of its own: the engines take memory that should not stay."""
    subprocess.run([sys.executable, "-m", "pipelines", "build", "--quiet"], check=False, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
