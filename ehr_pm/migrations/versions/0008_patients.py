"""Patients as the practice registers them: who they are, who stands by them, what they agreed to, and merges undone."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
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
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE EXTENSION IF NOT EXISTS fuzzystrmatch",
    "CREATE SEQUENCE mrn_number START 100001",
    f"""
    CREATE TABLE patient (
        patient_id uuid PRIMARY KEY,
        mrn text NOT NULL UNIQUE,
        home_location_id uuid NOT NULL REFERENCES location,
        family text NOT NULL CHECK (family <> ''),
        given text NOT NULL CHECK (given <> ''),
        middle text,
        suffix text,
        preferred_name text,
        birth_date date NOT NULL,
        birth_sex text CHECK (birth_sex IN ('F', 'M', 'UNK')),
        gender text NOT NULL CHECK (gender IN ('female', 'male', 'other', 'unknown')),
        races text[] NOT NULL DEFAULT '{{}}',
        ethnicity text,
        language text NOT NULL DEFAULT 'en',
        needs_interpreter boolean NOT NULL DEFAULT false,
        deceased_on date CHECK (deceased_on >= birth_date),
        sensitivity text CHECK (sensitivity IN ('42cfr2', 'psychotherapy', 'minor')),
        created_despite text CHECK (created_despite <> ''),
        merged_into uuid REFERENCES patient CHECK (merged_into <> patient_id),
        {KEPT}
    )
    """,
    "CREATE INDEX patient_name ON patient USING gin ((lower(given || ' ' || family)) gin_trgm_ops)",
    "CREATE INDEX patient_birth ON patient (birth_date)",
    """
    CREATE TABLE patient_number (
        patient_id uuid NOT NULL REFERENCES patient,
        system text NOT NULL CHECK (system <> ''),
        value text NOT NULL CHECK (value <> ''),
        kind text NOT NULL CHECK (kind IN ('MR', 'PI', 'DL', 'MB', 'MC')),
        PRIMARY KEY (patient_id, system, value)
    )
    """,
    "CREATE INDEX patient_number_value ON patient_number (value)",
    """
    CREATE TABLE patient_address (
        address_id uuid PRIMARY KEY,
        patient_id uuid NOT NULL REFERENCES patient,
        use text NOT NULL CHECK (use IN ('home', 'billing', 'old')),
        line text NOT NULL CHECK (line <> ''),
        city text NOT NULL,
        state text NOT NULL CHECK (state ~ '^[A-Z]{2}$'),
        postal_code text NOT NULL,
        valid_from date NOT NULL,
        valid_to date
    )
    """,
    "CREATE INDEX patient_address_patient ON patient_address (patient_id)",
    """
    CREATE TABLE patient_contact (
        contact_id uuid PRIMARY KEY,
        patient_id uuid NOT NULL REFERENCES patient,
        kind text NOT NULL CHECK (kind IN ('mobile', 'home', 'work', 'email')),
        value text NOT NULL CHECK (value <> ''),
        may_text boolean NOT NULL DEFAULT false,
        UNIQUE (patient_id, kind, value)
    )
    """,
    # Who answers for the bill, whom to call, who acts for the patient.
    f"""
    CREATE TABLE related_person (
        related_id uuid PRIMARY KEY,
        patient_id uuid NOT NULL REFERENCES patient,
        relationship text NOT NULL CHECK (relationship IN ('parent', 'spouse', 'child', 'guardian', 'sibling', 'other',
            'self')),
        family text NOT NULL CHECK (family <> ''),
        given text NOT NULL CHECK (given <> ''),
        phone text,
        is_guarantor boolean NOT NULL DEFAULT false,
        is_emergency_contact boolean NOT NULL DEFAULT false,
        acts_for_patient boolean NOT NULL DEFAULT false,
        ended_on date,
        {KEPT}
    )
    """,
    "CREATE INDEX related_person_patient ON related_person (patient_id)",
    f"""
    CREATE TABLE consent (
        consent_id uuid PRIMARY KEY,
        patient_id uuid NOT NULL REFERENCES patient,
        kind text NOT NULL CHECK (kind IN ('treatment', 'privacy-notice', 'assignment-of-benefits', 'exchange',
            'text-messages', 'part2-disclosure')),
        state text NOT NULL CHECK (state IN ('given', 'refused', 'withdrawn')),
        effective_on date NOT NULL,
        expires_on date CHECK (expires_on >= effective_on),
        note text,
        {KEPT}
    )
    """,
    "CREATE INDEX consent_patient ON consent (patient_id)",
    # Which rows a merge moved, so that it can be taken back to the row.
    """
    CREATE TABLE patient_merge (
        merge_id uuid PRIMARY KEY,
        survivor_id uuid NOT NULL REFERENCES patient,
        merged_id uuid NOT NULL REFERENCES patient,
        reason text NOT NULL CHECK (reason <> ''),
        moved jsonb NOT NULL,
        merged_at timestamptz NOT NULL,
        merged_by uuid,
        undone_at timestamptz,
        undone_by uuid,
        CHECK (survivor_id <> merged_id)
    )
    """,
    "CREATE UNIQUE INDEX patient_merge_standing ON patient_merge (merged_id) WHERE undone_at IS NULL",
    "ALTER TABLE appointment ADD FOREIGN KEY (patient_id) REFERENCES patient",
    "ALTER TABLE appointment_series ADD FOREIGN KEY (patient_id) REFERENCES patient",
    "ALTER TABLE waitlist_entry ADD FOREIGN KEY (patient_id) REFERENCES patient",
    "ALTER TABLE care_team_member ADD FOREIGN KEY (patient_id) REFERENCES patient",
)


def upgrade() -> None:
    """Create the tables; patients of the schedule are patients from here on."""
    for statement in STATEMENTS:
        op.execute(statement)
