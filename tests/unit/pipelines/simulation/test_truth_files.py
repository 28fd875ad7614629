"""Files of truth hold what they were given, whether or not a value needs quotes."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.simulation.truth import Row, TruthFiles

PLAIN: Row = {"name": "Ann Ames", "born": date(1990, 2, 3), "value": Decimal("1.50"), "is_new": True, "count": 4}


@pytest.mark.parametrize("name", ["Ann Ames", "Ames, Ann", 'Ann "Annie" Ames', "Ann\nAmes", ""])
def test_rows_are_read_as_they_were_written(tmp_path: Path, name: str) -> None:
    with TruthFiles(tmp_path) as truth:
        truth.add("persons", [PLAIN, {**PLAIN, "name": name}])
        truth.add("persons", [PLAIN])
        truth.add("visits", [])
    with (tmp_path / "persons.csv").open(encoding="utf-8", newline="") as stream:
        read = [list(row.values()) for row in csv.DictReader(stream)]
    rest = ["1990-02-03", "1.50", "True", "4"]
    assert read == [["Ann Ames", *rest], [name, *rest], ["Ann Ames", *rest]]
    assert [path.name for path in tmp_path.iterdir()] == ["persons.csv"]


def test_only_what_must_be_is_quoted(tmp_path: Path) -> None:
    with TruthFiles(tmp_path) as truth:
        truth.add("persons", [PLAIN, {**PLAIN, "name": "Ames, Ann"}])
    lines = (tmp_path / "persons.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1:] == ["Ann Ames,1990-02-03,1.50,True,4", '"Ames, Ann",1990-02-03,1.50,True,4']
