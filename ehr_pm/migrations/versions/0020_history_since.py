"""When versions were recorded, roughly: histories since a moment need not go through everything before it."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index blocks of versions by their times, which grow with them: 32 kB for a million versions."""
    op.execute("CREATE INDEX resource_version_recorded ON resource_version USING brin (recorded_at)")
