"""The search index: rows for what a resource's current version can be found by, replaced with each version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hub_core.fhir import search_values
from hub_core.fhir.canonical import Json

if TYPE_CHECKING:
    import psycopg

_TABLES = {
    "search_token": "resource_type, param, code, system, resource_key",
    "search_string": "resource_type, param, value, resource_key",
    "search_date": "resource_type, param, starts_at, ends_at, resource_key",
    "search_reference": "resource_type, param, target_type, target_id, resource_key",
}


def write_index(
    connection: psycopg.Connection[Any], resources: Sequence[tuple[int, Json]], *, replaced: Sequence[int] = ()
) -> None:
    """Index resources by their keys; the rows of `replaced` keys, whose older versions were indexed, go first."""
    if replaced:
        for table in _TABLES:
            connection.execute(
                f"DELETE FROM {table} WHERE resource_key = ANY(%s)",  # noqa: S608 - a name above
                (list(replaced),),
            )
    rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _TABLES}
    for key, resource in resources:
        kind = resource["resourceType"]
        values = search_values.index(resource)
        rows["search_token"] += [(kind, param, code, system, key) for param, system, code in values.tokens]
        rows["search_string"] += [(kind, param, value, key) for param, value in values.strings]
        rows["search_date"] += [(kind, param, start, end, key) for param, start, end in values.dates]
        rows["search_reference"] += [(kind, param, to, target, key) for param, to, target in values.references]
    for table, columns in _TABLES.items():
        _copy(connection, table, columns, rows[table])


def _copy(connection: psycopg.Connection[Any], table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
