"""A search index for all of R4's kinds of parameters, and how far each type's rows are those of today's parameters."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# A token may be known by its text alone; a text is kept as written where that differs from how it is compared; what
# stands in one repetition of a backbone element has the same place.
STATEMENTS = (
    "ALTER TABLE search_token ALTER code DROP NOT NULL, ADD text text, ADD place smallint",
    "ALTER TABLE search_string ADD written text",
    "CREATE TABLE search_quantity (resource_type text NOT NULL, param text NOT NULL, least numeric NOT NULL,"
    " greatest numeric NOT NULL, system text, code text, unit text, place smallint, resource_key bigint NOT NULL)",
    "CREATE INDEX search_quantity_value ON search_quantity (param, least, resource_type)",
    "CREATE INDEX search_quantity_resource ON search_quantity (resource_key)",
    "CREATE TABLE search_definition (resource_type text PRIMARY KEY, definition text NOT NULL,"
    " indexed_to bigint NOT NULL, is_done boolean NOT NULL, changed_at timestamptz NOT NULL)",
)


def upgrade() -> None:
    """Widen the index; the background process writes the rows of older resources anew."""
    for statement in STATEMENTS:
        op.execute(statement)
