"""What the simulated world is drawn from: names, diseases, tests, vaccines and medicines, one CSV file each."""

from __future__ import annotations

import csv
from pathlib import Path


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of the table `name`, each by its columns."""
    with Path(__file__).with_name(f"{name}.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
