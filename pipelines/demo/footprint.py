"""What all processes of a house take together: memory and processor time."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from hub_core.database import Database

_SECONDS = 2.0
"""Between two looks: the kernel walks every page table for one."""


class Footprint:
    """What this process, those it started and the database take; memory is sampled while the block runs.

    A page that processes share is divided among them (proportional set size), so that the sum counts each page once.
    """

    def __init__(self) -> None:
        """Prepare to look."""
        self.megabytes = 0.0
        """The most memory held at one moment."""
        self._lap = 0.0
        self._database: psutil.Process | None = None
        self._stop = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def watch_database(self, database: Database) -> None:
        """Count the processes of a database too, where it runs on this machine."""
        with database.begin() as unit:
            backend = int(unit.driver.execute("SELECT pg_backend_pid()").fetchall()[0][0])
            with suppress(psutil.Error):  # a database elsewhere takes nothing here
                process = psutil.Process(backend).parent()
                if process is not None and "postgres" in process.name():
                    self._database = process

    def lap(self) -> float:
        """Return the most memory held since this was asked last, in MB."""
        self._look()
        peak, self._lap = self._lap, 0.0
        return peak

    def cpu_seconds(self) -> float:
        """Return the processor time used so far, by processes that have ended too."""
        return sum(map(_seconds, self._processes())) + sum(map(_seconds_of_ended, self._parents()))

    def __enter__(self) -> Footprint:
        """Begin to sample."""
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._sampler.join()

    def _sample(self) -> None:
        while not self._stop.wait(_SECONDS):
            self._look()

    def _look(self) -> None:
        held = sum(map(_bytes, self._processes())) / 1e6
        self.megabytes, self._lap = max(self.megabytes, held), max(self._lap, held)

    def _parents(self) -> list[psutil.Process]:
        return [psutil.Process(), *([self._database] if self._database else [])]

    def _processes(self) -> set[psutil.Process]:
        return {each for parent in self._parents() for each in _family(parent)}


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


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _seconds_of_ended(process: psutil.Process) -> float:
    """Return the processor time of the children that a process has seen ending."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.children_user + times.children_system)
