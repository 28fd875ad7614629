"""Appends the record's sealed change log to the lake, each change exactly once, whatever is cut off when.

Files are written under a temporary name, made durable, renamed, and only then named in the manifest, which is replaced
at once: a run that dies leaves strays that the next one removes before it goes on behind the manifest's last change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from ehr_pm.record import changes
from hub_core.errors import BuildError
from pipelines.lake.change_log import read_log
from pipelines.lake.compaction import compact
from pipelines.lake.files import ChangeFile
from pipelines.lake.manifest import LakeFile, Manifest, load_manifest, remove_strays, save_manifest

if TYPE_CHECKING:
    from hub_core.database import Database

_STRETCH = 400_000
"""Changes between two manifests, at most."""

Read: TypeAlias = Callable[[int, int], Iterator[pa.Table]]
"""Yields the changes numbered above the first number, up to the second, in any order."""


def append_changes(database: Database, lake: Path, on_progress: Callable[[int], object] = lambda _: None) -> Manifest:
    """Bring the lake up to the last sealed change of the record and return its manifest.

    Args:
        database: where the record is.
        lake: the folder of the lake.
        on_progress: told the number of changes written, now and then.

    Raises:
        BuildError: if the change log is not whole.
    """
    with database.begin() as unit:
        last = changes.sealed_up_to(unit.driver)
    return append(partial(read_log, database.conninfo), last, lake, on_progress)


def append(read: Read, last: int, lake: Path, on_progress: Callable[[int], object] = lambda _: None) -> Manifest:
    """Append what `read` gives up to the change numbered `last`, and return the manifest.

    Raises:
        BuildError: if changes are missing, or are there twice.
    """
    lake.mkdir(parents=True, exist_ok=True)
    manifest = load_manifest(lake)
    remove_strays(lake, manifest)
    before = manifest.last_seq
    for after in range(before, last, _STRETCH):
        stretch = _Stretch(lake)
        up_to = min(after + _STRETCH, last)
        for batch in read(after, up_to):
            stretch.add(batch)
            on_progress(after - before + stretch.changes)
        if stretch.changes != up_to - after:
            raise BuildError(f"of the changes {after + 1} to {up_to} of the record, {stretch.changes} were found")
        manifest = manifest.extended(stretch.finish(), up_to)
        save_manifest(lake, manifest)
    return compact(lake, manifest)


class _Stretch:
    """The files of one stretch of the change log, one per resource type, until they are finished together."""

    def __init__(self, lake: Path) -> None:
        self.changes = 0
        self._lake = lake
        self._open: dict[str, ChangeFile] = {}

    def add(self, batch: pa.Table) -> None:
        """Append changes of any types."""
        types = batch["resource_type"]
        for resource_type in pc.unique(types).to_pylist():
            if resource_type not in self._open:
                self._open[resource_type] = ChangeFile(self._lake, resource_type)
            self._open[resource_type].add(batch.filter(pc.equal(types, resource_type)))
        self.changes += batch.num_rows

    def finish(self) -> tuple[LakeFile, ...]:
        """Make every file durable under its own name."""
        return tuple(file.finish() for _, file in sorted(self._open.items()))
