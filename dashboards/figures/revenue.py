"""The money's figures: charged, paid, adjusted, denied, and what is still owed, by whom and for how long.

Charges count by the day of service, payments and adjustments by the day they were paid or posted, denials by the day of
the answer. What is owed is what this snapshot knows; its age is counted to the chosen day, and what is younger than
that day is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dashboards.figures.reading import only_row

if TYPE_CHECKING:
    import pandas as pd

    from dashboards.filters import Filters
    from dashboards.warehouse import Warehouse

PATIENTS: Final = "Patients"
CHARGE_DAYS: Final = 90
"""Days of charges that make an average day, when days in A/R are counted."""


@dataclass(frozen=True, slots=True)
class Age:
    """One range of days that something has been owed."""

    name: str
    title: str
    first: int | None
    last: int | None

    def days(self, as_of: date) -> tuple[date | None, date | None]:
        """Return the days from which, and before which, something is this old."""
        starts = None if self.last is None else as_of - timedelta(days=self.last)
        ends = None if self.first is None else as_of - timedelta(days=self.first - 1)
        return starts, ends


AGES: Final = (
    Age("days_0_30", "0–30 days", 0, 30),
    Age("days_31_60", "31–60", 31, 60),
    Age("days_61_90", "61–90", 61, 90),
    Age("days_91_120", "91–120", 91, 120),
    Age("days_over_120", "Over 120", 121, None),
)

_TILES = """
    SELECT
        (SELECT coalesce(sum(billed_amount), 0) FROM marts.charges
         WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
           AND ($payer IS NULL OR payer_name = $payer)
           AND ($starts IS NULL OR service_date >= $starts) AND ($ends IS NULL OR service_date < $ends)) AS charged,
        (SELECT coalesce(sum(paid_amount), 0) FROM marts.payments
         WHERE payment_kind <> 'patient'
           AND ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
           AND ($payer IS NULL OR payer_name = $payer)
           AND ($starts IS NULL OR payment_date >= $starts)
           AND ($ends IS NULL OR payment_date < $ends)) AS insurers_paid,
        (SELECT coalesce(sum(paid_amount), 0) FROM marts.payments
         WHERE payment_kind = 'patient'
           AND ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
           AND ($payer IS NULL OR payer_name = $payer)
           AND ($starts IS NULL OR payment_date >= $starts)
           AND ($ends IS NULL OR payment_date < $ends)) AS patients_paid,
        (SELECT coalesce(sum(denied_amount), 0) FROM marts.denials
         WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
           AND ($payer IS NULL OR payer_name = $payer)
           AND ($starts IS NULL OR denied_date >= $starts) AND ($ends IS NULL OR denied_date < $ends)) AS denied,
        (SELECT coalesce(sum(denied_amount), 0) FROM marts.denials
         WHERE NOT is_overturned
           AND ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
           AND ($payer IS NULL OR payer_name = $payer)
           AND ($starts IS NULL OR denied_date >= $starts) AND ($ends IS NULL OR denied_date < $ends)) AS lost
"""

_OWED = """
    SELECT coalesce(sum(open_amount), 0) AS open, coalesce(sum(payer_open_amount), 0) AS payer_open,
           coalesce(sum(patient_open_amount), 0) AS patient_open
    FROM marts.receivables
    WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($payer IS NULL OR payer_name = $payer) AND (aged_from_date IS NULL OR aged_from_date <= $day)
"""

_CHARGED_BEFORE = """
    SELECT coalesce(sum(billed_amount), 0) AS charged FROM marts.charges
    WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($payer IS NULL OR payer_name = $payer) AND service_date > $before AND service_date <= $day
"""

_AGES = """
    WITH owed AS (
        SELECT coalesce(payer_name, 'Not stated') AS owed_by, payer_open_amount AS amount, aged_from_date,
               false AS is_own
        FROM marts.receivables
        WHERE payer_open_amount <> 0
          AND ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
          AND ($payer IS NULL OR payer_name = $payer)
        UNION ALL
        SELECT 'Patients', patient_open_amount, aged_from_date, true
        FROM marts.receivables
        WHERE patient_open_amount <> 0
          AND ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
          AND ($payer IS NULL OR payer_name = $payer)
    ), aged AS (
        SELECT *, date_diff('day', aged_from_date, $day::date) AS days FROM owed
        WHERE aged_from_date IS NULL OR aged_from_date <= $day
    )
    SELECT owed_by, is_own,
           coalesce(sum(amount) FILTER (WHERE days <= 30), 0) AS days_0_30,
           coalesce(sum(amount) FILTER (WHERE days BETWEEN 31 AND 60), 0) AS days_31_60,
           coalesce(sum(amount) FILTER (WHERE days BETWEEN 61 AND 90), 0) AS days_61_90,
           coalesce(sum(amount) FILTER (WHERE days BETWEEN 91 AND 120), 0) AS days_91_120,
           coalesce(sum(amount) FILTER (WHERE days > 120), 0) AS days_over_120,
           coalesce(sum(amount) FILTER (WHERE days IS NULL), 0) AS undated,
           sum(amount) AS total
    FROM aged GROUP BY ALL ORDER BY is_own, total DESC, owed_by
"""

_MONTHS = """
    SELECT period, kind, sum(amount) AS amount FROM (
        SELECT date_trunc('month', service_date)::date AS period, 'Charged' AS kind, billed_amount AS amount,
               source, location, payer_name, service_date AS day FROM marts.charges
        UNION ALL
        SELECT date_trunc('month', payment_date)::date, 'Paid', paid_amount, source, location, payer_name, payment_date
        FROM marts.payments
        UNION ALL
        SELECT date_trunc('month', payment_date)::date, 'Adjusted', adjusted_amount, source, location, payer_name,
               payment_date
        FROM marts.claim_adjustments WHERE group_code <> 'PR'
        UNION ALL
        SELECT date_trunc('month', adjusted_date)::date, 'Adjusted', adjusted_amount, source, location, payer_name,
               adjusted_date
        FROM marts.account_adjustments
    )
    WHERE day IS NOT NULL
      AND ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($payer IS NULL OR payer_name = $payer)
      AND ($starts IS NULL OR day >= $starts) AND ($ends IS NULL OR day < $ends)
    GROUP BY ALL ORDER BY ALL
"""

_PAYERS = """
    WITH charged AS (
        SELECT coalesce(payer_name, 'Not stated') AS payer, sum(billed_amount) AS charged FROM marts.charges
        WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
          AND ($payer IS NULL OR payer_name = $payer)
          AND ($starts IS NULL OR service_date >= $starts) AND ($ends IS NULL OR service_date < $ends)
        GROUP BY ALL
    ), paid AS (
        SELECT coalesce(payer_name, 'Not stated') AS payer, sum(paid_amount) AS paid FROM marts.payments
        WHERE payment_kind <> 'patient'
          AND ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
          AND ($payer IS NULL OR payer_name = $payer)
          AND ($starts IS NULL OR payment_date >= $starts) AND ($ends IS NULL OR payment_date < $ends)
        GROUP BY ALL
    ), answered AS (
        SELECT coalesce(payer_name, 'Not stated') AS payer, sum(patient_responsibility_amount) AS patient_responsibility
        FROM marts.claim_payments
        WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
          AND ($payer IS NULL OR payer_name = $payer)
          AND ($starts IS NULL OR payment_date >= $starts) AND ($ends IS NULL OR payment_date < $ends)
        GROUP BY ALL
    ), denied AS (
        SELECT coalesce(payer_name, 'Not stated') AS payer, count(*) AS denials, sum(denied_amount) AS denied,
               count(*) FILTER (WHERE is_overturned) AS overturned
        FROM marts.denials
        WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
          AND ($payer IS NULL OR payer_name = $payer)
          AND ($starts IS NULL OR denied_date >= $starts) AND ($ends IS NULL OR denied_date < $ends)
        GROUP BY ALL
    )
    SELECT payer, coalesce(charged, 0) AS charged, coalesce(paid, 0) AS paid,
           coalesce(patient_responsibility, 0) AS patient_responsibility, coalesce(denials, 0) AS denials,
           coalesce(denied, 0) AS denied, coalesce(overturned, 0) AS overturned
    FROM charged FULL JOIN paid USING (payer) FULL JOIN answered USING (payer) FULL JOIN denied USING (payer)
    ORDER BY charged DESC, payer
"""

_ADJUSTMENTS = """
    SELECT mart, group_code, reason_code, count(*) AS adjustments, sum(adjusted_amount) AS adjusted FROM (
        SELECT 'claim_adjustments' AS mart, group_code, reason_code, adjusted_amount, source, location, payer_name,
               payment_date AS day FROM marts.claim_adjustments
        UNION ALL
        SELECT 'account_adjustments', group_code, reason_code, adjusted_amount, source, location, payer_name,
               adjusted_date
        FROM marts.account_adjustments
    )
    WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($payer IS NULL OR payer_name = $payer)
      AND ($starts IS NULL OR day >= $starts) AND ($ends IS NULL OR day < $ends)
    GROUP BY ALL ORDER BY adjusted DESC, mart, group_code, reason_code
"""

_DENIALS = """
    SELECT group_code, reason_code, coalesce(payer_name, 'Not stated') AS payer, count(*) AS denials,
           sum(denied_amount) AS denied, count(*) FILTER (WHERE is_overturned) AS overturned,
           coalesce(sum(denied_amount) FILTER (WHERE NOT is_overturned), 0) AS lost
    FROM marts.denials
    WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($payer IS NULL OR payer_name = $payer)
      AND ($starts IS NULL OR denied_date >= $starts) AND ($ends IS NULL OR denied_date < $ends)
    GROUP BY ALL ORDER BY denied DESC, reason_code, payer
"""


@dataclass(frozen=True, slots=True)
class Flow:
    """What moved in the period."""

    charged: Decimal
    insurers_paid: Decimal
    """Withholdings and takebacks of insurers included."""
    patients_paid: Decimal
    denied: Decimal
    lost: Decimal
    """Denied, and not paid since."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What is still owed, and how many average days of charges that is."""

    open: Decimal
    payer_open: Decimal
    patient_open: Decimal
    days: Decimal | None


def flow(warehouse: Warehouse, filters: Filters) -> Flow:
    """Return what was charged, paid and denied."""
    return Flow(**only_row(warehouse.ask(_TILES, filters.parameters())))


def owed(warehouse: Warehouse, filters: Filters) -> Owed:
    """Return what is owed; days in A/R is that over the average daily charge of the 90 days to the chosen day."""
    open_amounts = only_row(warehouse.ask(_OWED, filters.parameters()))
    before = filters.day - timedelta(days=CHARGE_DAYS)
    charged = Decimal(warehouse.ask(_CHARGED_BEFORE, filters.parameters(before=before))["charged"].item())
    days = CHARGE_DAYS * Decimal(open_amounts["open"]) / charged if charged > 0 else None
    return Owed(**open_amounts, days=days)


def ages(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return what each payer, and all patients together, owe by how long they have."""
    return warehouse.ask(_AGES, filters.parameters())


def months(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return what was charged, paid and adjusted by month; what was left to patients is no adjustment."""
    return warehouse.ask(_MONTHS, filters.parameters())


def payers(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return charges, payments, patient responsibility and denials of each payer."""
    return warehouse.ask(_PAYERS, filters.parameters())


def adjustments(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return adjustments by the mart they stand in, group and reason."""
    return warehouse.ask(_ADJUSTMENTS, filters.parameters())


def denials(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return denials by reason and payer, the most money first."""
    return warehouse.ask(_DENIALS, filters.parameters())
