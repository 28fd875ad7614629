"""When a message was sent, as it says itself, and how often the same one came again."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both to the message store; of messages that are there already the first is not known."""
    op.execute("ALTER TABLE message ADD COLUMN sent_at timestamptz, ADD COLUMN repeats integer NOT NULL DEFAULT 0")
