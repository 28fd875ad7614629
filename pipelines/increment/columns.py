"""Which columns of the views the marts and their tests read: for a change, no others are laid out.

The engine tells: of each statement it plans what is read. It may leave out what a statement does not name, and nothing
else; what it would leave out because of what the rows say today might be asked for tomorrow.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import duckdb

    from pipelines.increment.statements import Statement

_BY_NAME: Final = "unused_columns"
"""The optimizer that leaves out what no statement names."""
_VIEW: Final = re.compile(r'.*"?views"?\."?(?P<name>\w+)"?')
_KEPT: Final = """
SELECT known.table_name, known.column_name, known.data_type, read.column_name IS NOT NULL
FROM duckdb_columns() AS known LEFT JOIN {warehouse}.quality.columns AS read
    ON read.view_name = known.table_name AND read.column_name = known.column_name
WHERE known.database_name = ? AND known.schema_name = 'views' ORDER BY known.table_name, known.column_index
"""


class Column(NamedTuple):
    """A column of a view."""

    name: str
    data_type: str
    is_read: bool


def keep_columns(connection: duckdb.DuckDBPyConnection, statements: Sequence[Statement]) -> None:
    """Write into the table `quality.columns` of a warehouse what is read of each view by marts and tests."""
    with _planned_by_name(connection):
        read = {found for each in statements if each.kind != "view" for found in _read(connection, each)}
    connection.execute("CREATE OR REPLACE TABLE quality.columns (view_name VARCHAR, column_name VARCHAR)")
    connection.executemany("INSERT INTO quality.columns VALUES (?, ?)", sorted(read))


def kept_columns(connection: duckdb.DuckDBPyConnection, warehouse: str) -> dict[str, list[Column]]:
    """Return the columns of each view of an attached warehouse, in their order."""
    columns: dict[str, list[Column]] = {}
    for view, *column in connection.execute(_KEPT.format(warehouse=warehouse), [warehouse]).fetchall():
        columns.setdefault(view, []).append(Column(*column))
    return columns


@contextmanager
def _planned_by_name(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    names = [name for (name,) in connection.execute("SELECT name FROM duckdb_optimizers()").fetchall()]
    connection.execute("SET disabled_optimizers = ?", [",".join(name for name in names if name != _BY_NAME)])
    try:
        yield
    finally:
        connection.execute("RESET disabled_optimizers")


def _read(connection: duckdb.DuckDBPyConnection, statement: Statement) -> Iterator[tuple[str, str]]:
    for _, plan in connection.execute(f"EXPLAIN (FORMAT json) {statement.query}").fetchall():
        for operator in json.loads(plan):
            yield from _scanned(operator)


def _scanned(operator: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the columns of views that an operator of a plan, and those below it, read."""
    told = operator["extra_info"]
    if table := _VIEW.fullmatch(told.get("Table", "")):
        columns = told.get("Projections", [])
        for column in [columns] if isinstance(columns, str) else columns:
            yield table["name"], column
    for child in operator["children"]:
        yield from _scanned(child)
