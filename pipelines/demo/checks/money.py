"""Charges, claims, what payers answered and paid, and what they refused. Money is compared in cents."""

from __future__ import annotations

from pipelines.demo.checks.check import Check

MONEY = (
    Check(
        "charges by location, kind and payer",
        "SELECT site, charge_kind, payer, sum(cents)::BIGINT FROM charges GROUP BY ALL",
        """
        SELECT location, charge_kind, coalesce(payer_name, ''), (sum(billed_amount) * 100)::BIGINT
        FROM marts.charges GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "charged units by location and service",
        "SELECT site, code, sum(CASE WHEN cents < 0 THEN -units ELSE units END)::BIGINT FROM charges GROUP BY ALL",
        """
        SELECT location, procedure_code, sum(CASE WHEN is_credit THEN -abs(units) ELSE units END)::BIGINT
        FROM marts.charges GROUP BY ALL
        """,
    ),
    Check(
        "charges taken back",
        "SELECT site, payer, sum(cents)::BIGINT FROM charges WHERE cents < 0 GROUP BY ALL",
        """
        SELECT location, coalesce(payer_name, ''), (sum(billed_amount) * 100)::BIGINT
        FROM marts.charges WHERE is_credit GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "claims by payer, sequence and frequency",
        "SELECT site, payer, sequence, frequency, count(*) FROM claims GROUP BY ALL",
        """
        SELECT location, payer_name, payer_sequence, coalesce(frequency_code, '1'), count(*)
        FROM marts.claims GROUP BY ALL
        """,
    ),
    Check(
        "claimed by payer and sequence",
        "SELECT site, payer, sequence, sum(cents)::BIGINT FROM claims GROUP BY ALL",
        """
        SELECT location, payer_name, payer_sequence, (sum(billed_amount) * 100)::BIGINT
        FROM marts.claims GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "answers by payer and status",
        "SELECT site, payer, status, count(*) FROM answers GROUP BY ALL",
        "SELECT location, payer_name, status_code, count(*) FROM marts.claim_payments GROUP BY ALL",
    ),
    Check(
        "charged as payers answered, by status",
        "SELECT site, payer, status, sum(charged_cents)::BIGINT FROM answers GROUP BY ALL",
        """
        SELECT location, payer_name, status_code, (sum(billed_amount) * 100)::BIGINT
        FROM marts.claim_payments GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "paid by payer and status",
        "SELECT site, payer, status, sum(paid_cents)::BIGINT FROM answers GROUP BY ALL",
        """
        SELECT location, payer_name, status_code, (sum(paid_amount) * 100)::BIGINT
        FROM marts.claim_payments GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "payments taken back (reversals)",
        "SELECT site, payer, sum(paid_cents)::BIGINT FROM answers WHERE is_reversal GROUP BY ALL",
        """
        SELECT location, payer_name, (sum(paid_amount) * 100)::BIGINT
        FROM marts.claim_payments WHERE is_reversal GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "patient responsibility by payer",
        "SELECT site, payer, sum(patient_responsibility_cents)::BIGINT FROM answers GROUP BY ALL",
        """
        SELECT location, payer_name, (sum(coalesce(patient_responsibility_amount, 0)) * 100)::BIGINT
        FROM marts.claim_payments GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "adjustments by payer, group and reason",
        "SELECT site, payer, group_code, reason_code, sum(cents)::BIGINT FROM adjustments GROUP BY ALL",
        """
        SELECT location, payer_name, group_code, reason_code, (sum(adjusted_amount) * 100)::BIGINT
        FROM marts.claim_adjustments GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "adjustments taken back (reversals), by group and reason",
        "SELECT site, group_code, reason_code, sum(cents)::BIGINT FROM adjustments WHERE is_reversal GROUP BY ALL",
        """
        SELECT location, group_code, reason_code, (sum(adjusted_amount) * 100)::BIGINT
        FROM marts.claim_adjustments WHERE is_reversal GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "denials by payer and reason",
        "SELECT site, payer, group_code, reason_code, is_overturned, count(*) FROM denials GROUP BY ALL",
        """
        SELECT location, payer_name, group_code, reason_code, is_overturned, count(*)
        FROM marts.denials GROUP BY ALL
        """,
    ),
    Check(
        "denied by payer and reason",
        "SELECT site, payer, group_code, reason_code, sum(cents)::BIGINT FROM denials GROUP BY ALL",
        """
        SELECT location, payer_name, group_code, reason_code, (sum(denied_amount) * 100)::BIGINT
        FROM marts.denials GROUP BY ALL
        """,
        "cents",
    ),
    Check(
        "answers about eligibility by payer",
        "SELECT site, payer, is_active, count(*) FROM eligibility GROUP BY ALL",
        "SELECT location, payer_name, is_active, count(*) FROM marts.eligibility_answers GROUP BY ALL",
    ),
)
