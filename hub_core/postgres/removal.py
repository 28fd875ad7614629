"""Removing an embedded database for good, and finding those whose data directory is gone."""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from pathlib import Path

from hub_core.errors import ConflictError
from hub_core.postgres.cluster import usable_binaries
from hub_core.postgres.locks import EXCLUSIVE, FileLock
from hub_core.postgres.places import SYSTEM_DIR, Places, locate
from hub_core.postgres.server import Server

_PATIENCE = 30.0
"""Seconds a supervisor gets to notice that the last user left and to stop the server."""
_TURN = 0.05


def discard(data_dir: Path) -> None:
    """Stop the server of a data directory and remove its database; there is no way back.

    Raises:
        ConflictError: if a process still uses it.
    """
    if not (data_dir / "postgres").is_dir():
        return
    places = locate(data_dir)
    with (
        closing(FileLock.open(places.control / "supervisor.lock")) as supervisor,
        closing(FileLock.open(places.control / "users.lock")) as users,
    ):
        deadline = time.monotonic() + _PATIENCE
        while not _has_both(supervisor, users):
            if time.monotonic() > deadline:
                raise ConflictError(f"the database of {data_dir} is in use; stop what uses it first")
            time.sleep(_TURN)
        Server(places, usable_binaries(places)).stop()
        _remove(places)


def abandoned_areas() -> list[Path]:
    """Return the server areas made by root whose data directory is gone or has another: they still hold patients' data.

    Nothing removes them by itself: the data directory may only be on a volume that is not mounted.
    """
    return sorted(note.parent for note in SYSTEM_DIR.glob("*/data-directory") if not _is_pointed_to(note))


def _is_pointed_to(note: Path) -> bool:
    pointer = Path(note.read_text()) / "postgres" / "location"
    return pointer.is_file() and pointer.read_text() == str(note.parent)


def _has_both(supervisor: FileLock, users: FileLock) -> bool:
    """Take both locks or neither: a supervisor that sees the users' lock taken believes in a user, and stays."""
    if not supervisor.try_acquire(EXCLUSIVE):
        return False
    if not users.try_acquire(EXCLUSIVE):
        supervisor.release()
        return False
    return True


def _remove(places: Places) -> None:
    shutil.rmtree(places.area)
    if places.control.is_dir():
        shutil.rmtree(places.control)
