"""Links of the audit chain say in which form they were told their event, so that a better one can follow."""

from __future__ import annotations

from alembic import op

revision = "0015a"
down_revision = "0015"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE audit_link ADD form smallint NOT NULL DEFAULT 1",
    "ALTER TABLE audit_link ALTER form DROP DEFAULT",  # what is linked from here on says it
)


def upgrade() -> None:
    """Keep what is linked as it is: its events were told as text."""
    for statement in STATEMENTS:
        op.execute(statement)
