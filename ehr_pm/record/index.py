"""The search index: rows for what a resource's current version can be found by; a new version changes only some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from ehr_pm.record.copying import cell, copy_lines
from hub_core.fhir import search_values
from hub_core.fhir.canonical import Json

if TYPE_CHECKING:
    import psycopg

_Row: TypeAlias = tuple[Any, ...]
"""What a resource is found by: table, key of the resource, parameter, and two values."""

_TOKEN, _STRING, _DATE, _REFERENCE = "search_token", "search_string", "search_date", "search_reference"
_COLUMNS = {
    _TOKEN: "resource_type, param, code, system, resource_key",
    _STRING: "resource_type, param, value, resource_key",
    _DATE: "resource_type, param, starts_at, ends_at, resource_key",
    _REFERENCE: "resource_type, param, target_type, target_id, resource_key",
}

# Times are compared without their zone, as UTC: the end of the calendar exists in no other.
_KNOWN = """
SELECT 'search_token', resource_key, param, code, system, NULL::timestamp, NULL::timestamp, ctid::text
FROM search_token WHERE resource_key = ANY(%(keys)s)
UNION ALL SELECT 'search_string', resource_key, param, value, NULL, NULL, NULL, ctid::text
FROM search_string WHERE resource_key = ANY(%(keys)s)
UNION ALL SELECT 'search_date', resource_key, param, NULL, NULL, starts_at AT TIME ZONE 'UTC',
    ends_at AT TIME ZONE 'UTC', ctid::text FROM search_date WHERE resource_key = ANY(%(keys)s)
UNION ALL SELECT 'search_reference', resource_key, param, target_type, target_id, NULL, NULL, ctid::text
FROM search_reference WHERE resource_key = ANY(%(keys)s)
"""


def write_index(
    connection: psycopg.Connection[Any], resources: Sequence[tuple[int, Json]], *, replaced: Sequence[int] = ()
) -> None:
    """Index resources by their keys; of `replaced` keys, whose older versions were indexed, what differs is changed."""
    known = _known_rows(connection, replaced) if replaced else {}
    lines: dict[str, list[str]] = {table: [] for table in _COLUMNS}
    for key, resource in resources:
        kind = resource["resourceType"]
        for row in _rows(key, resource):
            if known.pop(row, None) is None:
                lines[row[0]].append(_line(kind, row))
    _forget(connection, known)
    for table, columns in _COLUMNS.items():
        copy_lines(connection, table, columns, lines[table])


def _rows(key: int, resource: Json) -> Iterator[_Row]:
    values = search_values.index(resource)
    for param, system, code in values.tokens:
        yield _TOKEN, key, param, code, system
    for param, value in values.strings:
        yield _STRING, key, param, value, None
    for param, start, end in values.dates:
        yield _DATE, key, param, start.replace(tzinfo=None), end.replace(tzinfo=None)
    for param, target_type, target_id in values.references:
        yield _REFERENCE, key, param, target_type, target_id


def _line(kind: str, row: _Row) -> str:
    table, key, param, one, two = row
    if table == _DATE:
        return f"{kind}\t{param}\t{_utc(one)}\t{_utc(two)}\t{key}"
    if table == _STRING:
        return f"{kind}\t{param}\t{cell(one)}\t{key}"
    return f"{kind}\t{param}\t{cell(one)}\t{cell(two)}\t{key}"


def _utc(moment: datetime) -> str:
    return f"{moment.isoformat()}Z"


def _known_rows(connection: psycopg.Connection[Any], keys: Sequence[int]) -> dict[_Row, str]:
    """Return the rows there are, with their places: nobody moves them, the resources being locked."""
    found = connection.execute(_KNOWN, {"keys": list(keys)})
    return {
        (table, key, param, start, end) if table == _DATE else (table, key, param, one, two): place
        for table, key, param, one, two, start, end, place in found
    }


def _forget(connection: psycopg.Connection[Any], rows: dict[_Row, str]) -> None:
    """Delete rows that no longer say what a resource says."""
    places: dict[str, list[str]] = {}
    for row, place in rows.items():
        places.setdefault(row[0], []).append(place)
    for table, gone in places.items():
        connection.execute(f"DELETE FROM {table} WHERE ctid = ANY(%s::tid[])", (gone,))  # noqa: S608 - a name above
