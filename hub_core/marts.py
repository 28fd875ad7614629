"""The marts of a published warehouse: what they are called, their columns, and what a row was made from.

The first column of a mart is its key; `traces` names the resources and messages behind a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub_core.errors import NotFoundError

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Mart:
    """One relation of the warehouse; `columns` are their types by name, in order."""

    name: str
    columns: Mapping[str, str]

    @property
    def key(self) -> str:
        """Return the name of the column that tells rows apart."""
        return next(iter(self.columns))


def find_mart(warehouse: duckdb.DuckDBPyConnection, name: str) -> Mart:
    """Return a mart by its name.

    Raises:
        NotFoundError: if there is none of this name; its text tells which there are.
    """
    marts: dict[str, dict[str, str]] = {}
    for mart, column, kind in warehouse.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE schema_name = 'marts' ORDER BY table_name, column_index"
    ).fetchall():
        marts.setdefault(mart, {})[column] = kind
    if name not in marts:
        raise NotFoundError(f"there is no mart {name}; the marts are {', '.join(marts)}")
    return Mart(name, marts[name])


def traces_of(warehouse: duckdb.DuckDBPyConnection, mart: Mart, key: str) -> list[str]:
    """Return what a row was made from, as `Type/uuid`.

    Raises:
        NotFoundError: if the mart has no such row.
    """
    query = f'SELECT traces FROM marts."{mart.name}" WHERE "{mart.key}" = ?'  # noqa: S608 - names of the catalog
    found = warehouse.execute(query, [key]).fetchall()
    if not found:
        raise NotFoundError(f"the mart {mart.name} has no row whose {mart.key} is this key")
    return list(found[0][0])
