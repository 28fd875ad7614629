"""A published warehouse as somebody sees it whose roles reach some locations only: those rows, and no others to count.

Every mart that says where its rows belong is there under its own name, limited; what does not say so is not there. The
limits are a table of this connection, so no question asked of it can leave them out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import duckdb

from hub_core.errors import NotFoundError
from hub_core.quoting import identifier, literal

if TYPE_CHECKING:
    from hub_core.snapshot import Snapshot

_MARTS: Final = """
    SELECT table_name FROM information_schema.columns
    WHERE table_catalog = 'whole' AND table_schema = 'marts' AND column_name = 'location'
"""
_LIMITED: Final = "CREATE VIEW marts.{0} AS SELECT * FROM whole.marts.{0} WHERE location IN (FROM reached)"
_PERSONS: Final = """
    CREATE VIEW marts.patients AS
    SELECT person_id, list(DISTINCT source ORDER BY source) AS sources,
           list(DISTINCT location ORDER BY location) AS locations, count(*) AS patient_count
    FROM marts.patient_records WHERE NOT is_merged GROUP BY person_id
"""
"""Persons by their records there, with nothing that records elsewhere say of them."""


def open_limited(snapshot: Snapshot, locations: Iterable[str]) -> duckdb.DuckDBPyConnection:
    """Return a connection to the rows of some locations of a snapshot, which can neither write nor read any other file.

    Raises:
        NotFoundError: if the snapshot is no longer kept.
    """
    connection = duckdb.connect(":memory:")
    try:
        connection.execute(f"ATTACH {literal(str(snapshot.path))} AS whole (READ_ONLY)")
    except duckdb.IOException:
        connection.close()
        if snapshot.path.exists():
            raise
        raise NotFoundError("this snapshot of the warehouse is no longer kept") from None
    connection.execute("SET TimeZone = 'UTC'; SET enable_external_access = false; SET lock_configuration = true")
    connection.execute("CREATE SCHEMA marts; CREATE TABLE reached (location VARCHAR)")
    connection.executemany("INSERT INTO reached VALUES (?)", [[each] for each in sorted({*locations, ""})])
    for (mart,) in connection.execute(_MARTS).fetchall():
        connection.execute(_LIMITED.format(identifier(mart)))
    if connection.execute("SELECT 1 FROM duckdb_views() WHERE view_name = 'patient_records'").fetchall():
        connection.execute(_PERSONS)
    return connection
