"""Search at a million resources: what PostgreSQL has to know of frequent values, and of a patient's latest."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# A code belongs to few parameters, and these to few types, but columns are taken for independent unless somebody says
# otherwise: 12,800 results of one code were thought to be 975. And the latest of many patients' resources were found by
# reading all that these have.
STATEMENTS = (
    "CREATE STATISTICS search_token_frequent (dependencies, mcv) ON resource_type, param, code FROM search_token",
    "CREATE STATISTICS search_string_frequent (dependencies) ON resource_type, param FROM search_string",
    "DROP INDEX resource_patient",
    "CREATE INDEX resource_patient ON resource (patient_id, resource_type, resource_key) WHERE patient_id IS NOT NULL",
)


def upgrade() -> None:
    """Have values counted from the next ANALYZE on, and widen the index of patients."""
    for statement in STATEMENTS:
        op.execute(statement)
