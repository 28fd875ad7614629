"""What the lake consists of: a file that is not in the manifest is not in the lake."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from hub_core.errors import BuildError

_NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class LakeFile:
    """One Parquet file: a stretch of the change log for one resource type, or a whole table of envelopes."""

    table: str
    """A resource type, or `crosswalk`, `messages`, `rejects`."""
    path: str
    """Relative to the lake."""
    rows: int
    bytes: int
    first_seq: int = 0
    last_seq: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of the lake, and how far into the change log they reach."""

    last_seq: int = 0
    files: tuple[LakeFile, ...] = ()

    def of(self, table: str) -> tuple[LakeFile, ...]:
        """Return the files of one resource type or table of envelopes."""
        return tuple(file for file in self.files if file.table == table)

    def extended(self, files: tuple[LakeFile, ...], last_seq: int) -> Manifest:
        """Return the manifest with more of the change log in it."""
        return replace(self, last_seq=last_seq, files=self.files + files)

    def with_snapshots(self, files: tuple[LakeFile, ...]) -> Manifest:
        """Return the manifest with these files as the only ones of their tables."""
        replaced = {file.table for file in files}
        return replace(self, files=tuple(file for file in self.files if file.table not in replaced) + files)


def load_manifest(lake: Path) -> Manifest:
    """Return the manifest of a lake; an empty one before its first file.

    Raises:
        BuildError: if the manifest cannot be read.
    """
    try:
        saved = json.loads((lake / _NAME).read_bytes())
        return Manifest(saved["last_seq"], tuple(LakeFile(**file) for file in saved["files"]))
    except FileNotFoundError:
        return Manifest()
    except (ValueError, KeyError, TypeError) as error:
        raise BuildError(
            f"{lake / _NAME} is damaged; move the lake folder away and build again: it is made anew from the record"
        ) from error


def save_manifest(lake: Path, manifest: Manifest) -> None:
    """Put a manifest in the place of the old one, at once and for good."""
    draft = lake / f"{_NAME}.new"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(asdict(manifest), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(lake / _NAME)
    fsync_folder(lake)


def remove_strays(lake: Path, manifest: Manifest) -> None:
    """Delete what a run that was cut off left behind: Parquet files the manifest does not name."""
    kept = {lake / file.path for file in manifest.files}
    for path in _parquet(lake):
        if path not in kept:
            path.unlink()


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _parquet(lake: Path) -> Iterator[Path]:
    yield from lake.glob("*/*.parquet")
    yield from lake.glob("*/*.parquet.part")
