"""The process that owns the server of one data directory: starts it, restarts it, stops it when nobody uses it.

Run by the launcher as `python -m hub_core.postgres.supervisor DATA_DIR LINGER LOCK`, with the supervisor's lock
inherited as descriptor LOCK: whoever holds that lock is the supervisor, so there is never a second one.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

import psycopg

from hub_core.errors import DatabaseUnavailableError
from hub_core.postgres import cluster
from hub_core.postgres.locks import EXCLUSIVE, FileLock
from hub_core.postgres.places import Places, locate, write_whole
from hub_core.postgres.server import Server

_TURN = 0.2
"""Seconds between two looks at the server and its users."""


class Supervisor:
    """Keeps one server running while it has users: processes that hold `users.lock` shared."""

    def __init__(self, places: Places, linger: float) -> None:
        """Open the users' lock; `linger` is how long the server stays up, in seconds, after its last user left."""
        self._places = places
        self._linger = linger
        self._users = FileLock.open(places.control / "users.lock")
        binaries = cluster.usable_binaries(places)
        self._binaries = binaries
        self._server = Server(places, binaries)

    def supervise(self) -> None:
        """Run the server until nobody has used it for the linger, then stop it.

        The users' lock stays exclusive until this process ends: who comes meanwhile waits, then starts a new one.
        """
        try:
            self._start()
            while not self._is_abandoned():
                if self._server.postmaster() is None:
                    if not self._places.control.is_dir():
                        return  # the data directory was removed: its server does not come back
                    self._start()
        finally:
            self._server.stop()

    def _start(self) -> None:
        cluster.create(self._places, self._binaries)
        self._server.start()
        socket = self._server.socket()
        cluster.prepare(self._places, self._binaries, socket)
        write_whole(self._places.socket, str(socket))

    def _is_abandoned(self) -> bool:
        """Return whether no user was seen for the linger, and keep new ones waiting then; False after one turn."""
        ends_at = time.monotonic() + self._linger
        while self._users.try_acquire(EXCLUSIVE):
            if time.monotonic() >= ends_at or not self._places.control.is_dir():
                return True
            self._users.release()
            if self._server.postmaster() is None:
                return False
            time.sleep(_TURN)
        time.sleep(_TURN)
        return False


def main(data_dir: Path, linger: float, descriptor: int) -> None:
    """Become a daemon holding the inherited lock, and supervise; a failure is left in words for the launcher."""
    if os.fork() != 0:
        os._exit(0)
    lock = FileLock(descriptor)
    os.set_inheritable(lock.descriptor, False)
    os.chdir("/")
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    places = locate(data_dir)
    places.failure.unlink(missing_ok=True)
    try:
        Supervisor(places, linger).supervise()
    except (DatabaseUnavailableError, OSError, psycopg.Error) as error:
        with suppress(OSError):  # the data directory may be gone
            write_whole(places.failure, " ".join(str(error).split()))
    finally:
        lock.close()  # before the users' lock, which ends with the process: who waits for that finds this one free


def _leave(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
