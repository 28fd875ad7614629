"""The background process of a running house: applies and receives, empties drop folders, seals the trail, keeps office.

`python -m pipelines.background worker` only applies messages: any number of these run beside the one that does it all.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

from hub_core.collecting import collect_rarely
from hub_core.errors import WholechartError
from hub_core.feeds import load_feeds
from hub_core.settings import Settings
from pipelines.announcing import Announcer
from pipelines.auditor import Auditor
from pipelines.folders import DropFolders
from pipelines.installation import Installation, open_installation
from pipelines.nightly import Night
from pipelines.office import Office
from pipelines.pulling import Puller
from pipelines.receiving import Receiver
from pipelines.reindexing import Indexer

_log = logging.getLogger(__name__)

_FOLDER_SECONDS = 1.0
_AUDIT_SECONDS = 1.0
_OFFICE_SECONDS = 5.0

_RECEIVER_SECONDS = 1.0

_ANNOUNCER_SECONDS = 2.0
_PULLER_SECONDS = 5.0
_NIGHT_SECONDS = 300.0
_INDEXER_SECONDS = 10.0

_DUTIES = ("worker", "folders", "receiver", "auditor", "office", "announcer", "puller", "night", "indexer", "builder")


def main(duties: Sequence[str] = ()) -> None:
    """Run until terminated.

    Args:
        duties: which of the duties to do, such as `worker` or `auditor`; all of them when none is named.
    """
    unknown = sorted(set(duties) - set(_DUTIES))
    if unknown:
        raise SystemExit(f"no such duty: {', '.join(unknown)} (there are {', '.join(_DUTIES)})")
    collect_rarely()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = threading.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        signal.signal(which, lambda *_: stop.set())
    with open_installation(Settings()) as installation:
        _run(installation, duties or _DUTIES, stop)


def _run(installation: Installation, duties: Sequence[str], stop: threading.Event) -> None:
    tasks = [_task(installation, duty, stop) for duty in duties]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join()


def _task(installation: Installation, duty: str, stop: threading.Event) -> threading.Thread:
    settings = installation.settings
    if duty == "worker":
        return threading.Thread(target=installation.worker().run, args=(stop,), name=duty)
    if duty == "folders":
        folders = DropFolders(installation, load_feeds(settings.feeds).values())
        return _every(_FOLDER_SECONDS, folders.poll, stop, duty)
    if duty == "receiver":
        return _every(_RECEIVER_SECONDS, Receiver(installation).tick, stop, duty)
    if duty == "auditor":
        return _every(_AUDIT_SECONDS, Auditor(installation).tick, stop, duty)
    if duty == "office":
        return _every(_OFFICE_SECONDS, Office(installation).tick, stop, duty)
    if duty == "announcer":
        return _every(_ANNOUNCER_SECONDS, Announcer(installation).tick, stop, duty)
    if duty == "puller":
        return _every(_PULLER_SECONDS, Puller(installation, load_feeds(settings.feeds).values()).tick, stop, duty)
    if duty == "night":
        return _every(_NIGHT_SECONDS, Night(installation).tick, stop, duty)
    if duty == "indexer":
        return _every(_INDEXER_SECONDS, Indexer(installation).tick, stop, duty)
    return _every(settings.build_every_minutes * 60, _build, stop, duty)


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
    main(sys.argv[1:])
