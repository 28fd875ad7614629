"""When a step of a visit happened, where it is entered later than that."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let steps say when they happened: never after they were recorded."""
    op.execute("ALTER TABLE appointment_status_event ADD happened_at timestamptz CHECK (happened_at <= recorded_at)")
