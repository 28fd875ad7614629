"""The search index: rows for what a resource's current version can be found by; a new version changes only some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson

from ehr_pm.record.copying import NOTHING, cell, common_cell, copy_lines
from hub_core.fhir import indexing
from hub_core.fhir.canonical import Json
from hub_core.fhir.indexed_types import SearchValues

if TYPE_CHECKING:
    import psycopg

_Row: TypeAlias = tuple[Any, ...]
"""What a resource is found by: table, key of the resource, parameter, and the values in the order of `_COLUMNS`."""
_Cells: TypeAlias = tuple[str | None, ...]
"""A row as the texts of the columns of its table, in their order."""

_FEW: Final = 100
"""Rows that are cheaper in one statement than by COPY."""

_TOKEN, _STRING, _DATE, _REFERENCE = "search_token", "search_string", "search_date", "search_reference"
_QUANTITY = "search_quantity"
_COLUMNS: Final = {
    _TOKEN: "resource_type, param, system, code, text, place, resource_key",
    _STRING: "resource_type, param, value, written, resource_key",
    _DATE: "resource_type, param, starts_at, ends_at, resource_key",
    _REFERENCE: "resource_type, param, target_type, target_id, resource_key",
    _QUANTITY: "resource_type, param, least, greatest, system, code, unit, place, of_code, resource_key",
}
_NAMES: Final = {table: columns.split(", ") for table, columns in _COLUMNS.items()}

# Texts, then times, then numbers, then the place, with nothing in what a table has not. Times are compared without
# their zone, as UTC: the end of the calendar exists in no other.
_KNOWN = """
SELECT 'search_token', resource_key, param, ARRAY[system, code, text], NULL::timestamp, NULL::timestamp, NULL::numeric,
    NULL::numeric, place, ctid::text FROM search_token WHERE resource_key = ANY(%(keys)s)
UNION ALL SELECT 'search_string', resource_key, param, ARRAY[value, written], NULL, NULL, NULL, NULL, NULL, ctid::text
FROM search_string WHERE resource_key = ANY(%(keys)s)
UNION ALL SELECT 'search_date', resource_key, param, NULL, starts_at AT TIME ZONE 'UTC', ends_at AT TIME ZONE 'UTC',
    NULL, NULL, NULL, ctid::text FROM search_date WHERE resource_key = ANY(%(keys)s)
UNION ALL SELECT 'search_reference', resource_key, param, ARRAY[target_type, target_id], NULL, NULL, NULL, NULL, NULL,
    ctid::text FROM search_reference WHERE resource_key = ANY(%(keys)s)
UNION ALL SELECT 'search_quantity', resource_key, param, ARRAY[system, code, unit, of_code], NULL, NULL, least,
    greatest, place, ctid::text FROM search_quantity WHERE resource_key = ANY(%(keys)s)
"""


def write_index(
    connection: psycopg.Connection[Any], resources: Sequence[tuple[int, Json]], *, replaced: Sequence[int] = ()
) -> None:
    """Index resources by their keys; of `replaced` keys, whose older versions were indexed, what differs is changed."""
    indexed = [(key, resource["resourceType"], indexing.index(resource)) for key, resource in resources]
    if sum(len(values) for _, _, values in indexed) > _FEW:
        before = set(replaced)
        _copy(connection, [each for each in indexed if each[0] not in before])
        indexed = [each for each in indexed if each[0] in before]
    known = _known_rows(connection, replaced) if replaced else {}
    new: dict[str, list[_Cells]] = {}
    for key, kind, values in indexed:
        for row in _rows(key, values):
            if known.pop(row, None) is None:
                new.setdefault(row[0], []).append(_cells(kind, row))
    _forget(connection, known)
    if sum(map(len, new.values())) <= _FEW:
        _insert(connection, new)
    else:
        for table, rows in new.items():
            copy_lines(connection, table, _COLUMNS[table], ("\t".join(map(cell, cells)) for cells in rows))


def _copy(connection: psycopg.Connection[Any], indexed: Iterable[tuple[int, str, SearchValues]]) -> None:
    """Add the rows of new resources, many at a time: the way of a feed, so nothing is made between value and line."""
    tokens: list[str] = []
    strings: list[str] = []
    dates: list[str] = []
    references: list[str] = []
    quantities: list[str] = []
    for key, kind, values in indexed:
        tokens += [
            f"{kind}\t{param}\t{common_cell(system)}\t{cell(code)}"
            f"\t{NOTHING if text is None else common_cell(text)}\t{place or NOTHING}\t{key}"
            for param, system, code, text, place in values.tokens
        ]
        strings += [
            f"{kind}\t{param}\t{cell(value)}\t{cell(written)}\t{key}" for param, value, written in values.strings
        ]
        dates += [
            f"{kind}\t{param}\t{start.isoformat()}\t{end.isoformat()}\t{key}" for param, start, end in values.dates
        ]
        references += [
            f"{kind}\t{param}\t{target_type}\t{cell(target_id)}\t{key}"
            for param, target_type, target_id in values.references
        ]
        quantities += [
            f"{kind}\t{param}\t{least}\t{greatest}\t{common_cell(system)}\t{cell(code)}\t{cell(unit)}"
            f"\t{place or NOTHING}\t{cell(of_code)}\t{key}"
            for param, least, greatest, system, code, unit, place, of_code in values.quantities
        ]
    for (table, columns), lines in zip(_COLUMNS.items(), (tokens, strings, dates, references, quantities), strict=True):
        copy_lines(connection, table, columns, lines)


def index_of_new(resources: Iterable[tuple[int, Json]]) -> tuple[str, dict[str, str]]:
    """Return what else a statement does that makes resources, so that they are indexed, and the values that it binds.

    Args:
        resources: by ordinals; the statement's `pointer (ordinal, resource_key)` says which keys they get.
    """
    rows: dict[str, list[_Cells]] = {}
    for ordinal, resource in resources:
        for row in _rows(ordinal, indexing.index(resource)):
            rows.setdefault(row[0], []).append(_cells(resource["resourceType"], row))
    return "".join(f", {_insertion(table, of_new=True)}" for table in rows), _told(rows)


def _insert(connection: psycopg.Connection[Any], rows: dict[str, list[_Cells]]) -> None:
    """Insert a few rows of several tables in one statement: a COPY into each takes several times as long."""
    if rows:
        connection.execute(f"WITH {', '.join(map(_insertion, rows))} SELECT", _told(rows))


def _told(rows: dict[str, list[_Cells]]) -> dict[str, str]:
    return {
        table: orjson.dumps([dict(zip(_NAMES[table], cells, strict=True)) for cells in of_table]).decode()
        for table, of_table in rows.items()
    }


@cache
def _insertion(table: str, *, of_new: bool = False) -> str:
    """Return the expression that inserts into a table what is told as JSON; of new resources, by ordinals for keys."""
    columns = [f"told.{name}" for name in _NAMES[table]]
    told = f"json_populate_recordset(NULL::{table}, %({table})s::json) AS told"
    if of_new:
        columns[-1], told = "pointer.resource_key", f"{told} JOIN pointer ON pointer.ordinal = told.resource_key"
    inserted = f"INSERT INTO {table} ({_COLUMNS[table]}) SELECT {', '.join(columns)} FROM {told}"  # noqa: S608 - as above
    return f"new_{table} AS ({inserted})"


def _rows(key: int, values: SearchValues) -> Iterator[_Row]:
    for token in values.tokens:
        yield _TOKEN, key, *token
    for string in values.strings:
        yield _STRING, key, *string
    for param, start, end in values.dates:
        yield _DATE, key, param, start.replace(tzinfo=None), end.replace(tzinfo=None)
    for reference in values.references:
        yield _REFERENCE, key, *reference
    for quantity in values.quantities:
        yield _QUANTITY, key, *quantity


def _cells(kind: str, row: _Row) -> _Cells:
    """Return a row as the texts of the columns of its table, in their order."""
    table, key, param, *values = row
    if table == _DATE:
        return kind, param, f"{values[0].isoformat()}Z", f"{values[1].isoformat()}Z", str(key)
    if table in (_TOKEN, _QUANTITY):
        return kind, param, *(None if value is None else str(value) for value in values), str(key)
    return kind, param, *values, str(key)


def _known_rows(connection: psycopg.Connection[Any], keys: Sequence[int]) -> dict[_Row, str]:
    """Return the rows there are, with their places: nobody moves them, the resources being locked."""
    found = connection.execute(_KNOWN, {"keys": list(keys)})
    return {_known(table, key, param, *said): row for table, key, param, *said, row in found}


def _known(
    table: str,
    key: int,
    param: str,
    texts: list[str | None] | None,
    starts_at: datetime | None,
    ends_at: datetime | None,
    least: Decimal | None,
    greatest: Decimal | None,
    place: int | None,
) -> _Row:
    if table == _DATE:
        return table, key, param, starts_at, ends_at
    if table == _TOKEN:
        return table, key, param, *(texts or ()), place
    if table == _QUANTITY:
        *unit, of_code = texts or [None]
        return table, key, param, least, greatest, *unit, place, of_code
    return table, key, param, *(texts or ())


def _forget(connection: psycopg.Connection[Any], rows: dict[_Row, str]) -> None:
    """Delete rows that no longer say what a resource says."""
    places: dict[str, list[str]] = {}
    for row, place in rows.items():
        places.setdefault(row[0], []).append(place)
    for table, gone in places.items():
        connection.execute(f"DELETE FROM {table} WHERE ctid = ANY(%s::tid[])", (gone,))  # noqa: S608 - a name above
