"""How much memory all processes of a house take together."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from hub_core.database import Database

_SECONDS = 0.5


class PeakMemory:
    """The most memory that this process, those it started and the database held together, in MB, while the block runs.

    A page that processes share is divided among them (proportional set size), so the sum counts each page once.
    """

    def __init__(self) -> None:
        """Prepare to sample."""
        self.megabytes = 0.0
        self._lap = 0.0
        self._database: psutil.Process | None = None
        self._stop = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def watch_database(self, database: Database) -> None:
        """Count the processes of a database too, where it runs on this machine."""
        with database.begin() as unit:
            backend = int(unit.driver.execute("SELECT pg_backend_pid()").fetchall()[0][0])
            with suppress(psutil.Error):  # a database elsewhere takes no memory here
                process = psutil.Process(backend).parent()
                if process is not None and "postgres" in process.name():
                    self._database = process

    def lap(self) -> float:
        """Return the most since this was asked last, in MB."""
        peak, self._lap = self._lap, 0.0
        return peak

    def __enter__(self) -> PeakMemory:
        """Begin to sample."""
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._sampler.join()

    def _sample(self) -> None:
        while not self._stop.wait(_SECONDS):
            processes = set(_family(psutil.Process()))
            if self._database is not None:
                processes |= set(_family(self._database))
            held = sum(map(_bytes, processes)) / 1e6
            self.megabytes, self._lap = max(self.megabytes, held), max(self._lap, held)


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0
