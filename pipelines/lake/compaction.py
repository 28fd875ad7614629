"""Keeps the lake's files few: of a resource type, the newest small ones become one, and every change stays once.

Each build adds a file; a thousand builds would leave a thousand to open. The newest files are merged as long as the
next older one is not much larger than all of them together, so that a change is rewritten a few times, not each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from pipelines.lake.change_log import CHANGE
from pipelines.lake.files import ChangeFile
from pipelines.lake.manifest import LakeFile, Manifest, save_manifest

_FEWEST = 4
"""Files that are worth merging."""
_FULL = 256 * 1024 * 1024
"""Bytes of a file that is left as it is."""
_ROWS = 10_000


def compact(lake: Path, manifest: Manifest) -> Manifest:
    """Merge what is due, one resource type after the other, and return the manifest.

    A run that dies leaves a merged file beside those it was made of, and a manifest that names only one of both.
    """
    for resource_type in sorted({file.table for file in manifest.files if file.last_seq}):
        merged = due(manifest.of(resource_type))
        if merged:
            manifest = _merge(lake, manifest, merged)
    return manifest


def due(files: Sequence[LakeFile]) -> Sequence[LakeFile]:
    """Return the newest files that should become one; none while they are few. `files` are in the order of the log."""
    size, count = 0, 0
    for file in reversed(files):
        if file.bytes >= _FULL or (count and file.bytes > 2 * size):
            break
        size += file.bytes
        count += 1
    return files[-count:] if count >= _FEWEST else ()


def _merge(lake: Path, manifest: Manifest, files: Sequence[LakeFile]) -> Manifest:
    whole = ChangeFile(lake, files[0].table)
    for batch in _read(lake, files):
        whole.add(batch)
    kept = tuple(file for file in manifest.files if file not in files)
    manifest = replace(manifest, files=(*kept, whole.finish()))
    save_manifest(lake, manifest)
    for file in files:
        (lake / file.path).unlink()
    return manifest


def _read(lake: Path, files: Sequence[LakeFile]) -> Iterator[pa.Table]:
    """Yield the changes of files; a column that came later than a file is empty there."""
    source = ds.dataset([str(lake / file.path) for file in files], schema=CHANGE, format="parquet")
    for batch in source.to_batches(batch_size=_ROWS):
        if batch.num_rows:
            yield pa.Table.from_batches([batch])
