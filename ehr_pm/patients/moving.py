"""Moving all that belongs to one patient to another, and back to the row.

Which rows belong to a patient is asked of the database (its foreign keys), so a table made tomorrow is moved too. What
was moved is told: rows moved; rows that could not stand beside one that was there, whole; and what made room for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from hub_core.errors import ConflictError

if TYPE_CHECKING:
    import psycopg

_FOREIGN_KEYS = """
SELECT c.conrelid::regclass::text, a.attname
FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f' AND c.confrelid = 'patient'::regclass
  AND c.conrelid NOT IN ('patient'::regclass, 'patient_merge'::regclass)
ORDER BY 1, 2
"""
_UNIQUE = """
SELECT i.indisprimary, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
WHERE i.indrelid = %s::regclass AND i.indisunique AND i.indpred IS NULL GROUP BY i.indexrelid, i.indisprimary
"""
_TIME_OF_PATIENTS: Final = ("resource_booking", "taken_id")
"""A patient's own time, which takes the place of a practitioner's or a room's and so has no foreign key."""
_CLASHING_COVERAGES = """
SELECT t.coverage_id::text, t.rank, (
    SELECT min(free) FROM generate_series(1, 5) free WHERE NOT EXISTS (
        SELECT FROM coverage o WHERE o.patient_id IN (%(source)s, %(target)s) AND o.is_active AND o.rank = free
        AND o.valid && t.valid AND o.coverage_id <> t.coverage_id)
)
FROM coverage t WHERE t.patient_id = %(source)s AND t.is_active AND EXISTS (
    SELECT FROM coverage s WHERE s.patient_id = %(target)s AND s.is_active AND s.rank = t.rank AND s.valid && t.valid)
ORDER BY t.rank, t.coverage_id
"""
_CLASHING_TIMES = """
SELECT t.appointment_id::text, t.lane,
    (SELECT max(lane) + 1 FROM resource_booking WHERE taken_id IN (%(source)s, %(target)s))
FROM resource_booking t WHERE t.taken_id = %(source)s AND t.is_blocking AND EXISTS (
    SELECT FROM resource_booking s WHERE s.taken_id = %(target)s AND s.is_blocking AND s.lane = t.lane
    AND s.during && t.during)
ORDER BY t.appointment_id
"""


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that says whose a row is."""

    table: str
    column: str
    keys: tuple[str, ...]
    """Columns that tell a row from others of the same patient."""
    unique: tuple[tuple[str, ...], ...]
    """What else must differ between two rows of one patient, by each unique index."""


@dataclass(frozen=True, slots=True)
class _Room:
    """How a row makes room beside one of the other patient's that the database lets it not stand beside."""

    key: str
    column: str
    """What is changed: a coverage's rank, a lane of somebody's time."""
    clashing: str
    """Asks for the key of each row that clashes, what the column says, and what it may say; one at a time."""
    missing: str
    """What to tell a person when there is no room."""


_COVERAGES: Final = _Room("coverage_id", "rank", _CLASHING_COVERAGES, "the two have too many coverages; end one first")
_TIMES: Final = _Room("appointment_id", "lane", _CLASHING_TIMES, "")


def references(connection: psycopg.Connection[Any]) -> Iterator[Reference]:
    """Yield every column that says whose a row is."""
    for table, column in [*connection.execute(_FOREIGN_KEYS).fetchall(), _TIME_OF_PATIENTS]:
        indexes = connection.execute(_UNIQUE, (table,)).fetchall()
        primary = next(columns for is_primary, columns in indexes if is_primary)
        keys = tuple(name for name in primary if name != column)
        unique = tuple(tuple(n for n in columns if n != column) for _, columns in indexes if column in columns)
        yield Reference(table, column, keys, unique)


def move(
    connection: psycopg.Connection[Any], source: UUID, target: UUID, *, also_times: bool = False
) -> list[dict[str, Any]]:
    """Move every row of one patient to another, and return what it takes to move them back.

    Args:
        connection: a transaction.
        source: whose they are.
        target: whose they become.
        also_times: whether visits of the two at the same time may stand beside each other.

    Raises:
        ExclusionViolation: if both have an appointment at the same time, and that may not be.
        ConflictError: if they have more coverages than there are ranks.
    """
    moved = [_move(connection, each, source, target, also_times=also_times) for each in list(references(connection))]
    return [each for each in moved if each is not None]


def move_back(connection: psycopg.Connection[Any], moved: list[dict[str, Any]], source: UUID, target: UUID) -> None:
    """Give back the rows that `move` took from `source` to `target`, as they were."""
    for each in reversed(moved):
        _move_back(connection, each, target, source)


def _move(
    connection: psycopg.Connection[Any], to: Reference, source: UUID, target: UUID, *, also_times: bool
) -> dict[str, Any] | None:
    """Move one table's rows, and return what it takes to move them back; None where there were none."""
    table, column = sql.Identifier(to.table), sql.Identifier(to.column)
    absorbed = [row for index in to.unique for row in _absorb(connection, to, index, source, target)]
    shifted = _make_room(connection, to.table, source, target, also_times=also_times)
    identity = sql.SQL(", ").join(sql.SQL("{}, {}").format(sql.Literal(key), sql.Identifier(key)) for key in to.keys)
    update = sql.SQL("UPDATE {} SET {} = %s WHERE {} = %s RETURNING jsonb_build_object({})")
    moved = connection.execute(update.format(table, column, column, identity), (target, source)).fetchall()
    if not moved and not absorbed:
        return None
    rows = [row for (row,) in moved]
    return {"table": to.table, "column": to.column, "moved": rows, "absorbed": absorbed, "shifted": shifted}


def _absorb(
    connection: psycopg.Connection[Any], to: Reference, index: tuple[str, ...], source: UUID, target: UUID
) -> list[Any]:
    """Take out the rows that say what a row of the target says already, and return them whole."""
    table, column = sql.Identifier(to.table), sql.Identifier(to.column)
    same = [sql.SQL("s.{0} = t.{0}").format(sql.Identifier(name)) for name in index]
    where = sql.SQL(" AND ").join([sql.SQL("s.{} = %s").format(column), *same])
    query = sql.SQL("DELETE FROM {0} t WHERE t.{1} = %s AND EXISTS (SELECT FROM {0} s WHERE {2}) RETURNING to_jsonb(t)")
    return [row for (row,) in connection.execute(query.format(table, column, where), (source, target)).fetchall()]


def _room(table: str, *, also_times: bool) -> _Room | None:
    if table == "coverage":
        return _COVERAGES
    return _TIMES if also_times and table == _TIME_OF_PATIENTS[0] else None


def _make_room(
    connection: psycopg.Connection[Any], table: str, source: UUID, target: UUID, *, also_times: bool
) -> list[dict[str, Any]]:
    """Change what must differ from a row of the target, and return what it was."""
    room = _room(table, also_times=also_times)
    shifted: list[dict[str, Any]] = []
    while room is not None:
        clash = connection.execute(room.clashing + " LIMIT 1", {"source": source, "target": target}).fetchone()
        if clash is None:
            break
        key, was, becomes = clash
        if becomes is None:
            raise ConflictError(room.missing)
        _set(connection, table, room, source, key, becomes)
        shifted.append({"key": key, "was": was})
    return shifted


def _set(
    connection: psycopg.Connection[Any], table: str, room: _Room, patient_id: UUID, key: str, value: object
) -> None:
    whose = "patient_id" if table == "coverage" else _TIME_OF_PATIENTS[1]
    query = sql.SQL("UPDATE {} SET {} = %s WHERE {} = %s AND {} = %s")
    named = (sql.Identifier(each) for each in (table, room.column, room.key, whose))
    connection.execute(query.format(*named), (value, key, patient_id))


def _move_back(connection: psycopg.Connection[Any], moved: dict[str, Any], source: UUID, target: UUID) -> None:
    table, column = sql.Identifier(moved["table"]), sql.Identifier(moved["column"])
    if moved["moved"]:
        keys = [sql.Identifier(key) for key in moved["moved"][0]]
        same = sql.SQL(" AND ").join(sql.SQL("t.{0} = k.{0}").format(key) for key in keys)
        query = sql.SQL(
            "UPDATE {0} t SET {1} = %s FROM jsonb_populate_recordset(NULL::{0}, %s) k WHERE t.{1} = %s AND {2}"
        )
        connection.execute(query.format(table, column, same), (target, Jsonb(moved["moved"]), source))
    if moved["absorbed"]:
        query = sql.SQL("INSERT INTO {0} SELECT * FROM jsonb_populate_recordset(NULL::{0}, %s)")
        connection.execute(query.format(table), (Jsonb(moved["absorbed"]),))
    for each in reversed(moved.get("shifted", ())):
        room = _room(moved["table"], also_times=True)
        if room is not None:
            _set(connection, moved["table"], room, target, each["key"], each["was"])
