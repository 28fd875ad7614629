"""Compaction: few files however many builds there were, every change once, a run that dies at any moment included."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.lake import compaction
from pipelines.lake.compaction import due
from pipelines.lake.manifest import LakeFile, Manifest, load_manifest, save_manifest
from tests.unit.pipelines.changes import Log, change

BUILDS = 12


def grow(lake: Path, last: int, first: int = 1) -> None:
    """Build once after each change."""
    log = [change(seq, {"resourceType": "Patient", "id": f"r{seq}"}) for seq in range(1, last + 1)]
    for count in range(first, last + 1):
        Log(log[:count]).append_to(lake)


def landed(lake: Path) -> list[int]:
    return [
        seq
        for file in load_manifest(lake).files
        for seq in sorted(pq.read_table(lake / file.path, columns=["seq"]).column(0).to_pylist())
    ]


def test_many_builds_leave_few_files_with_every_change_once_and_in_their_order(tmp_path: Path) -> None:
    grow(tmp_path, BUILDS)
    assert len(load_manifest(tmp_path).files) < BUILDS / 2
    assert landed(tmp_path) == list(range(1, BUILDS + 1))
    named = {file.path for file in load_manifest(tmp_path).files}
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.parquet*")} == named


@pytest.mark.parametrize("is_named", [False, True], ids=["before the manifest", "after the manifest"])
def test_a_merge_that_dies_loses_and_repeats_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_named: bool
) -> None:
    def die(lake: Path, manifest: Manifest) -> None:
        if is_named:
            save_manifest(lake, manifest)
        raise KeyboardInterrupt

    grow(tmp_path, 3)
    monkeypatch.setattr(compaction, "save_manifest", die)
    with pytest.raises(KeyboardInterrupt):
        grow(tmp_path, 4, first=4)
    monkeypatch.undo()
    grow(tmp_path, 5, first=5)
    assert landed(tmp_path) == list(range(1, 6))
    named = {file.path for file in load_manifest(tmp_path).files}
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.parquet*")} == named


def test_a_column_that_came_later_than_a_file_is_empty_in_its_rows(tmp_path: Path) -> None:
    grow(tmp_path, 3)
    for file in load_manifest(tmp_path).files:
        path = tmp_path / file.path
        pq.write_table(pq.read_table(path).drop_columns("first_event_at"), path)
    grow(tmp_path, 4, first=4)
    [file] = load_manifest(tmp_path).files
    whole = pq.read_table(tmp_path / file.path)
    assert whole.schema.field("first_event_at").type == pa.timestamp("us", "UTC")
    assert whole.num_rows == 4


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=300))
def test_files_stay_few_and_no_byte_is_written_often(sizes: list[int]) -> None:
    files: list[LakeFile] = []
    written = 0
    for size in sizes:
        files.append(LakeFile("Patient", "", 1, size, 1, 1))
        if merged := due(files):
            whole = sum(file.bytes for file in merged)
            del files[-len(merged) :]
            files.append(LakeFile("Patient", "", 1, whole, 1, 1))
            written += whole
    most = 3 + 3 * math.log2(sum(sizes))
    assert len(files) <= most
    assert written <= sum(sizes) * most


def test_a_file_that_is_full_is_left_alone() -> None:
    sizes = [compaction._FULL, *[1] * 4]
    files = [LakeFile("Patient", str(place), 1, size, place, place) for place, size in enumerate(sizes, 1)]
    assert due(files) == files[1:]
