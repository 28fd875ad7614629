"""Bodies of versions as bytes whose first one names their form, so that they can be kept compressed (ADR 0017)."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015a"
branch_labels = None
depends_on = None

# What is stored becomes form 0, text as it is. PostgreSQL need not try again to compress what already is.
STATEMENTS = (
    r"ALTER TABLE resource_version ALTER body TYPE bytea USING '\x00'::bytea || convert_to(body, 'UTF8')",
    "ALTER TABLE resource_version ALTER body SET STORAGE EXTERNAL",
)


def upgrade() -> None:
    """Rewrite the table once; bodies of form 0 stay as they are until their resources change."""
    for statement in STATEMENTS:
        op.execute(statement)
