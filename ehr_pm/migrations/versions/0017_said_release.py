"""Which release of its format a message was said to be of, for whoever reads its bytes, now or again."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of messages that are there already nothing was said."""
    op.execute("ALTER TABLE message ADD release text")
