"""The audit trail made tamper-evident: each event is linked into a chain of keyed digests; disclosures are kept."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    # The transaction an event was written in: the sealer takes what no running transaction can still add to.
    "ALTER TABLE audit_event ADD COLUMN txid xid8 NOT NULL DEFAULT pg_current_xact_id()",
    "CREATE INDEX audit_event_txid ON audit_event (txid)",
    """
    CREATE TABLE audit_link (
        shard text NOT NULL,
        number bigint NOT NULL CHECK (number >= 1),
        event_id uuid NOT NULL UNIQUE,
        digest bytea NOT NULL,
        PRIMARY KEY (shard, number)
    )
    """,
    "CREATE TABLE audit_sealed (is_one boolean PRIMARY KEY DEFAULT true CHECK (is_one), horizon xid8 NOT NULL)",
    "INSERT INTO audit_sealed (horizon) VALUES ('0')",
    """
    CREATE TRIGGER audit_event_is_kept BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
    """,
    """
    CREATE TRIGGER audit_link_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_link
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
    """,
    # What must be accounted for to the patient, for six years (45 CFR 164.528).
    """
    CREATE TABLE disclosure (
        disclosure_id uuid PRIMARY KEY,
        disclosed_at timestamptz NOT NULL,
        patient_id uuid NOT NULL,
        recipient text NOT NULL CHECK (recipient <> ''),
        recipient_address text,
        description text NOT NULL CHECK (description <> ''),
        purpose text NOT NULL CHECK (purpose <> ''),
        principal_id uuid,
        location text
    )
    """,
    "CREATE INDEX disclosure_patient ON disclosure (patient_id, disclosed_at)",
)


def upgrade() -> None:
    """Link what is there already with the next seal."""
    for statement in STATEMENTS:
        op.execute(statement)
