"""A quantity is kept with the code of what it is a value of: the values of one code stand together, latest last."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# Written as a new table, so that the index is not left with twice the room it needs. A code may be there for several
# systems, and a quantity for several codes. Whoever asks for the value of anything whatsoever reads all values.
STATEMENTS = (
    "ALTER TABLE search_quantity RENAME TO search_quantity_before",
    "CREATE TABLE search_quantity (resource_type text NOT NULL, param text NOT NULL, least numeric NOT NULL,"
    " greatest numeric NOT NULL, system text, code text, unit text, place smallint, of_code text,"
    " resource_key bigint NOT NULL)",
    """
    INSERT INTO search_quantity
    SELECT DISTINCT q.resource_type, q.param, q.least, q.greatest, q.system, q.code, q.unit, q.place, t.code,
        q.resource_key
    FROM search_quantity_before q LEFT JOIN search_token t ON t.resource_key = q.resource_key
        AND t.code IS NOT NULL AND t.place IS NOT DISTINCT FROM q.place
        AND t.param = CASE q.param WHEN 'value-quantity' THEN 'code'
            WHEN 'component-value-quantity' THEN 'component-code' WHEN 'context-quantity' THEN 'context-type' END
    ORDER BY q.resource_key
    """,
    "DROP TABLE search_quantity_before",
    "CREATE INDEX search_quantity_latest ON search_quantity (param, of_code, resource_key, least, greatest)",
    "CREATE INDEX search_quantity_value ON search_quantity (param, least, resource_type)"
    " WHERE param NOT IN ('value-quantity', 'component-value-quantity', 'context-quantity')",
    "CREATE INDEX search_quantity_resource ON search_quantity (resource_key)",
    "ANALYZE search_quantity",
)


def upgrade() -> None:
    """Write the numbers of the index anew, with their codes."""
    for statement in STATEMENTS:
        op.execute(statement)
