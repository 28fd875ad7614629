"""What people have typed into a form and not sent yet, sealed, each their own."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE draft (
        principal_id uuid NOT NULL REFERENCES principal,
        form text NOT NULL CHECK (form <> ''),
        sealed bytea NOT NULL,
        saved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (principal_id, form)
    )
    """,
    "CREATE INDEX draft_saved ON draft (saved_at)",
)


def upgrade() -> None:
    """Create the table."""
    for statement in STATEMENTS:
        op.execute(statement)
