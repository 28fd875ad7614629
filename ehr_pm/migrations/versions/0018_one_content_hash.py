"""A version no longer keeps the hash of its content: only the pointer to the latest one is ever asked for it."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forget the column; older rows keep its bytes on disk until they are written anew."""
    op.execute("ALTER TABLE resource_version DROP COLUMN content_sha")
