"""The Parquet files of the lake while they are written: row groups of bounded size, then durable under their name."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.lake.change_log import CHANGE
from pipelines.lake.manifest import LakeFile, fsync_folder

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

_BUFFERED_BYTES = 16 * 1024 * 1024
"""Changes of one resource type held before a row group is written."""


class ChangeFile:
    """One growing file of the changes of a resource type."""

    def __init__(self, lake: Path, resource_type: str) -> None:
        """Begin a file under a temporary name."""
        self._lake = lake
        self._type = resource_type
        folder = lake / resource_type
        folder.mkdir(exist_ok=True)
        self._part = folder / "unfinished.parquet.part"
        self._writer = pq.ParquetWriter(self._part, CHANGE, compression="zstd", use_dictionary=_REPEATED)
        self._buffer: list[pa.Table] = []
        self._rows = 0
        self._bounds: list[int] = []

    def add(self, changes: pa.Table) -> None:
        """Append changes, of which there is at least one."""
        self._buffer.append(changes)
        self._rows += changes.num_rows
        self._bounds += pc.min_max(changes["seq"]).as_py().values()
        if sum(table.nbytes for table in self._buffer) >= _BUFFERED_BYTES:
            self._flush()

    def finish(self) -> LakeFile:
        """Close the file, make it durable and give it its name."""
        self._flush()
        self._writer.close()
        first, last = min(self._bounds), max(self._bounds)
        path = self._part.with_name(f"{first}-{last}.parquet")
        settle(self._part, path)
        return LakeFile(self._type, str(path.relative_to(self._lake)), self._rows, path.stat().st_size, first, last)

    def _flush(self) -> None:
        if self._buffer:
            self._writer.write_table(pa.concat_tables(self._buffer))
            self._buffer.clear()


def settle(part: Path, path: Path) -> None:
    """Give a written file its name, durably."""
    descriptor = os.open(part, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.replace(path)
    fsync_folder(path.parent)
