"""The lake writer: every change once, whatever is cut off and when."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ehr_pm.record.changes import Change
from hub_core.errors import BuildError
from pipelines.lake import files, writer
from pipelines.lake.envelopes import ENVELOPES, write_envelopes
from pipelines.lake.manifest import load_manifest, save_manifest
from tests.unit.pipelines.changes import MOMENT, Log, change

TYPES = ("Patient", "Observation", "Encounter")


def log_of(count: int) -> list[Change]:
    return [change(seq, {"resourceType": TYPES[seq % 3], "id": f"r{seq}"}) for seq in range(1, count + 1)]


def landed(lake: Path) -> list[int]:
    """Return the sequence numbers in the files of the manifest."""
    found: list[int] = []
    for file in load_manifest(lake).files:
        numbers = pq.read_table(lake / file.path, columns=["seq"]).column(0).to_pylist()
        assert (min(numbers), max(numbers), len(numbers)) == (file.first_seq, file.last_seq, file.rows)
        found += numbers
    return found


def test_each_type_gets_a_file_named_by_its_first_and_last_change(tmp_path: Path) -> None:
    manifest = Log(log_of(7)).append_to(tmp_path)
    assert [file.path for file in manifest.files] == [
        "Encounter/2-5.parquet",
        "Observation/1-7.parquet",
        "Patient/3-6.parquet",
    ]
    assert manifest.last_seq == 7


def test_a_second_run_takes_only_what_is_new(tmp_path: Path) -> None:
    log = Log(log_of(5))
    log.append_to(tmp_path)
    log.changes = log_of(9)
    log.append_to(tmp_path)
    assert sorted(landed(tmp_path)) == list(range(1, 10))


def test_nothing_new_leaves_every_file_alone(tmp_path: Path) -> None:
    log = Log(log_of(5))
    before = log.append_to(tmp_path)
    assert log.append_to(tmp_path) == before


@pytest.mark.parametrize("breaks_at", range(1, 12, 2))
def test_a_broken_run_is_continued_exactly_once(
    tmp_path: Path, breaks_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_STRETCH", 4)
    log = Log(log_of(12))
    log.breaks_at = breaks_at
    with pytest.raises(ConnectionError):
        log.append_to(tmp_path)
    log.breaks_at = None
    log.append_to(tmp_path)
    assert sorted(landed(tmp_path)) == list(range(1, 13))


def test_a_log_with_a_hole_or_with_a_change_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    changes = log_of(6)
    for broken in (changes[:3] + changes[4:], [*changes[:5], *changes[4:]]):
        with pytest.raises(BuildError, match="changes 1 to 6"):
            Log(broken).append_to(tmp_path)
    assert load_manifest(tmp_path).files == ()
    Log(changes).append_to(tmp_path)
    assert sorted(landed(tmp_path)) == list(range(1, 7))


def test_files_whose_manifest_was_never_written_are_removed_and_written_again(tmp_path: Path) -> None:
    log = Log(log_of(4))
    before = log.append_to(tmp_path)
    log.changes = log_of(8)
    log.append_to(tmp_path)
    save_manifest(tmp_path, before)  # as if the run had died just before
    log.append_to(tmp_path)
    assert sorted(landed(tmp_path)) == list(range(1, 9))
    named = {file.path for file in load_manifest(tmp_path).files}
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.parquet*")} == named


def test_large_bodies_are_written_in_several_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_BUFFERED_BYTES", 150)
    changes = [change(seq, {"resourceType": "Patient", "id": f"p{seq}", "language": "x" * 100}) for seq in range(1, 5)]
    manifest = Log(changes).append_to(tmp_path)
    assert pq.ParquetFile(tmp_path / manifest.files[0].path).metadata.num_row_groups > 1


def test_a_body_keeps_every_digit(tmp_path: Path) -> None:
    body = {"resourceType": "Observation", "id": "o", "valueQuantity": {"value": "1.10"}}
    written = change(1, body)
    manifest = Log([written]).append_to(tmp_path)
    assert pq.read_table(tmp_path / manifest.files[0].path).column("body").to_pylist() == [written.body]


def test_a_damaged_manifest_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"files": 3}))
    with pytest.raises(BuildError, match="move the lake folder away"):
        load_manifest(tmp_path)


def test_envelopes_are_replaced_as_a_whole(tmp_path: Path) -> None:
    Log(log_of(3)).append_to(tmp_path)
    crosswalk = ENVELOPES[0]
    write_envelopes(tmp_path, [(crosswalk, [("a", "p", MOMENT, MOMENT), ("b", "p", MOMENT, MOMENT)])])
    manifest = write_envelopes(tmp_path, [(crosswalk, [("a", "p", MOMENT, MOMENT)])])
    (file,) = manifest.of("crosswalk")
    assert (file.rows, len(list((tmp_path / "crosswalk").iterdir()))) == (1, 1)
    assert manifest.last_seq == 3
    assert {each.table for each in manifest.files} == {*TYPES, "crosswalk"}
