"""Free ports that nobody else takes between finding and using them.

The kernel hands ports of its ephemeral range to whoever asks next, so one found there may be gone a moment later. These
lie below that range, and a lock file for each keeps it to one test process until that ends.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from pathlib import Path
from typing import IO

_FIRST, _LAST = 20_100, 29_900
_held: list[IO[bytes]] = []


def reserve(count: int) -> list[int]:
    """Return ports that are free and stay reserved to this process."""
    return [_reserve_one() for _ in range(count)]


def _reserve_one() -> int:
    folder = Path(tempfile.gettempdir()) / f"wholechart-test-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    span = _LAST - _FIRST
    start = os.getpid() * 97 % span
    for step in range(span):
        port = _FIRST + (start + step) % span
        lock = (folder / str(port)).open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        if _is_free(port):
            _held.append(lock)
            return port
        lock.close()
    raise RuntimeError(f"no free port between {_FIRST} and {_LAST}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
