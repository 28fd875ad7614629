"""The published warehouse: which snapshot is current, and a connection that can read it and nothing else.

A build publishes under a new name and then moves the pointer, so a reader never sees a file change. A connection keeps
the snapshot it opened, even after that has been removed.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from hub_core.errors import NotFoundError

if TYPE_CHECKING:
    from hub_core.settings import Settings

POINTER = "CURRENT"
"""File in the warehouse folder that holds the name of the current snapshot."""

_TRIES = 3
_locking = threading.Lock()
"""Connections of one process to one file share their settings, which only the first can still set."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One published warehouse."""

    path: Path
    built_at: datetime
    fingerprint: str
    """What it was built from; a build from the same would give the same."""
    last_seq: int
    """The last change of the record that is in it."""

    @property
    def build_id(self) -> str:
        """Return the name of the build that made it."""
        return self.path.stem.removeprefix("warehouse-")


def current_snapshot(settings: Settings) -> Snapshot | None:
    """Return the current snapshot, None before the first build."""
    try:
        name = (settings.warehouse_dir / POINTER).read_text(encoding="utf-8").strip()
        path = settings.warehouse_dir / name
        said = json.loads(path.with_suffix(".json").read_bytes())
    except FileNotFoundError:
        return None
    return Snapshot(path, datetime.fromisoformat(said["built_at"]), said["fingerprint"], said["last_seq"])


def open_current(settings: Settings) -> duckdb.DuckDBPyConnection:
    """Return a connection to the current snapshot that can neither write nor read any other file.

    Always fetch all rows of a result: one left half read breaks the next use of the connection.

    Raises:
        NotFoundError: if nothing has been published yet.
    """
    for _ in range(_TRIES):
        snapshot = current_snapshot(settings)
        if snapshot is None:
            break
        try:
            return _locked(
                duckdb.connect(str(snapshot.path), read_only=True, config={"enable_external_access": "false"})
            )
        except duckdb.IOException:
            if snapshot.path.exists():
                raise
            # It was removed between the two looks: the pointer has moved on.
    raise NotFoundError("no warehouse has been published yet; make one with `wholechart build`")


def _locked(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Set the clock to UTC and let nobody change a setting again."""
    with _locking:
        if connection.execute("SELECT current_setting('lock_configuration')").fetchall() != [(True,)]:
            connection.execute("SET GLOBAL TimeZone = 'UTC'")
            connection.execute("SET lock_configuration = true")
    return connection
