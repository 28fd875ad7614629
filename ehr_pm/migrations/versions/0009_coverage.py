"""Who pays for a patient: coverages by rank and date, images of their cards, and what payers answered about them."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEPT = """
    created_at timestamptz NOT NULL,
    created_by uuid,
    changed_at timestamptz NOT NULL,
    changed_by uuid,
    version bigint NOT NULL
"""

STATEMENTS = (
    # Of one patient and rank only one coverage holds on any day: the database refuses two primaries.
    f"""
    CREATE TABLE coverage (
        coverage_id uuid PRIMARY KEY,
        patient_id uuid NOT NULL REFERENCES patient,
        payer_id uuid NOT NULL REFERENCES payer,
        rank smallint NOT NULL CHECK (rank BETWEEN 1 AND 5),
        member_id text NOT NULL CHECK (member_id <> ''),
        group_number text,
        plan_name text,
        relationship text NOT NULL CHECK (relationship IN ('self', 'spouse', 'child', 'other')),
        subscriber_family text,
        subscriber_given text,
        subscriber_birth_date date,
        valid daterange NOT NULL CHECK (NOT isempty(valid) AND NOT lower_inf(valid)),
        is_active boolean NOT NULL DEFAULT true,
        CHECK (relationship = 'self' OR (subscriber_family IS NOT NULL AND subscriber_given IS NOT NULL)),
        CONSTRAINT one_coverage_of_a_rank
            EXCLUDE USING gist (patient_id WITH =, rank WITH =, valid WITH &&) WHERE (is_active),
        {KEPT}
    )
    """,
    "CREATE INDEX coverage_patient ON coverage (patient_id)",
    """
    CREATE TABLE coverage_card (
        card_id uuid PRIMARY KEY,
        coverage_id uuid NOT NULL REFERENCES coverage,
        side text NOT NULL CHECK (side IN ('front', 'back')),
        media_type text NOT NULL CHECK (media_type IN ('image/jpeg', 'image/png')),
        image bytea NOT NULL,
        scanned_at timestamptz NOT NULL,
        scanned_by uuid
    )
    """,
    "CREATE INDEX coverage_card_coverage ON coverage_card (coverage_id)",
    # What was asked for which day, and what came back, raw (sealed) and read.
    """
    CREATE TABLE eligibility_check (
        check_id uuid PRIMARY KEY,
        patient_id uuid NOT NULL REFERENCES patient,
        coverage_id uuid NOT NULL REFERENCES coverage,
        appointment_id uuid REFERENCES appointment,
        requested_for date NOT NULL,
        state text NOT NULL CHECK (state IN ('queued', 'active', 'inactive', 'unknown', 'failed')),
        control_number text NOT NULL UNIQUE,
        asked_at timestamptz NOT NULL,
        answered_at timestamptz,
        attempts smallint NOT NULL DEFAULT 0,
        request bytea,
        answer bytea,
        plan_name text,
        copay_cents bigint,
        deductible_remaining_cents bigint,
        reason text,
        UNIQUE NULLS NOT DISTINCT (coverage_id, appointment_id, requested_for)
    )
    """,
    "CREATE INDEX eligibility_check_queued ON eligibility_check (asked_at) WHERE state = 'queued'",
    "CREATE INDEX eligibility_check_patient ON eligibility_check (patient_id, requested_for)",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
