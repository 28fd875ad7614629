"""What is sensitive, by whose word: tags that people put on records, programmes, and kinds of visits."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KINDS = "('psychotherapy', '42cfr2', 'restricted', 'minor')"

STATEMENTS = (
    # All of a patient's records, or one of them; never deleted, only ended. The patient may be any source's.
    f"""
    CREATE TABLE sensitivity_tag (
        tag_id uuid PRIMARY KEY,
        patient_id uuid NOT NULL,
        resource_type text,
        resource_id uuid,
        kind text NOT NULL CHECK (kind IN {KINDS}),
        reason text NOT NULL CHECK (reason <> ''),
        ended_at timestamptz,
        ended_by uuid,
        end_reason text,
        created_at timestamptz NOT NULL,
        created_by uuid,
        changed_at timestamptz NOT NULL,
        changed_by uuid,
        version bigint NOT NULL,
        CHECK ((resource_type IS NULL) = (resource_id IS NULL)),
        CHECK ((ended_at IS NULL) = (end_reason IS NULL))
    )
    """,
    "CREATE INDEX sensitivity_tag_patient ON sensitivity_tag (patient_id)",
    # A location that is a programme of its own under 42 CFR 2.11: all that it holds of a patient is.
    "ALTER TABLE location ADD COLUMN sensitivity text CHECK (sensitivity = '42cfr2')",
    f"ALTER TABLE visit_type ADD COLUMN sensitivity text CHECK (sensitivity IN {KINDS})",
    "ALTER TABLE patient DROP CONSTRAINT patient_sensitivity_check",
    f"ALTER TABLE patient ADD CONSTRAINT patient_sensitivity_check CHECK (sensitivity IN {KINDS})",
    # What drill-downs must leave out is few among many.
    "CREATE INDEX resource_sensitive ON resource (patient_id) WHERE sensitivity IS NOT NULL",
)


def upgrade() -> None:
    """Create the table, and the columns that programmes and kinds of visits need."""
    for statement in STATEMENTS:
        op.execute(statement)
