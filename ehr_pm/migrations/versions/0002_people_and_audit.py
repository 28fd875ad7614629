"""Who may come in, and who looked at what: principals, their tokens and sessions, log-in attempts, audit events."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE principal (
        principal_id uuid PRIMARY KEY,
        name text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('person', 'program')),
        is_administrator boolean NOT NULL DEFAULT false,
        password_hash text,
        created_at timestamptz NOT NULL DEFAULT now(),
        disabled_at timestamptz,
        CHECK (kind = 'person' OR password_hash IS NULL)
    )
    """,
    "CREATE UNIQUE INDEX principal_name ON principal (lower(name))",
    # Secrets are 256 random bits, so a plain SHA-256 of them cannot be reversed and can be looked up by index.
    """
    CREATE TABLE access_token (
        token_id uuid PRIMARY KEY,
        principal_id uuid NOT NULL REFERENCES principal (principal_id),
        secret_sha bytea NOT NULL UNIQUE,
        created_at timestamptz NOT NULL DEFAULT now(),
        created_by uuid REFERENCES principal (principal_id),
        expires_at timestamptz,
        revoked_at timestamptz
    )
    """,
    "CREATE INDEX access_token_principal ON access_token (principal_id)",
    """
    CREATE TABLE browser_session (
        session_id uuid PRIMARY KEY,
        principal_id uuid NOT NULL REFERENCES principal (principal_id),
        secret_sha bytea NOT NULL UNIQUE,
        opened_at timestamptz NOT NULL DEFAULT now(),
        last_used_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        closed_at timestamptz
    )
    """,
    "CREATE INDEX browser_session_principal ON browser_session (principal_id)",
    """
    CREATE TABLE login_attempt (
        attempt_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL,
        address text NOT NULL,
        attempted_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX login_attempt_name ON login_attempt (name, attempted_at)",
    "CREATE INDEX login_attempt_address ON login_attempt (address, attempted_at)",
    # One row per request and patient, so that "who has seen this patient" is one index away (45 CFR 164.528).
    """
    CREATE TABLE audit_event (
        event_id uuid PRIMARY KEY,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        principal_id uuid,
        action text NOT NULL,
        resource_type text,
        resource_id text,
        patient_id uuid,
        outcome text NOT NULL CHECK (outcome IN ('success', 'refused', 'failed')),
        purpose text,
        location text,
        detail jsonb NOT NULL DEFAULT '{}'
    )
    """,
    "CREATE INDEX audit_event_patient ON audit_event (patient_id, recorded_at) WHERE patient_id IS NOT NULL",
    "CREATE INDEX audit_event_principal ON audit_event (principal_id, recorded_at)",
    "CREATE INDEX audit_event_time ON audit_event (recorded_at)",
    """
    CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'audit events are never changed or deleted';
    END
    $$
    """,
    """
    CREATE TRIGGER audit_event_is_final BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
    """,
)


def upgrade() -> None:
    """Create the tables of people, their keys, and the audit trail."""
    for statement in STATEMENTS:
        op.execute(statement)
