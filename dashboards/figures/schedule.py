"""The schedule's figures: appointments by day, clinician and status, how many were missed, and who never came again.

The no-show rate is missed appointments among those that were kept or missed: what was cancelled in time, or is still to
come, is neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dashboards.figures.reading import only_row
from dashboards.filters import Filters, grain

if TYPE_CHECKING:
    import pandas as pd

    from dashboards.warehouse import Warehouse

STATUSES: Final = {
    "arrived": "Arrived",
    "booked": "Booked",
    "cancelled": "Cancelled",
    "checked-in": "Checked in",
    "entered-in-error": "Entered in error",
    "fulfilled": "Fulfilled",
    "noshow": "No-show",
    "pending": "Pending",
    "proposed": "Proposed",
    "waitlist": "Waitlisted",
}
"""The states of an appointment in FHIR, and how they are called."""

_TILES = """
    SELECT count(*) AS appointments,
           count(*) FILTER (WHERE status IN ('fulfilled', 'arrived', 'checked-in')) AS kept,
           count(*) FILTER (WHERE is_cancelled) AS cancelled,
           count(*) FILTER (WHERE is_no_show) AS missed
    FROM marts.appointments
    WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($starts IS NULL OR starts_date >= $starts) AND ($ends IS NULL OR starts_date < $ends)
"""

_LOST = """
    SELECT count(*) AS lost, count(DISTINCT person_id) AS lost_persons
    FROM marts.no_shows
    WHERE NOT is_seen_again
      AND ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($starts IS NULL OR starts_date >= $starts) AND ($ends IS NULL OR starts_date < $ends)
"""

_DAYS = """
    SELECT min(starts_date) AS first, max(starts_date) AS last FROM marts.appointments
    WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($starts IS NULL OR starts_date >= $starts) AND ($ends IS NULL OR starts_date < $ends)
"""

_OVER_TIME = """
    SELECT date_trunc($grain, starts_date)::date AS period, status, count(*) AS appointments
    FROM marts.appointments
    WHERE starts_date IS NOT NULL
      AND ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($starts IS NULL OR starts_date >= $starts) AND ($ends IS NULL OR starts_date < $ends)
    GROUP BY ALL ORDER BY ALL
"""

_CLINICIANS = """
    WITH booked AS (
        SELECT coalesce(practitioner_name, 'Not stated') AS clinician, count(*) AS appointments,
               count(*) FILTER (WHERE status IN ('fulfilled', 'arrived', 'checked-in')) AS kept,
               count(*) FILTER (WHERE is_cancelled) AS cancelled,
               count(*) FILTER (WHERE is_no_show) AS missed
        FROM marts.appointments
        WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
          AND ($starts IS NULL OR starts_date >= $starts) AND ($ends IS NULL OR starts_date < $ends)
        GROUP BY ALL
    ), lost AS (
        SELECT coalesce(practitioner_name, 'Not stated') AS clinician, count(*) AS lost
        FROM marts.no_shows
        WHERE NOT is_seen_again
          AND ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
          AND ($starts IS NULL OR starts_date >= $starts) AND ($ends IS NULL OR starts_date < $ends)
        GROUP BY ALL
    )
    SELECT clinician, appointments, kept, cancelled, missed, coalesce(lost, 0) AS lost
    FROM booked LEFT JOIN lost USING (clinician)
    ORDER BY appointments DESC, clinician
"""

_WEEKDAYS = """
    SELECT dayname(starts_date) AS weekday, count(*) AS appointments,
           count(*) FILTER (WHERE status IN ('fulfilled', 'arrived', 'checked-in')) AS kept,
           count(*) FILTER (WHERE is_no_show) AS missed
    FROM marts.appointments
    WHERE starts_date IS NOT NULL
      AND ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($starts IS NULL OR starts_date >= $starts) AND ($ends IS NULL OR starts_date < $ends)
    GROUP BY weekday, isodow(starts_date) ORDER BY isodow(starts_date)
"""

_LEAD_TIMES = """
    SELECT CASE WHEN days_booked_ahead IS NULL THEN 'Not known' WHEN days_booked_ahead <= 7 THEN 'Up to 7'
                WHEN days_booked_ahead <= 30 THEN '8 to 30' WHEN days_booked_ahead <= 90 THEN '31 to 90'
                ELSE 'Over 90' END AS booked_ahead,
           count(*) AS missed, count(*) FILTER (WHERE is_seen_again) AS seen_again,
           count(*) FILTER (WHERE NOT is_seen_again) AS lost
    FROM marts.no_shows
    WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
      AND ($starts IS NULL OR starts_date >= $starts) AND ($ends IS NULL OR starts_date < $ends)
    GROUP BY booked_ahead ORDER BY min(days_booked_ahead) NULLS LAST
"""


@dataclass(frozen=True, slots=True)
class Attendance:
    """How many appointments there were, and what became of them."""

    appointments: int
    kept: int
    cancelled: int
    missed: int
    lost: int
    """Missed, and the person was never seen or booked again."""
    lost_persons: int


def attendance(warehouse: Warehouse, filters: Filters) -> Attendance:
    """Return what became of the appointments."""
    parameters = filters.parameters()
    return Attendance(**only_row(warehouse.ask(_TILES, parameters)), **only_row(warehouse.ask(_LOST, parameters)))


def over_time(warehouse: Warehouse, filters: Filters) -> tuple[str, pd.DataFrame]:
    """Return appointments over time by status, and the unit of time they are counted by."""
    days = only_row(warehouse.ask(_DAYS, filters.parameters()))
    unit = grain(days["first"], days["last"])
    return unit, warehouse.ask(_OVER_TIME, filters.parameters(grain=unit))


def clinicians(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return what became of the appointments of each clinician."""
    return warehouse.ask(_CLINICIANS, filters.parameters())


def weekdays(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return kept and missed appointments by the day of the week, Monday first."""
    return warehouse.ask(_WEEKDAYS, filters.parameters())


def lead_times(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return missed appointments by how many days before they had been booked."""
    return warehouse.ask(_LEAD_TIMES, filters.parameters())
