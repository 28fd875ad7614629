"""Appends the record's sealed change log to the lake, each change exactly once, whatever is cut off when.

Files are written under a temporary name, made durable, renamed, and only then named in the manifest, which is replaced
at once: a run that dies leaves strays that the next one removes before it goes on behind the manifest's last change.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ehr_pm.record.changes import Change, read
from pipelines.lake.manifest import LakeFile, Manifest, fsync_folder, load_manifest, remove_strays, save_manifest

if TYPE_CHECKING:
    import psycopg

CHANGE = pa.schema(
    [
        pa.field("seq", pa.int64()),
        pa.field("resource_type", pa.string()),
        pa.field("resource_id", pa.string()),
        pa.field("version", pa.int32()),
        pa.field("source", pa.string()),
        pa.field("source_id", pa.string()),
        pa.field("location", pa.string()),
        pa.field("patient_id", pa.string()),
        pa.field("sensitivity", pa.string()),
        pa.field("event_at", pa.timestamp("us", "UTC")),
        pa.field("first_event_at", pa.timestamp("us", "UTC")),
        pa.field("authority", pa.int16()),
        pa.field("recorded_at", pa.timestamp("us", "UTC")),
        pa.field("message_id", pa.string()),
        pa.field("position", pa.int32()),
        pa.field("mapping_version", pa.string()),
        pa.field("deleted", pa.bool_()),
        pa.field("body", pa.string()),
    ]
)
"""Columns of the files of a resource type, in the order of `Change`."""

_REPEATED = [
    "resource_type",
    "source",
    "location",
    "patient_id",
    "sensitivity",
    "authority",
    "message_id",
    "position",
    "mapping_version",
    "deleted",
]
"""Columns that say the same again and again; looking for that in the others is time lost."""

_PAGE = 4_000
"""Changes read from the record at a time."""
_BUFFERED_BYTES = 16 * 1024 * 1024
"""Bodies of one resource type held before a row group is written."""
_FILE_CHANGES = 400_000
"""Changes between two manifests, at most."""


def append_changes(
    connection: psycopg.Connection[Any], lake: Path, on_progress: Callable[[int], object] = lambda _: None
) -> Manifest:
    """Bring the lake up to the last sealed change of the record and return its manifest.

    Args:
        connection: a connection to the record.
        lake: the folder of the lake.
        on_progress: told the number of changes written, now and then.
    """

    def pages(after: int) -> Iterator[list[Change]]:
        while page := read(connection, after, _PAGE):
            yield page
            after = page[-1].seq

    return append_pages(pages, lake, on_progress)


def append_pages(
    pages: Callable[[int], Iterator[list[Change]]], lake: Path, on_progress: Callable[[int], object] = lambda _: None
) -> Manifest:
    """Append what `pages(after)` yields, in order, and return the manifest."""
    lake.mkdir(parents=True, exist_ok=True)
    manifest = load_manifest(lake)
    remove_strays(lake, manifest)
    stream = pages(manifest.last_seq)
    written = 0
    for first in stream:
        stretch = _Stretch(lake)
        for page in chain([first], stream):
            stretch.add(page)
            on_progress(written + stretch.changes)
            if stretch.changes >= _FILE_CHANGES:
                break
        written += stretch.changes
        manifest = manifest.extended(stretch.finish(), stretch.last_seq)
        save_manifest(lake, manifest)
    return manifest


class _Stretch:
    """The files of one stretch of the change log, one per resource type, until they are finished together."""

    def __init__(self, lake: Path) -> None:
        self.changes = 0
        self.last_seq = 0
        self._lake = lake
        self._open: dict[str, _TypeFile] = {}

    def add(self, page: Iterable[Change]) -> None:
        """Append changes in order."""
        by_type: dict[str, list[Change]] = {}
        for change in page:
            by_type.setdefault(change.resource_type, []).append(change)
        for resource_type, changes in by_type.items():
            if resource_type not in self._open:
                self._open[resource_type] = _TypeFile(self._lake, resource_type)
            self._open[resource_type].add(changes)
            self.last_seq = max(self.last_seq, changes[-1].seq)
            self.changes += len(changes)

    def finish(self) -> tuple[LakeFile, ...]:
        """Make every file durable under its own name."""
        return tuple(file.finish() for _, file in sorted(self._open.items()))


class _TypeFile:
    """One growing Parquet file, buffered to row groups of bounded size."""

    def __init__(self, lake: Path, resource_type: str) -> None:
        self._lake = lake
        self._type = resource_type
        folder = lake / resource_type
        folder.mkdir(exist_ok=True)
        self._part = folder / "unfinished.parquet.part"
        self._writer = pq.ParquetWriter(self._part, CHANGE, compression="zstd", use_dictionary=_REPEATED)
        self._buffer: list[Change] = []
        self._buffered = 0
        self._rows = 0
        self._first = self._last = 0

    def add(self, changes: list[Change]) -> None:
        """Append changes in order."""
        self._first = self._first or changes[0].seq
        self._last = changes[-1].seq
        self._buffer += changes
        self._buffered += sum(len(change.body) for change in changes)
        if self._buffered >= _BUFFERED_BYTES:
            self._flush()

    def finish(self) -> LakeFile:
        """Close the file, make it durable and give it its name."""
        self._flush()
        self._writer.close()
        path = self._part.with_name(f"{self._first}-{self._last}.parquet")
        settle(self._part, path)
        return LakeFile(
            self._type, str(path.relative_to(self._lake)), self._rows, path.stat().st_size, self._first, self._last
        )

    def _flush(self) -> None:
        if not self._buffer:
            return
        self._writer.write_table(as_table(self._buffer))
        self._rows += len(self._buffer)
        self._buffer.clear()
        self._buffered = 0


def as_table(changes: list[Change]) -> pa.Table:
    """Return changes as Arrow columns."""
    columns = zip(*changes, strict=True)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, CHANGE, strict=True)], CHANGE)


def settle(part: Path, path: Path) -> None:
    """Give a written file its name, durably."""
    descriptor = os.open(part, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.replace(path)
    fsync_folder(path.parent)
