"""The group's figures: people, care, claims by payer, and what the feeds brought.

A figure about something that happened counts by the day it happened; people and records are counted as they are now.
An answer is a denial when the payer says so, or pays nothing and leaves nothing to the patient: then all was refused.
A claim that the patient owes whole, to a deductible, is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from dashboards.figures.reading import capital, only_row
from dashboards.filters import Filters, grain

if TYPE_CHECKING:
    import pandas as pd

    from dashboards.warehouse import Warehouse

_TILES = """
    SELECT
        (SELECT count(*) FROM marts.patients
         WHERE ($source IS NULL OR list_contains(sources, $source))
           AND ($location IS NULL OR list_contains(locations, $location))) AS people,
        (SELECT count(*) FROM marts.patient_records
         WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)) AS records,
        (SELECT count(DISTINCT source) FROM marts.patient_records
         WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)) AS sources,
        (SELECT count(*) FROM marts.encounters
         WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
           AND ($starts IS NULL OR started_date >= $starts) AND ($ends IS NULL OR started_date < $ends)) AS encounters,
        (SELECT count(*) FROM marts.lab_results
         WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
           AND ($starts IS NULL OR coalesce(collected_at, issued_at)::date >= $starts)
           AND ($ends IS NULL OR coalesce(collected_at, issued_at)::date < $ends)) AS lab_results,
        (SELECT count(*) FROM marts.appointments
         WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
           AND ($starts IS NULL OR starts_date >= $starts) AND ($ends IS NULL OR starts_date < $ends)) AS appointments
"""

_MONEY = """
    SELECT charged.amount AS charged, paid.amount AS paid, answered.patient_amount AS patient_responsibility,
           answered.denied AS denied, answered.answers AS answers
    FROM
        (SELECT coalesce(sum(billed_amount), 0) AS amount FROM marts.charges
         WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
           AND ($starts IS NULL OR service_date >= $starts) AND ($ends IS NULL OR service_date < $ends)) AS charged,
        (SELECT coalesce(sum(paid_amount), 0) AS amount FROM marts.payments
         WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
           AND ($starts IS NULL OR payment_date >= $starts) AND ($ends IS NULL OR payment_date < $ends)) AS paid,
        (SELECT coalesce(sum(patient_responsibility_amount), 0) AS patient_amount,
                count(*) FILTER (
                    WHERE disposition = 'denied' OR (is_zero_paid AND coalesce(patient_responsibility_amount, 0) = 0)
                ) AS denied,
                count(*) AS answers
         FROM marts.claim_payments
         WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
           AND ($starts IS NULL OR payment_date >= $starts) AND ($ends IS NULL OR payment_date < $ends)) AS answered
"""

_ENCOUNTER_DAYS = """
    SELECT min(started_date) AS first, max(started_date) AS last FROM marts.encounters
    WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($starts IS NULL OR started_date >= $starts) AND ($ends IS NULL OR started_date < $ends)
"""

_ENCOUNTERS = """
    SELECT date_trunc($grain, started_date)::date AS period,
           CASE WHEN $split = 'location' THEN coalesce(location, 'Not stated')
                ELSE coalesce(class_name, 'Not stated') END AS part,
           count(*) AS encounters
    FROM marts.encounters
    WHERE started_date IS NOT NULL
      AND ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($starts IS NULL OR started_date >= $starts) AND ($ends IS NULL OR started_date < $ends)
    GROUP BY ALL ORDER BY ALL
"""

_APPOINTMENTS = """
    SELECT status, count(*) AS appointments
    FROM marts.appointments
    WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($starts IS NULL OR starts_date >= $starts) AND ($ends IS NULL OR starts_date < $ends)
    GROUP BY ALL ORDER BY appointments DESC, status
"""

_LAB_TESTS = """
    SELECT coalesce(test_name, test_code, 'Not stated') AS test, count(*) AS results,
           count(*) FILTER (WHERE is_abnormal) AS abnormal
    FROM marts.lab_results
    WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($starts IS NULL OR coalesce(collected_at, issued_at)::date >= $starts)
      AND ($ends IS NULL OR coalesce(collected_at, issued_at)::date < $ends)
    GROUP BY ALL ORDER BY results DESC, test
"""

_MESSAGES = """
    SELECT feed, sum(processed)::bigint AS processed, sum(filtered)::bigint AS filtered,
           sum(rejected)::bigint AS rejected, sum(waiting)::bigint AS waiting, sum(messages)::bigint AS messages
    FROM marts.feed_activity
    WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($received_from IS NULL OR received_date >= $received_from)
    GROUP BY ALL ORDER BY messages DESC, feed
"""

_RECORDS = """
    SELECT source, coalesce(location, 'Not stated') AS location, count(*) AS records
    FROM marts.patient_records
    WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
    GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class Volume:
    """How many people and things there are."""

    people: int
    records: int
    sources: int
    encounters: int
    lab_results: int
    appointments: int


@dataclass(frozen=True, slots=True)
class Money:
    """What was charged, by day of service, what was paid and answered, by day of payment."""

    charged: Decimal
    paid: Decimal
    patient_responsibility: Decimal
    denied: int
    answers: int


def volume(warehouse: Warehouse, filters: Filters) -> Volume:
    """Return the counts of the group."""
    return Volume(**only_row(warehouse.ask(_TILES, filters.parameters())))


def money(warehouse: Warehouse, filters: Filters) -> Money:
    """Return what was charged, paid, and answered by payers."""
    return Money(**only_row(warehouse.ask(_MONEY, filters.parameters())))


def encounters(warehouse: Warehouse, filters: Filters, split: str) -> tuple[str, pd.DataFrame]:
    """Return encounters over time, split by `class` or `location`, and the unit of time they are counted by."""
    days = only_row(warehouse.ask(_ENCOUNTER_DAYS, filters.parameters()))
    unit = grain(days["first"], days["last"])
    frame = warehouse.ask(_ENCOUNTERS, filters.parameters(grain=unit, split=split))
    return unit, frame.assign(part=frame["part"].map(capital))


def appointments(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return appointments by status."""
    return warehouse.ask(_APPOINTMENTS, filters.parameters())


def lab_tests(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return lab results by test, and how many of them are abnormal."""
    return warehouse.ask(_LAB_TESTS, filters.parameters())


def messages(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return what became of the records of each feed."""
    return warehouse.ask(_MESSAGES, filters.parameters())


def records(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return patient records by source and location."""
    return warehouse.ask(_RECORDS, filters.parameters())
