"""How a process gets the embedded PostgreSQL: `attach`, which starts it when nobody else has, and `close`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg

import hub_core
from hub_core.errors import DatabaseUnavailableError
from hub_core.postgres.cluster import DATABASE, ROLE
from hub_core.postgres.configuration import PORT
from hub_core.postgres.locks import EXCLUSIVE, SHARED, FileLock
from hub_core.postgres.places import Places, locate

LINGER = 2.5
"""Seconds the server stays up after its last user left, so that quick successive commands share it."""
PATIENCE = 120.0
"""Seconds `attach` waits for a server that stops, starts or recovers."""
_LEAST_SPACE = 1024 * 1024
_TURN = 0.03


@dataclass(slots=True)
class Attachment:
    """One use of the embedded server: it runs at least until `close`, or until this process ends, however it ends."""

    conninfo: str = field(repr=False)
    """URL for libpq, psycopg and (as `postgresql+psycopg:`) SQLAlchemy; it holds the password."""
    data_dir: Path
    socket_dir: Path
    log_dir: Path
    _places: Places = field(repr=False)
    _users: FileLock = field(repr=False)
    _linger: float = field(repr=False)

    def close(self) -> None:
        """End this use; the last one to end has the server stopped. Closing again does nothing."""
        if self._users.descriptor >= 0:
            with suppress(OSError, DatabaseUnavailableError):  # the data directory may be gone; closing never fails
                _ensure_supervisor(self._places, self._linger)  # were it killed, nobody would stop the server
            self._users.close()

    def __enter__(self) -> Self:
        """Return the attachment itself; leaving the block closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def attach(data_dir: Path, *, linger: float = LINGER, patience: float = PATIENCE) -> Attachment:
    """Return a use of the PostgreSQL of `data_dir`, making and starting it when needed.

    Raises:
        DatabaseUnavailableError: if it cannot be made, started or reached, in one line that says what to do.
    """
    deadline = time.monotonic() + patience
    try:
        places = locate(data_dir)
        users = FileLock.open(places.control / "users.lock")
    except OSError as error:
        raise _unusable(data_dir, error) from error
    try:
        _wait_for_users_lock(users, deadline)
        conninfo, socket_dir, places = _wait_for_server(places, linger, deadline)
    except OSError as error:
        users.close()
        raise _unusable(data_dir, error) from error
    except DatabaseUnavailableError:
        users.close()
        raise
    return Attachment(conninfo, places.data_dir, socket_dir, places.log_dir, places, users, linger)


def _unusable(data_dir: Path, error: OSError) -> DatabaseUnavailableError:
    return DatabaseUnavailableError(f"the database of {data_dir} cannot be used: {error.strerror} ({error.filename})")


def _wait_for_users_lock(users: FileLock, deadline: float) -> None:
    while not users.try_acquire(SHARED):
        if time.monotonic() > deadline:
            raise DatabaseUnavailableError("the database server is still stopping; try again in a minute")
        time.sleep(_TURN)


def _wait_for_server(places: Places, linger: float, deadline: float) -> tuple[str, Path, Places]:
    began = time.time()
    complaint = "it gives no sign"
    while time.monotonic() < deadline:
        _ensure_supervisor(places, linger, since=began)
        try:
            socket_dir = Path(places.socket.read_text())
            conninfo = _conninfo(places, socket_dir)
            psycopg.connect(conninfo, connect_timeout=10).close()
        except FileNotFoundError:
            complaint = "it is still being made"
        except psycopg.OperationalError as error:
            complaint = " ".join(str(error).split())
        else:
            return conninfo, socket_dir, locate(places.data_dir)
        time.sleep(_TURN)
    raise DatabaseUnavailableError(f"the database server does not answer: {complaint} (logs: {places.log_dir})")


def _conninfo(places: Places, socket_dir: Path) -> str:
    secret = quote(places.password.read_text(), safe="")
    return f"postgresql://{ROLE}:{secret}@/{DATABASE}?host={quote(str(socket_dir), safe='')}&port={PORT}"


def _ensure_supervisor(places: Places, linger: float, *, since: float | None = None) -> None:
    """Start a supervisor if there is none, handing it its lock.

    It is found by path (`-P`), never in whatever directory this command happens to run in.

    Raises:
        DatabaseUnavailableError: if one gave up after `since`, with what it said.
    """
    lock = FileLock.open(places.control / "supervisor.lock")
    try:
        if lock.try_acquire(EXCLUSIVE):
            if since is not None and places.failure.exists() and places.failure.stat().st_mtime >= since:
                raise DatabaseUnavailableError(places.failure.read_text())
            _start_supervisor(places, linger, lock)
    finally:
        lock.close()


def _refuse_full_disk(places: Places) -> None:
    """Say now what nobody could write down later."""
    for directory in (places.control, places.area):
        if directory.is_dir() and shutil.disk_usage(directory).free < _LEAST_SPACE:
            raise DatabaseUnavailableError(f"the disk of {directory} is full; make room, then start again")


def _start_supervisor(places: Places, linger: float, lock: FileLock) -> None:
    _refuse_full_disk(places)
    root = str(Path(hub_core.__file__).parents[1])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    log = places.control / "supervisor.log"
    log.unlink(missing_ok=True)
    arguments = (str(places.data_dir), str(linger), str(lock.descriptor))
    with log.open("xb") as output:
        started = subprocess.run(
            [sys.executable, "-P", "-m", "hub_core.postgres.supervisor", *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONPATH": path},
            pass_fds=[lock.descriptor],
            start_new_session=True,
        )
    if started.returncode > 0:  # below zero it was killed: whoever waits for the server starts another
        lines = log.read_text(errors="replace").splitlines() or ["it said nothing"]
        raise DatabaseUnavailableError(f"the database's supervisor does not start: {lines[-1]} (log: {log})")
