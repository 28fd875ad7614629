"""What the feeds brought, and what was wrong with it: every fault put in on purpose is found, and no other."""

from __future__ import annotations

from pipelines.demo.checks.check import Check

FEEDS = (
    Check(
        "records received by feed",
        "SELECT feed, sum(sent)::BIGINT FROM messages GROUP BY ALL",
        "SELECT feed, sum(records + repeated)::BIGINT FROM marts.feed_activity GROUP BY ALL",
    ),
    Check(
        "records processed by feed",
        "SELECT feed, sum(processed)::BIGINT FROM messages GROUP BY ALL",
        "SELECT feed, sum(processed)::BIGINT FROM marts.feed_activity GROUP BY ALL",
    ),
    Check(
        "records rejected by feed",
        "SELECT feed, sum(rejected)::BIGINT FROM messages GROUP BY ALL",
        "SELECT feed, sum(rejected)::BIGINT FROM marts.feed_activity GROUP BY ALL",
    ),
    Check(
        "messages that came again, by feed",
        "SELECT feed, sum(repeated)::BIGINT FROM messages GROUP BY ALL",
        "SELECT feed, sum(repeated)::BIGINT FROM marts.feed_activity GROUP BY ALL",
    ),
    Check(
        "injected faults found, by kind and feed",
        "SELECT finding_kind, feed, count(*) FROM faults GROUP BY ALL",
        "SELECT finding_kind, feed, count(*) FROM marts.findings GROUP BY ALL",
    ),
    Check(
        "the messages found faulty are those made so",
        """
        SELECT feed, control_id, string_agg(finding_kind, ' ' ORDER BY finding_kind)
        FROM faults WHERE control_id <> '' GROUP BY ALL
        """,
        """
        SELECT feed, control_id, string_agg(finding_kind, ' ' ORDER BY finding_kind)
        FROM marts.findings WHERE control_id <> '' GROUP BY ALL
        """,
        "text",
    ),
)
