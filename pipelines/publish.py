"""Publishes a finished warehouse file: a name of its own, the pointer moved at once, the last three kept."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

from hub_core.clock import now
from hub_core.fhir.ids import new_id
from hub_core.snapshot import POINTER, Snapshot
from pipelines.lake.manifest import fsync_folder

_KEPT = 3


def publish(
    built: Path, warehouse: Path, fingerprint: str, last_seq: int, code: str = "", whole_at: datetime | None = None
) -> Snapshot:
    """Move the file of a finished build into the warehouse folder and make it the current snapshot.

    Args:
        built: the file, closed by everyone; it must be on the same file system.
        warehouse: the folder of snapshots.
        fingerprint: what it was built from.
        last_seq: the last change of the record that is in it.
        code: what made it, views and models.
        whole_at: when everything in it was last made whole; now, if it is not told.
    """
    moment = now()
    whole_at = whole_at or moment
    path = warehouse / f"warehouse-{moment:%Y%m%dT%H%M%S}-{new_id().hex[-6:]}.duckdb"
    built.chmod(0o440)
    _make_durable(built)
    snapshot = Snapshot(path, moment, fingerprint, last_seq, code, whole_at)
    _write(path.with_suffix(".json"), json.dumps(_said(snapshot, whole_at)))
    built.replace(path)
    _write(warehouse / POINTER, path.name)
    _remove_old(warehouse, path)
    return snapshot


def _said(snapshot: Snapshot, whole_at: datetime) -> dict[str, object]:
    return {
        "built_at": snapshot.built_at.isoformat(),
        "fingerprint": snapshot.fingerprint,
        "last_seq": snapshot.last_seq,
        "code": snapshot.code,
        "whole_at": whole_at.isoformat(),
    }


def _write(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".new")
    draft.write_text(text, encoding="utf-8")
    _make_durable(draft)
    draft.replace(path)
    fsync_folder(path.parent)


def _make_durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_old(warehouse: Path, current: Path) -> None:
    """Remove all but the last snapshots; a reader that has one open keeps it until it closes."""
    snapshots = sorted(warehouse.glob("warehouse-*.duckdb"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    kept = {current, *snapshots[:_KEPT]}
    for path in snapshots:
        if path not in kept:
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)
