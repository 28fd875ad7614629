"""Following the change log: which resources changed since a reader last looked, as the record holds them now.

A reader that keeps rows in step needs the latest word only, so a page of the log is reduced to the resources it names.
Its place is kept in the database and moves in the transaction of what it writes: everything takes effect exactly once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.rows import dict_row

from ehr_pm.record import changes
from ehr_pm.record.bodies import unpack
from hub_core.fhir.canonical import Json, load_object

if TYPE_CHECKING:
    import psycopg

_CURRENT = """
SELECT r.resource_key, r.resource_type, r.resource_id, r.version, r.source, r.source_id, r.location, r.sensitivity,
    r.deleted, v.body
FROM resource r JOIN resource_version v ON v.batch_key = r.batch_key AND v.ordinal = r.ordinal
"""
_CHANGED = """
SELECT DISTINCT v.resource_type, v.resource_id
FROM change_batch b JOIN resource_version v USING (batch_key)
WHERE b.first_seq BETWEEN
    coalesce((SELECT max(first_seq) FROM change_batch WHERE first_seq <= %(after)s::bigint + 1), 0) AND %(last)s::bigint
AND b.first_seq + v.ordinal BETWEEN %(after)s::bigint + 1 AND %(last)s::bigint
AND v.resource_type = ANY(%(types)s) AND v.source = ANY(%(sources)s)
"""


@dataclass(frozen=True, slots=True)
class Said:
    """The latest word of a source about something."""

    resource_key: int
    resource_type: str
    resource_id: UUID
    version: int
    source: str
    source_id: str
    location: str | None
    sensitivity: str | None
    deleted: bool
    resource: Json


def place_of(connection: psycopg.Connection[Any], reader: str) -> int:
    """Return up to which change a reader has come, and keep others of its name waiting until this transaction ends."""
    query = "SELECT seq FROM change_reader WHERE name = %s FOR UPDATE"
    row = connection.execute(query, (reader,)).fetchone()
    if row is None:
        connection.execute("INSERT INTO change_reader VALUES (%s, 0) ON CONFLICT DO NOTHING", (reader,))
        row = connection.execute(query, (reader,)).fetchone()
    return int(row[0]) if row else 0


def move_on(connection: psycopg.Connection[Any], reader: str, seq: int) -> None:
    """Note that a reader has come up to a change."""
    connection.execute("UPDATE change_reader SET seq = %s WHERE name = %s", (seq, reader))


def changed(
    connection: psycopg.Connection[Any], after: int, width: int, *, types: Sequence[str], sources: Sequence[str]
) -> tuple[list[Said], int]:
    """Return what some sources have changed in the next `width` sealed changes, and the number of the last of them.

    Whoever looks for no source is past all of them at once.
    """
    sealed = changes.sealed_up_to(connection)
    last = min(after + width, sealed)
    if last <= after or not sources:
        return [], sealed
    wanted = {"after": after, "last": last, "types": list(types), "sources": list(sources)}
    return current(connection, connection.execute(_CHANGED, wanted).fetchall()), last


def current(connection: psycopg.Connection[Any], keys: Iterable[tuple[str, UUID]]) -> list[Said]:
    """Return what the record holds now of these resources, in the order in which it came to know of them."""
    wanted = list(keys)
    query = (
        _CURRENT + "JOIN unnest(%s::text[], %s::uuid[]) AS wanted (resource_type, resource_id)"
        " ON r.resource_type = wanted.resource_type AND r.resource_id = wanted.resource_id ORDER BY r.resource_key"
    )
    return _read(connection, query, ([kind for kind, _ in wanted], [each for _, each in wanted]))


def of_patients(connection: psycopg.Connection[Any], resource_type: str, patients: Sequence[UUID]) -> list[Said]:
    """Return what the record holds now of one type about these patients."""
    if not patients:
        return []
    query = _CURRENT + "WHERE r.patient_id = ANY(%s) AND r.resource_type = %s ORDER BY r.resource_key"
    return _read(connection, query, (list(patients), resource_type))


def standing(
    connection: psycopg.Connection[Any],
    after: int,
    limit: int,
    *,
    types: Sequence[str],
    source: str,
    location: str | None,
) -> list[Said]:
    """Return what a source says of a location, those with a key above `after`, in order; what names none is its too."""
    query = (
        _CURRENT + "WHERE r.source = %s AND (r.location = %s OR r.location IS NULL) AND r.resource_type = ANY(%s)"
        " AND r.resource_key > %s ORDER BY r.resource_key LIMIT %s"
    )
    return _read(connection, query, (source, location, list(types), after, limit))


def _read(connection: psycopg.Connection[Any], query: str, values: tuple[Any, ...]) -> list[Said]:
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query, values).fetchall()
    return [
        Said(resource=load_object(unpack(row.pop("body"), row["resource_type"], row["resource_id"])), **row)
        for row in rows
    ]
