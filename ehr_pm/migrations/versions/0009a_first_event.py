"""When each resource began, by all that was ever said of it: kept beside what stands, whatever order it came in."""

from __future__ import annotations

from alembic import op

revision = "0009a"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = ("resource", "resource_version")

KNOWN = """
UPDATE resource SET first_event_at = heard.first_event_at
FROM (
    SELECT resource_type, resource_id, min(event_at) AS first_event_at
    FROM resource_version WHERE authority = 2 GROUP BY resource_type, resource_id
) AS heard
WHERE resource.resource_type = heard.resource_type AND resource.resource_id = heard.resource_id
"""


def upgrade() -> None:
    """Add the column, and fill in what is known of the versions that stand; those in the log stay as they were read."""
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ADD COLUMN first_event_at timestamptz")
    op.execute(KNOWN)
