"""What a demonstration made: the truth table, and what the record and the warehouse hold now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_core.snapshot import open_current
from pipelines.demo.comparison import Comparison, compare

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.installation import Installation

_FEEDS = """
SELECT feed, format, sum(records + repeats * records), sum(processed), sum(filtered), sum(rejected), sum(repeats),
    sum(changed)
FROM message GROUP BY feed, format ORDER BY feed
"""

_COUNTS = """
SELECT
    (SELECT count(*) FROM resource), (SELECT count(*) FROM message),
    (SELECT count(*) FROM person_member WHERE valid_to IS NULL),
    (SELECT count(DISTINCT person_id) FROM person_member WHERE valid_to IS NULL)
"""


@dataclass(frozen=True, slots=True)
class FeedLine:
    """What one feed brought."""

    feed: str
    format: str
    records: int
    processed: int
    filtered: int
    rejected: int
    repeated: int
    versions: int


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What is there after a demonstration."""

    comparison: Comparison
    feeds: list[FeedLine]
    resources: int
    messages: int
    patient_records: int
    persons: int
    marts: dict[str, int]
    """Rows of each mart."""
    example_person: str | None
    """Somebody with records at several locations, to look up."""
    example_key: str | None
    """The key of an answer of a payer to trace."""


def report(installation: Installation, *truth: Path) -> DemoReport:
    """Compare the published warehouse with the truth, and count what the house holds now."""
    comparison = compare(installation.settings, *truth)
    with installation.database.begin() as unit:
        feeds = [FeedLine(*row) for row in unit.driver.execute(_FEEDS).fetchall()]
        resources, messages, patient_records, persons = unit.driver.execute(_COUNTS).fetchall()[0]
    with open_current(installation.settings) as warehouse:
        names = warehouse.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'marts' ORDER BY ALL"
        ).fetchall()
        return DemoReport(
            comparison,
            feeds,
            resources,
            messages,
            patient_records,
            persons,
            marts={name: _value(warehouse, f"SELECT count(*) FROM marts.{name}") for (name,) in names},  # noqa: S608
            example_person=_value(
                warehouse,
                "SELECT min(full_name) FROM (SELECT full_name FROM marts.patients"
                " ORDER BY len(locations) DESC, patient_count DESC, full_name LIMIT 1)",
            ),
            example_key=_value(warehouse, "SELECT min(denial_id) FROM marts.denials"),
        )


def _value(warehouse: Any, query: str) -> Any:
    return warehouse.execute(query).fetchall()[0][0]
