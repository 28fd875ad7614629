"""What was done through the hub itself, at the location that runs on it: covers, merges, and what had to be refused."""

from __future__ import annotations

from pipelines.demo.checks.check import Check

NORTHGATE = (
    Check(
        "coverages written down at the desk, by payer and rank",
        "SELECT site, payer, rank, relationship, count(*) FROM coverages GROUP BY ALL",
        """
        SELECT location, payer_name, coverage_order, relationship_code, count(*)
        FROM staging.stg_coverages WHERE source = 'wholechart' GROUP BY ALL
        """,
    ),
    Check(
        "records merged at the desk, and those parted again",
        "SELECT site, is_standing, count(*) FROM merges GROUP BY ALL",
        """
        SELECT location, coalesce(is_active, true), count(*)
        FROM staging.stg_linkages WHERE source = 'wholechart' GROUP BY ALL
        """,
    ),
    Check(
        "attempts that were refused, by reason",
        "SELECT site, tried, reason, count(*) FROM refusals GROUP BY ALL",
        """
        SELECT site, tried, reason, count(*)
        FROM refusals
        INNER JOIN heard ON attempt = key
        INNER JOIN (
            VALUES ('taken', 409), ('closed', 409), ('out of order', 409), ('no such time', 400),
                ('not theirs to override', 403), ('stranger', 403)
        ) AS due (why, expected) ON reason = why AND status = expected
        GROUP BY ALL
        """,
        witness="hub",
    ),
)
