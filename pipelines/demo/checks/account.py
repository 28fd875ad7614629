"""What came in and what is still open: payments, write-offs and receivables, as of the end of the simulated time."""

from __future__ import annotations

from pipelines.demo.checks.check import Check

_AGE = """
    CASE
        WHEN DATE '2026-10-31' - {since} <= 30 THEN '0-30'
        WHEN DATE '2026-10-31' - {since} <= 60 THEN '31-60'
        WHEN DATE '2026-10-31' - {since} <= 90 THEN '61-90'
        WHEN DATE '2026-10-31' - {since} <= 120 THEN '91-120'
        ELSE 'over 120'
    END
"""
"""The day is the last of the simulated time; the product asks the same as of any day."""

ACCOUNT = (
    Check(
        "payments by location, kind and payer",
        "SELECT site, payment_kind, payer, sum(cents)::BIGINT FROM payments GROUP BY ALL",
        """
        SELECT location, payment_kind, coalesce(payer_name, ''), (sum(paid_amount) * 100)::BIGINT
        FROM marts.payments GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "payments by location and month",
        "SELECT site, strftime(paid_on, '%Y-%m'), sum(cents)::BIGINT FROM payments GROUP BY ALL",
        """
        SELECT location, strftime(payment_date, '%Y-%m'), (sum(paid_amount) * 100)::BIGINT
        FROM marts.payments GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "kept back or added outside of claims, by payer and reason",
        """
        SELECT site, payer, reason_code, sum(cents)::BIGINT
        FROM payments WHERE payment_kind = 'provider_adjustment' GROUP BY ALL
        """,
        """
        SELECT location, payer_name, reason_code, (sum(paid_amount) * 100)::BIGINT
        FROM marts.payments WHERE payment_kind = 'provider_adjustment' GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "written off on accounts, by payer and reason",
        "SELECT site, payer, group_code, reason_code, sum(cents)::BIGINT FROM account_adjustments GROUP BY ALL",
        """
        SELECT location, coalesce(payer_name, ''), coalesce(group_code, ''), reason_code,
            (sum(adjusted_amount) * 100)::BIGINT
        FROM marts.account_adjustments GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "accounts by location and kind",
        "SELECT site, receivable_kind, count(*) FROM receivables GROUP BY ALL",
        "SELECT location, receivable_kind, count(*) FROM marts.receivables GROUP BY ALL",
    ),
    Check(
        "billed on accounts",
        "SELECT site, receivable_kind, sum(billed_cents)::BIGINT FROM receivables GROUP BY ALL",
        """
        SELECT location, receivable_kind, (sum(billed_amount) * 100)::BIGINT
        FROM marts.receivables GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "paid and adjusted on accounts",
        "SELECT site, receivable_kind, sum(paid_cents + adjusted_cents)::BIGINT FROM receivables GROUP BY ALL",
        """
        SELECT location, receivable_kind, (sum(paid_amount + adjusted_amount) * 100)::BIGINT
        FROM marts.receivables GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "open at payers, by location and payer",
        """
        SELECT site, payer, sum(payer_open_cents)::BIGINT
        FROM receivables WHERE payer_open_cents <> 0 GROUP BY ALL
        """,
        """
        SELECT location, coalesce(payer_name, ''), (sum(payer_open_amount) * 100)::BIGINT
        FROM marts.receivables WHERE payer_open_amount <> 0 GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "open at patients, by location",
        """
        SELECT site, receivable_kind, sum(patient_open_cents)::BIGINT
        FROM receivables WHERE patient_open_cents <> 0 GROUP BY ALL
        """,
        """
        SELECT location, receivable_kind, (sum(patient_open_amount) * 100)::BIGINT
        FROM marts.receivables WHERE patient_open_amount <> 0 GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "open by location and age",
        f"""
        SELECT site, {_AGE.format(since="aged_from")} AS age, sum(payer_open_cents + patient_open_cents)::BIGINT
        FROM receivables WHERE payer_open_cents + patient_open_cents <> 0 GROUP BY ALL
        """,  # noqa: S608 - a question of our own making
        f"""
        SELECT location, {_AGE.format(since="aged_from_date")} AS age, (sum(open_amount) * 100)::BIGINT
        FROM marts.receivables WHERE open_amount <> 0 GROUP BY ALL
        """,  # noqa: S608 - a question of our own making
        "cents",
    ),
)
