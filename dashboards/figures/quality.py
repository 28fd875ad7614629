"""The figures of data quality: what each feed sent and did, how records become persons, and what the build checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

if TYPE_CHECKING:
    from dashboards.filters import Filters
    from dashboards.warehouse import Warehouse

KINDS: Final = {
    "rejected": "Rejected",
    "repeated": "Repeated",
    "out_of_order": "Out of order",
    "late": "Late",
    "event_after_message": "Event after message",
}
"""What a feed can do that it should not, and how it is called."""

_FEEDS = """
    WITH activity AS (
        SELECT feed, any_value(format) AS format, sum(messages)::bigint AS messages,
               sum(records + coalesce(repeated, 0))::bigint AS received,
               sum(processed)::bigint AS processed, sum(filtered)::bigint AS filtered,
               sum(rejected)::bigint AS rejected, sum(repeated)::bigint AS repeated,
               sum(out_of_order)::bigint AS out_of_order, sum(late)::bigint AS late
        FROM marts.feed_activity
        WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
        GROUP BY ALL
    ), found AS (
        SELECT feed, count(*) AS event_after_message FROM marts.findings
        WHERE finding_kind = 'event_after_message'
          AND ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
        GROUP BY ALL
    )
    SELECT feed, format, messages, received, processed, filtered, rejected, coalesce(repeated, 0) AS repeated,
           coalesce(out_of_order, 0) AS out_of_order, coalesce(late, 0) AS late,
           coalesce(event_after_message, 0) AS event_after_message
    FROM activity LEFT JOIN found USING (feed) ORDER BY feed
"""

_FINDINGS = """
    SELECT finding_kind AS kind, feed, count(*) AS findings, min(found_at) AS first, max(found_at) AS last
    FROM marts.findings
    WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
    GROUP BY ALL ORDER BY findings DESC, kind, feed
"""

_RECORDS = """
    SELECT source, coalesce(location, 'Not stated') AS location, count(*) AS records,
           count(DISTINCT person_id) AS persons, count(*) FILTER (WHERE is_merged) AS merged,
           count(*) FILTER (WHERE is_stub) AS stubs
    FROM marts.patient_records
    WHERE ($source IS NULL OR source = $source) AND ($location IS NULL OR location = $location)
    GROUP BY ALL ORDER BY source, location
"""

_JOINED = """
    SELECT len(sources) AS sources, count(*) AS persons FROM marts.patients
    WHERE ($source IS NULL OR list_contains(sources, $source))
      AND ($location IS NULL OR list_contains(locations, $location))
    GROUP BY ALL ORDER BY ALL
"""

_CHECKS = """
    SELECT subject, check_name, severity, is_passed, rows_checked, engine
    FROM quality.checks
    ORDER BY is_passed, severity, engine DESC, subject, check_name
"""

_TREND = """
    SELECT received_date AS day, sum(processed)::bigint AS processed, sum(filtered)::bigint AS filtered,
           sum(rejected)::bigint AS rejected, sum(waiting)::bigint AS waiting,
           max(longest_lag_seconds) AS longest_lag_seconds
    FROM marts.feed_activity
    WHERE ($feed IS NULL OR feed = $feed)
    GROUP BY ALL ORDER BY ALL
"""


def feeds(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return what each feed sent, what became of it, and what it did that it should not."""
    return warehouse.ask(_FEEDS, filters.parameters())


def findings(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return findings by kind and feed."""
    return warehouse.ask(_FINDINGS, filters.parameters())


def records(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return patient records and the persons they belong to, by source and location."""
    return warehouse.ask(_RECORDS, filters.parameters())


def joined(warehouse: Warehouse, filters: Filters) -> pd.DataFrame:
    """Return persons by the number of sources that know them."""
    return warehouse.ask(_JOINED, filters.parameters())


def trend(warehouse: Warehouse, feed: str | None) -> pd.DataFrame:
    """Return what became of each day's records, of one feed or all."""
    return warehouse.ask(_TREND, {"feed": feed})


def checks(warehouse: Warehouse) -> pd.DataFrame:
    """Return the outcome of every quality check of the build, what did not pass first; empty if none were kept."""
    if warehouse.has("quality", "checks"):
        return warehouse.ask(_CHECKS)
    return pd.DataFrame(columns=["subject", "check_name", "severity", "is_passed", "rows_checked", "engine"])
