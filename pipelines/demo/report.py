"""What a demonstration made, counted in the record and the published warehouse, as a person or a program reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_core.snapshot import open_current

if TYPE_CHECKING:
    from pipelines.installation import Installation

_FEEDS = """
SELECT feed, format, sum(records), sum(processed), sum(filtered), sum(rejected), sum(changed)
FROM message GROUP BY feed, format ORDER BY feed
"""

_MARTS = ("patients", "encounters", "lab_results", "appointments", "claims", "claim_payments", "feed_activity")


@dataclass(frozen=True, slots=True)
class FeedLine:
    """What one feed brought."""

    feed: str
    format: str
    records: int
    processed: int
    filtered: int
    rejected: int
    versions: int


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What is there after a demonstration."""

    feeds: list[FeedLine]
    resources: int
    patient_records: int
    persons: int
    marts: dict[str, int]
    billed: str
    paid: str
    example_key: str | None
    """The key of an encounter to trace."""


def report(installation: Installation) -> DemoReport:
    """Count what the house holds now."""
    with installation.database.begin() as unit:
        feeds = [FeedLine(*row) for row in unit.driver.execute(_FEEDS).fetchall()]
        resources, patient_records, persons = unit.driver.execute(
            "SELECT (SELECT count(*) FROM resource), (SELECT count(*) FROM person_member WHERE valid_to IS NULL),"
            " (SELECT count(DISTINCT person_id) FROM person_member WHERE valid_to IS NULL)"
        ).fetchall()[0]
    with open_current(installation.settings) as warehouse:
        marts = {mart: _value(warehouse, f"SELECT count(*) FROM marts.{mart}") for mart in _MARTS}  # noqa: S608
        return DemoReport(
            feeds,
            resources,
            patient_records,
            persons,
            marts,
            billed=str(_value(warehouse, "SELECT coalesce(sum(billed_amount), 0) FROM marts.claims")),
            paid=str(_value(warehouse, "SELECT coalesce(sum(paid_amount), 0) FROM marts.claim_payments")),
            example_key=_value(warehouse, "SELECT min(lab_result_id) FROM marts.lab_results"),
        )


def _value(warehouse: Any, query: str) -> Any:
    return warehouse.execute(query).fetchall()[0][0]
