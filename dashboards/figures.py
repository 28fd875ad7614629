"""The group's figures: each a question to the marts that aggregates, limited by the chosen filters.

Every question holds for all filters at once (`$name IS NULL OR ...`), so that none is put together from pieces.
A figure about something that happened counts by the day it happened; people and records are counted as they are now.
An answer is a denial when the payer says so, or pays nothing and leaves nothing to the patient: then all was refused.
A claim that the patient owes whole, to a deductible, is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import pandas as pd

from dashboards.filters import Filters, grain
from dashboards.warehouse import Warehouse

NOT_STATED: Final = "Not stated"

_TILES = """
    SELECT
        (SELECT count(*) FROM marts.patients
         WHERE ($source IS NULL OR list_contains(sources, $source))
           AND ($location IS NULL OR list_contains(locations, $location))) AS people,
        (SELECT count(*) FROM staging.stg_patients
         WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)) AS records,
        (SELECT count(DISTINCT source) FROM staging.stg_patients
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
    SELECT
        billed.amount AS billed, paid.amount AS paid, paid.patient_amount AS patient_responsibility,
        paid.denied AS denied, paid.answers AS answers
    FROM
        (SELECT coalesce(sum(billed_amount), 0) AS amount FROM marts.claims
         WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
           AND ($starts IS NULL OR service_start_date >= $starts)
           AND ($ends IS NULL OR service_start_date < $ends)) AS billed,
        (SELECT coalesce(sum(paid_amount), 0) AS amount,
                coalesce(sum(patient_responsibility_amount), 0) AS patient_amount,
                count(*) FILTER (
                    WHERE disposition = 'denied' OR (is_zero_paid AND coalesce(patient_responsibility_amount, 0) = 0)
                ) AS denied,
                count(*) AS answers
         FROM marts.claim_payments
         WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
           AND ($starts IS NULL OR payment_date >= $starts) AND ($ends IS NULL OR payment_date < $ends)) AS paid
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

_PAYERS = """
    WITH billed AS (
        SELECT coalesce(payer_name, 'Not stated') AS payer, count(*) AS claims, sum(billed_amount) AS billed
        FROM marts.claims
        WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
          AND ($starts IS NULL OR service_start_date >= $starts) AND ($ends IS NULL OR service_start_date < $ends)
        GROUP BY ALL
    ), paid AS (
        SELECT coalesce(payer_name, 'Not stated') AS payer, sum(paid_amount) AS paid,
               sum(patient_responsibility_amount) AS patient_responsibility,
               count(*) FILTER (
                   WHERE disposition = 'denied' OR (is_zero_paid AND coalesce(patient_responsibility_amount, 0) = 0)
               ) AS denied
        FROM marts.claim_payments
        WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
          AND ($starts IS NULL OR payment_date >= $starts) AND ($ends IS NULL OR payment_date < $ends)
        GROUP BY ALL
    )
    SELECT payer, coalesce(claims, 0) AS claims, coalesce(billed, 0) AS billed, coalesce(paid, 0) AS paid,
           coalesce(patient_responsibility, 0) AS patient_responsibility, coalesce(denied, 0) AS denied
    FROM billed FULL JOIN paid USING (payer)
    ORDER BY billed DESC, payer
"""

_MESSAGES = """
    SELECT feed, sum(processed)::bigint AS processed, sum(filtered)::bigint AS filtered,
           sum(rejected)::bigint AS rejected, sum(waiting)::bigint AS waiting, sum(messages)::bigint AS messages
    FROM marts.feed_activity
    WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($starts IS NULL OR received_date >= $starts) AND ($ends IS NULL OR received_date < $ends)
    GROUP BY ALL ORDER BY messages DESC, feed
"""

_TREND = """
    SELECT received_date AS day, sum(processed)::bigint AS processed, sum(filtered)::bigint AS filtered,
           sum(rejected)::bigint AS rejected, sum(waiting)::bigint AS waiting,
           max(longest_lag_seconds) AS longest_lag_seconds
    FROM marts.feed_activity
    WHERE ($feed IS NULL OR feed = $feed)
    GROUP BY ALL ORDER BY ALL
"""

_RECORDS = """
    SELECT source, coalesce(location, 'Not stated') AS location, count(*) AS records
    FROM staging.stg_patients
    WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
    GROUP BY ALL ORDER BY ALL
"""


_CHECKS = """
    SELECT subject, check_name, severity, is_passed, rows_checked, engine
    FROM quality.checks
    ORDER BY is_passed, severity, engine DESC, subject, check_name
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
    """What was billed, by day of service, and what payers answered, by day of payment."""

    billed: Decimal
    paid: Decimal
    patient_responsibility: Decimal
    denied: int
    answers: int


def volume(warehouse: Warehouse, filters: Filters) -> Volume:
    """Return the counts of the group."""
    return Volume(**_only_row(warehouse.ask(_TILES, filters.parameters())))


def money(warehouse: Warehouse, filters: Filters) -> Money:
    """Return the sums of claims and of what payers answered."""
    return Money(**_only_row(warehouse.ask(_MONEY, filters.parameters())))


def encounters(warehouse: Warehouse, filters: Filters, split: str) -> tuple[str, pd.DataFrame]:
    """Return encounters over time, split by `class` or `location`, and the unit of time they are counted by."""
    days = _only_row(warehouse.ask(_ENCOUNTER_DAYS, filters.parameters()))
    unit = grain(days["first"], days["last"])
    frame = warehouse.ask(_ENCOUNTERS, filters.parameters(grain=unit, split=split))
    return unit, frame.assign(part=frame["part"].map(_capital))


def appointments(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return appointments by status."""
    return warehouse.ask(_APPOINTMENTS, filters.parameters())


def lab_tests(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return lab results by test, and how many of them are abnormal."""
    return warehouse.ask(_LAB_TESTS, filters.parameters())


def payers(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return billed and answered amounts by payer."""
    return warehouse.ask(_PAYERS, filters.parameters())


def messages(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return what became of the records of each feed."""
    return warehouse.ask(_MESSAGES, filters.parameters())


def records(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return patient records by source and location."""
    return warehouse.ask(_RECORDS, filters.parameters())


def trend(warehouse: Warehouse, feed: str | None) -> pd.DataFrame:
    """Return what became of each day's records, of one feed or all."""
    return warehouse.ask(_TREND, {"feed": feed})


def checks(warehouse: Warehouse) -> pd.DataFrame:
    """Return the outcome of every quality check of the build, what did not pass first; empty if none were kept."""
    if warehouse.has("quality", "checks"):
        return warehouse.ask(_CHECKS)
    return pd.DataFrame(columns=["subject", "check_name", "severity", "is_passed", "rows_checked", "engine"])


def _capital(name: str) -> str:
    """Return a word of a code system as a label; codes in capitals and names stay as they are."""
    return name[:1].upper() + name[1:]


def _only_row(frame: pd.DataFrame) -> dict[str, Any]:
    return {str(name): values.iloc[0] for name, values in frame.items()}
