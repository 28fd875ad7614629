"""Who works here and what they may do: staff, licences, roles by place and time, care teams, broken glass, portals."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
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
    # The second factor (RFC 6238), sealed by the keyring; and a first password that must be changed.
    """
    ALTER TABLE principal
        ADD COLUMN totp_secret bytea,
        ADD COLUMN totp_last_step bigint,
        ADD COLUMN must_change_password boolean NOT NULL DEFAULT false
    """,
    f"""
    CREATE TABLE staff (
        principal_id uuid PRIMARY KEY REFERENCES principal,
        practitioner_id uuid NOT NULL UNIQUE,
        family text NOT NULL CHECK (family <> ''),
        given text NOT NULL CHECK (given <> ''),
        npi text UNIQUE CHECK (npi ~ '^[0-9]{{10}}$'),
        taxonomy text CHECK (taxonomy ~ '^[0-9A-Z]{{10}}$'),
        supervisor_id uuid REFERENCES staff,
        CHECK (supervisor_id <> principal_id),
        {KEPT}
    )
    """,
    """
    CREATE TABLE staff_licence (
        principal_id uuid NOT NULL REFERENCES staff,
        state text NOT NULL CHECK (state ~ '^[A-Z]{2}$'),
        number text NOT NULL CHECK (number <> ''),
        expires_on date,
        PRIMARY KEY (principal_id, state, number)
    )
    """,
    # A role at a location, or in the whole group where none is named; never deleted, only ended.
    f"""
    CREATE TABLE role_assignment (
        assignment_id uuid PRIMARY KEY,
        principal_id uuid NOT NULL REFERENCES principal,
        role text NOT NULL CHECK (role IN ('administrator', 'manager', 'front_desk', 'medical_assistant', 'clinician',
            'biller', 'analyst', 'privacy_officer', 'interface')),
        location_id uuid REFERENCES location,
        valid_from timestamptz NOT NULL,
        valid_to timestamptz CHECK (valid_to >= valid_from),
        {KEPT}
    )
    """,
    "CREATE INDEX role_assignment_principal ON role_assignment (principal_id)",
    f"""
    CREATE TABLE care_team_member (
        member_id uuid PRIMARY KEY,
        patient_id uuid NOT NULL,
        principal_id uuid NOT NULL REFERENCES principal,
        valid_from timestamptz NOT NULL,
        valid_to timestamptz CHECK (valid_to >= valid_from),
        {KEPT}
    )
    """,
    "CREATE INDEX care_team_member_principal ON care_team_member (principal_id)",
    # Every broken glass is also a task: somebody has to look at it (45 CFR 164.312(a)(2)(ii)).
    f"""
    CREATE TABLE break_glass_grant (
        grant_id uuid PRIMARY KEY,
        principal_id uuid NOT NULL REFERENCES principal,
        patient_id uuid NOT NULL,
        reason text NOT NULL CHECK (reason <> ''),
        granted_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL CHECK (expires_at > granted_at),
        reviewed_at timestamptz,
        reviewed_by uuid REFERENCES principal,
        finding text CHECK (finding IN ('justified', 'not justified')),
        note text,
        CHECK ((reviewed_at IS NULL) = (reviewed_by IS NULL) AND (reviewed_at IS NULL) = (finding IS NULL)),
        CHECK (reviewed_by <> principal_id),
        {KEPT}
    )
    """,
    "CREATE INDEX break_glass_grant_principal ON break_glass_grant (principal_id, expires_at)",
    "CREATE INDEX break_glass_grant_open ON break_glass_grant (granted_at) WHERE reviewed_at IS NULL",
    # Patients who see their own chart, those who act for them, and others they let see it.
    f"""
    CREATE TABLE portal_link (
        link_id uuid PRIMARY KEY,
        principal_id uuid NOT NULL REFERENCES principal,
        patient_id uuid NOT NULL,
        relation text NOT NULL CHECK (relation IN ('self', 'proxy', 'third_party')),
        valid_from timestamptz NOT NULL,
        valid_to timestamptz CHECK (valid_to >= valid_from),
        {KEPT}
    )
    """,
    "CREATE INDEX portal_link_principal ON portal_link (principal_id)",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
