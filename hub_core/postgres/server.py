"""The server process of a cluster: started, found again after anything was killed, and stopped."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
from psycopg.conninfo import make_conninfo

from hub_core.errors import DatabaseUnavailableError
from hub_core.postgres.binaries import Binaries
from hub_core.postgres.configuration import PORT, write_configuration
from hub_core.postgres.places import Places, socket_directory
from hub_core.postgres.programs import start_as

_START_PATIENCE = 10.0
"""Seconds during which a failing start is tried again: shared memory of a killed server lingers."""
_SURVIVORS_PATIENCE = 3.0
"""Seconds that backends of a killed server get to notice it before they are killed too."""
_STOP_STEPS = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
"""PostgreSQL's fast and immediate shutdown, then the kernel's; seconds of patience after each."""


class Server:
    """The server of one cluster. Only the holder of the supervisor's lock may start or stop it."""

    def __init__(self, places: Places, binaries: Binaries) -> None:
        """Name the cluster and the programs; nothing is started yet."""
        self._places = places
        self._binaries = binaries
        self._child: subprocess.Popen[bytes] | None = None

    def postmaster(self) -> psutil.Process | None:
        """Return the server's first process, or None: a pid that now belongs to something else is not it."""
        try:
            if self._child is not None and self._child.poll() is None:
                return psutil.Process(self._child.pid)
            process = psutil.Process(int(self._lock_file()[0]))
            return process if self._is_postmaster(process) else None
        except (OSError, ValueError, IndexError, psutil.Error):
            return None

    def is_ready(self) -> bool:
        """Return whether the running server takes connections; it does not while it recovers."""
        try:
            return self._lock_file()[7].strip() == "ready"
        except (OSError, IndexError):
            return False

    def socket(self) -> Path:
        """Return the directory of the running server's socket, as the server itself says."""
        return Path(self._lock_file()[4])

    def start(self) -> None:
        """Start the server, or adopt the running one, and return when it takes connections.

        Raises:
            DatabaseUnavailableError: if it does not start within ten seconds of tries. A server that recovers may
                take as long as it needs.
        """
        deadline = time.monotonic() + _START_PATIENCE
        while not self._has_become_ready():
            if time.monotonic() > deadline:
                raise DatabaseUnavailableError(
                    f"PostgreSQL does not start: {self.last_words()} (logs: {self._places.log_dir})"
                )
            time.sleep(0.25)

    def stop(self) -> None:
        """Stop the server: fast at first, then with less and less patience; what was committed is on disk.

        A server that recovers is stopped at once: asked for a fast shutdown at that moment, PostgreSQL 18 was seen to
        hang, and the next start recovers anyway.
        """
        for number, patience in _STOP_STEPS if self._takes_connections() else _STOP_STEPS[1:]:
            process = self.postmaster()
            if process is None:
                break
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
            self._wait_until_gone(patience)
        if self._places.socket.is_file():
            shutil.rmtree(self._places.socket.read_text(), ignore_errors=True)

    def _takes_connections(self) -> bool:
        """Ask the server itself: its state file still says `ready` while it recovers from a backend's crash."""
        try:
            address = make_conninfo(host=str(self.socket()), port=PORT, connect_timeout=5)
        except (OSError, IndexError):
            return False
        return bool(psycopg.pq.PGconn.ping(address.encode()) == psycopg.pq.Ping.OK)

    def last_words(self) -> str:
        """Return the last complaint in the server's log; the log's settings keep patients' data out of it."""
        logs = sorted(self._places.log_dir.glob("server-*.log"), key=lambda path: path.stat().st_mtime)
        for path in (self._startup_log, *reversed(logs)):
            lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
            complaints = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
            if complaints:
                return complaints[-1].split(": ", 1)[-1].strip()
        return "it said nothing"

    @property
    def _startup_log(self) -> Path:
        return self._places.area / "startup.log"

    def _lock_file(self) -> list[str]:
        """Return the lines of `postmaster.pid`: pid, data directory, start, port, socket, address, memory, state."""
        return (self._places.cluster / "postmaster.pid").read_text(errors="replace").splitlines()

    def _is_postmaster(self, process: psutil.Process) -> bool:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        command = process.cmdline()
        return bool(command) and command[0].endswith("/postgres") and str(self._places.cluster) in command

    def _has_become_ready(self) -> bool:
        """Wait while a server runs; return whether it came to take connections, starting one when none runs."""
        if self.postmaster() is None:
            self._clear_remains()
            self._launch()
        while self.postmaster() is not None:
            if self.is_ready():
                return True
            time.sleep(0.02)
        return False

    def _launch(self) -> None:
        write_configuration(self._places, self._binaries, socket_directory(self._places))
        self._startup_log.unlink(missing_ok=True)
        configuration = f"config_file={self._places.area / 'server.conf'}"
        command: list[str | Path] = [
            self._binaries.program("postgres"),
            "-D",
            self._places.cluster,
            "-c",
            configuration,
        ]
        with self._startup_log.open("xb") as output:
            self._child = start_as(self._places.account, command, directory=self._places.area, output=output)

    def _clear_remains(self) -> None:
        """Remove what a killed server left in the way of the next: backends, and a pid file naming a stranger."""
        survivors = [process for process in psutil.process_iter() if self._works_in_cluster(process)]
        _, survivors = psutil.wait_procs(survivors, timeout=_SURVIVORS_PATIENCE)
        for process in survivors:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(survivors, timeout=_SURVIVORS_PATIENCE)
        # PostgreSQL takes any living process of that number for its own and would refuse to start; nothing of this
        # cluster lives now, and the supervisor's lock keeps others from starting.
        (self._places.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _works_in_cluster(self, process: psutil.Process) -> bool:
        """Return whether a process is a PostgreSQL process of this cluster: all of them work inside its directory."""
        try:
            return (
                process.name() == "postgres"
                and process.status() != psutil.STATUS_ZOMBIE
                and Path(process.cwd()) == self._places.cluster
            )
        except (OSError, psutil.Error):
            return False

    def _wait_until_gone(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while self.postmaster() is not None and time.monotonic() < deadline:
            time.sleep(0.05)
