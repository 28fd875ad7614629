"""Each location's figures beside the others': people, visits by class, appointments, results and money, and by month.

A visit that was cancelled or entered in error is none. Persons are counted as they are now, all else by its own day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

    from dashboards.filters import Filters
    from dashboards.warehouse import Warehouse

VISITS_LEFT_OUT: Final = ("cancelled", "entered-in-error")
CLASSES: Final = {"AMB": "ambulatory", "EMER": "emergency", "IMP": "inpatient"}
"""Classes of visits that have a column of their own, by the code of HL7's ActCode."""
MEASURES: Final = ("Visits", "Appointments", "Lab results", "Charged", "Paid")

_CARE = """
    WITH persons AS (
        SELECT location, count(*) AS persons
        FROM (SELECT unnest(locations) AS location FROM marts.patients
              WHERE $source IS NULL OR list_contains(sources, $source))
        GROUP BY ALL
    ), visits AS (
        SELECT coalesce(location, 'Not stated') AS location, count(*) AS visits,
               count(*) FILTER (WHERE class_code = 'AMB') AS ambulatory,
               count(*) FILTER (WHERE class_code = 'EMER') AS emergency,
               count(*) FILTER (WHERE class_code = 'IMP') AS inpatient,
               count(*) FILTER (WHERE class_code IS NULL OR class_code NOT IN ('AMB', 'EMER', 'IMP')) AS other
        FROM marts.encounters
        WHERE status NOT IN ('cancelled', 'entered-in-error') AND ($source IS NULL OR source = $source)
          AND ($starts IS NULL OR started_date >= $starts) AND ($ends IS NULL OR started_date < $ends)
        GROUP BY ALL
    ), bookings AS (
        SELECT coalesce(location, 'Not stated') AS location, count(*) AS appointments,
               count(*) FILTER (WHERE is_no_show) AS missed
        FROM marts.appointments
        WHERE ($source IS NULL OR source = $source)
          AND ($starts IS NULL OR starts_date >= $starts) AND ($ends IS NULL OR starts_date < $ends)
        GROUP BY ALL
    ), results AS (
        SELECT coalesce(location, 'Not stated') AS location, count(*) AS results FROM marts.lab_results
        WHERE ($source IS NULL OR source = $source)
          AND ($starts IS NULL OR coalesce(collected_at, issued_at)::date >= $starts)
          AND ($ends IS NULL OR coalesce(collected_at, issued_at)::date < $ends)
        GROUP BY ALL
    )
    SELECT location, coalesce(persons, 0) AS persons,
           coalesce(visits, 0) AS visits, coalesce(ambulatory, 0) AS ambulatory, coalesce(emergency, 0) AS emergency,
           coalesce(inpatient, 0) AS inpatient, coalesce(other, 0) AS other,
           coalesce(appointments, 0) AS appointments, coalesce(missed, 0) AS missed, coalesce(results, 0) AS results
    FROM persons FULL JOIN visits USING (location)
    FULL JOIN bookings USING (location) FULL JOIN results USING (location)
    WHERE $location IS NULL OR location = $location
    ORDER BY location = 'Not stated', location
"""

_PERSONS = """
    SELECT count(*) AS persons FROM marts.patients
    WHERE ($source IS NULL OR list_contains(sources, $source))
      AND ($location IS NULL OR list_contains(locations, $location))
"""

_MONEY = """
    WITH charged AS (
        SELECT coalesce(location, 'Not stated') AS location, sum(billed_amount) AS charged FROM marts.charges
        WHERE ($source IS NULL OR source = $source) AND ($payer IS NULL OR payer_name = $payer)
          AND ($starts IS NULL OR service_date >= $starts) AND ($ends IS NULL OR service_date < $ends)
        GROUP BY ALL
    ), paid AS (
        SELECT coalesce(location, 'Not stated') AS location,
               sum(paid_amount) FILTER (WHERE payment_kind <> 'patient') AS insurers_paid,
               sum(paid_amount) FILTER (WHERE payment_kind = 'patient') AS patients_paid
        FROM marts.payments
        WHERE ($source IS NULL OR source = $source) AND ($payer IS NULL OR payer_name = $payer)
          AND ($starts IS NULL OR payment_date >= $starts) AND ($ends IS NULL OR payment_date < $ends)
        GROUP BY ALL
    ), denied AS (
        SELECT coalesce(location, 'Not stated') AS location, sum(denied_amount) AS denied FROM marts.denials
        WHERE ($source IS NULL OR source = $source) AND ($payer IS NULL OR payer_name = $payer)
          AND ($starts IS NULL OR denied_date >= $starts) AND ($ends IS NULL OR denied_date < $ends)
        GROUP BY ALL
    ), owed AS (
        SELECT coalesce(location, 'Not stated') AS location, sum(open_amount) AS open FROM marts.receivables
        WHERE ($source IS NULL OR source = $source) AND ($payer IS NULL OR payer_name = $payer)
        GROUP BY ALL
    )
    SELECT location, coalesce(charged, 0) AS charged,
           coalesce(insurers_paid, 0) AS insurers_paid, coalesce(patients_paid, 0) AS patients_paid,
           coalesce(denied, 0) AS denied, coalesce(open, 0) AS open
    FROM charged FULL JOIN paid USING (location) FULL JOIN denied USING (location) FULL JOIN owed USING (location)
    WHERE $location IS NULL OR location = $location
    ORDER BY location = 'Not stated', location
"""

_MONTHS: Final = {
    "Visits": """
        SELECT date_trunc('month', started_date)::date AS period, coalesce(location, 'Not stated') AS location,
               count(*) AS amount
        FROM marts.encounters
        WHERE status NOT IN ('cancelled', 'entered-in-error') AND started_date IS NOT NULL
          AND ($location IS NULL OR location = $location) AND ($source IS NULL OR source = $source)
          AND ($starts IS NULL OR started_date >= $starts) AND ($ends IS NULL OR started_date < $ends)
        GROUP BY ALL ORDER BY ALL
    """,
    "Appointments": """
        SELECT date_trunc('month', starts_date)::date AS period, coalesce(location, 'Not stated') AS location,
               count(*) AS amount
        FROM marts.appointments
        WHERE starts_date IS NOT NULL
          AND ($location IS NULL OR location = $location) AND ($source IS NULL OR source = $source)
          AND ($starts IS NULL OR starts_date >= $starts) AND ($ends IS NULL OR starts_date < $ends)
        GROUP BY ALL ORDER BY ALL
    """,
    "Lab results": """
        SELECT date_trunc('month', coalesce(collected_at, issued_at)::date)::date AS period,
               coalesce(location, 'Not stated') AS location, count(*) AS amount
        FROM marts.lab_results
        WHERE coalesce(collected_at, issued_at) IS NOT NULL
          AND ($location IS NULL OR location = $location) AND ($source IS NULL OR source = $source)
          AND ($starts IS NULL OR coalesce(collected_at, issued_at)::date >= $starts)
          AND ($ends IS NULL OR coalesce(collected_at, issued_at)::date < $ends)
        GROUP BY ALL ORDER BY ALL
    """,
    "Charged": """
        SELECT date_trunc('month', service_date)::date AS period, coalesce(location, 'Not stated') AS location,
               sum(billed_amount) AS amount
        FROM marts.charges
        WHERE service_date IS NOT NULL AND ($payer IS NULL OR payer_name = $payer)
          AND ($location IS NULL OR location = $location) AND ($source IS NULL OR source = $source)
          AND ($starts IS NULL OR service_date >= $starts) AND ($ends IS NULL OR service_date < $ends)
        GROUP BY ALL ORDER BY ALL
    """,
    "Paid": """
        SELECT date_trunc('month', payment_date)::date AS period, coalesce(location, 'Not stated') AS location,
               sum(paid_amount) AS amount
        FROM marts.payments
        WHERE payment_date IS NOT NULL AND ($payer IS NULL OR payer_name = $payer)
          AND ($location IS NULL OR location = $location) AND ($source IS NULL OR source = $source)
          AND ($starts IS NULL OR payment_date >= $starts) AND ($ends IS NULL OR payment_date < $ends)
        GROUP BY ALL ORDER BY ALL
    """,
}


def care(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return people, visits by class, appointments and results of each location."""
    return warehouse.ask(_CARE, filters.parameters())


def persons(warehouse: Warehouse, filters: Filters) -> int:
    """Return how many persons there are at the chosen locations together, each once."""
    return int(warehouse.ask(_PERSONS, filters.parameters())["persons"].item())


def money(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return what each location charged, was paid, was denied and is owed."""
    return warehouse.ask(_MONEY, filters.parameters())


def months(warehouse: Warehouse, filters: Filters, measure: str) -> pd.DataFrame:
    """Return one of `MEASURES` by month and location."""
    return warehouse.ask(_MONTHS[measure], filters.parameters())
