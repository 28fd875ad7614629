"""Runs of several chapters become the files of a feed: in the order of arrival, bound in size, nothing lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.simulation import runs
from pipelines.simulation.sending import Sent
from tests.unit.pipelines.simulation.riverbend import NOON


def write(folder: Path, chapter: int, hours: list[int], suffix: str = "271") -> Path:
    """Write a run of what arrives at some hours; every body says when."""
    path = folder / f"chapter-{chapter}"
    moments = [NOON + timedelta(hours=hour) for hour in hours]
    arrivals = [
        (at, Sent("feed", at, f"{hour}.{chapter}\n".encode(), suffix)) for at, hour in zip(moments, hours, strict=True)
    ]
    runs.write_run(path, chapter, arrivals)
    return path


def merged(tmp_path: Path, *written: Path) -> list[str]:
    folder = tmp_path / "merged"
    folder.mkdir()
    runs.merge_runs(list(written), folder)
    return [path.read_text() for path in sorted(folder.iterdir())]


def test_chapters_are_merged_by_time_then_by_number(tmp_path: Path) -> None:
    found = merged(tmp_path, write(tmp_path, 1, [0, 5, 5]), write(tmp_path, 0, [1, 5, 9]))
    assert "".join(found).split() == ["0.1", "1.0", "5.0", "5.1", "5.1", "9.0"]


def test_a_file_holds_so_many_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_MOST_INTERCHANGES", 2)
    found = merged(tmp_path, write(tmp_path, 0, [1, 2, 3, 4, 5]))
    assert [each.split() for each in found] == [["1.0", "2.0"], ["3.0", "4.0"], ["5.0"]]


def test_one_export_of_all_chapters_is_one_file(tmp_path: Path) -> None:
    found = merged(tmp_path, write(tmp_path, 0, [1, 2], "ndjson"), write(tmp_path, 1, [1, 2], "ndjson"))
    assert found == ["1.0\n1.1\n", "2.0\n2.1\n"]


def test_files_of_other_kinds_keep_their_place_in_time(tmp_path: Path) -> None:
    found = merged(tmp_path, write(tmp_path, 0, [1, 3], "837"), write(tmp_path, 1, [2], "835"))
    assert sorted(path.name for path in (tmp_path / "merged").iterdir()) == ["000001.837", "000002.835", "000003.837"]
    assert found == ["1.0\n", "2.1\n", "3.0\n"]


def test_more_chapters_than_files_can_be_open_are_merged_in_waves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_MOST_OPEN", 2)
    found = merged(tmp_path, *(write(tmp_path, number, [9 - number, 20]) for number in range(7)))
    assert "".join(found).split() == [*(f"{9 - n}.{n}" for n in reversed(range(7))), *(f"20.{n}" for n in range(7))]
    assert [path.name for path in tmp_path.iterdir()] == ["merged"]
