"""The published warehouse: which snapshot is current, and a connection that can read it and nothing else.

A build publishes under a new name and then moves the pointer, so a reader never sees a file change. A connection keeps
the snapshot it opened, even after that has been removed.
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
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
    code: str = ""
    """What made it: views and models; empty in snapshots of before this was kept."""
    whole_at: datetime | None = None
    """When everything in it was last made whole, not only what had changed."""

    @property
    def build_id(self) -> str:
        """Return the name of the build that made it."""
        return self.path.stem.removeprefix("warehouse-")


def current_snapshot(settings: Settings) -> Snapshot | None:
    """Return the current snapshot, None before the first build."""
    try:
        name = (settings.warehouse_dir / POINTER).read_text(encoding="utf-8").strip()
        return _described(settings.warehouse_dir / name)
    except FileNotFoundError:
        return None


def kept_snapshots(settings: Settings) -> list[Snapshot]:
    """Return the snapshots that can still be read, the current one first, then those before it."""
    current = current_snapshot(settings)
    if current is None:
        return []
    kept = []
    for path in settings.warehouse_dir.glob("warehouse-*.duckdb"):
        with suppress(FileNotFoundError):  # removed between the two looks
            kept.append(_described(path))
    # One that is newer than the current is still being published.
    earlier = [each for each in kept if each.built_at < current.built_at]
    return [current, *sorted(earlier, key=lambda each: each.built_at, reverse=True)]


def open_snapshot(snapshot: Snapshot) -> duckdb.DuckDBPyConnection:
    """Return a connection to a snapshot that can neither write nor read any other file.

    Always fetch all rows of a result: one left half read breaks the next use of the connection.

    Raises:
        NotFoundError: if it is no longer kept.
    """
    try:
        return _locked(duckdb.connect(str(snapshot.path), read_only=True, config={"enable_external_access": "false"}))
    except duckdb.IOException:
        if snapshot.path.exists():
            raise
    raise NotFoundError("this snapshot of the warehouse is no longer kept")


def open_current(settings: Settings) -> duckdb.DuckDBPyConnection:
    """Return a connection to the current snapshot, as `open_snapshot` does.

    Raises:
        NotFoundError: if nothing has been published yet.
    """
    for _ in range(_TRIES):
        snapshot = current_snapshot(settings)
        if snapshot is None:
            break
        with suppress(NotFoundError):  # removed between the two looks: the pointer has moved on
            return open_snapshot(snapshot)
    raise NotFoundError("no warehouse has been published yet; make one with `wholechart build`")


def _described(path: Path) -> Snapshot:
    said = json.loads(path.with_suffix(".json").read_bytes())
    whole_at = datetime.fromisoformat(said["whole_at"]) if "whole_at" in said else None
    built_at = datetime.fromisoformat(said["built_at"])
    return Snapshot(path, built_at, said["fingerprint"], said["last_seq"], said.get("code", ""), whole_at)


def _locked(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Set the clock to UTC and let nobody change a setting again."""
    with _locking:
        if connection.execute("SELECT current_setting('lock_configuration')").fetchall() != [(True,)]:
            connection.execute("SET GLOBAL TimeZone = 'UTC'")
            connection.execute("SET lock_configuration = true")
    return connection
