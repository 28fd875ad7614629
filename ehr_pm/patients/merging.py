"""Merging two patients who are one, and taking it back to the row.

Which rows belong to a patient is asked of the database (its foreign keys), so a table made tomorrow is moved too. What
was moved is kept with the merge: rows moved, and rows that could not stand beside one the survivor has, whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg import sql
from psycopg.errors import ExclusionViolation
from psycopg.types.json import Jsonb
from sqlalchemy import select

from ehr_pm.identity import crosswalk
from ehr_pm.patients import fhir
from ehr_pm.patients.models import Patient, PatientMerge
from ehr_pm.projections import of_patient
from hub_core.database import driver_connection
from hub_core.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    import psycopg

    from ehr_pm.acts import Act

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
_TIME_OF_PATIENTS = ("resource_booking", "taken_id")
"""A patient's own time, which takes the place of a practitioner's or a room's and so has no foreign key."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that says whose a row is."""

    table: str
    column: str
    keys: tuple[str, ...]
    """Columns that tell a row from others of the same patient."""
    unique: tuple[tuple[str, ...], ...]
    """What else must differ between two rows of one patient, by each unique index."""


def references(connection: psycopg.Connection[Any]) -> Iterator[Reference]:
    """Yield every column that says whose a row is."""
    for table, column in [*connection.execute(_FOREIGN_KEYS).fetchall(), _TIME_OF_PATIENTS]:
        indexes = connection.execute(_UNIQUE, (table,)).fetchall()
        primary = next(columns for is_primary, columns in indexes if is_primary)
        keys = tuple(name for name in primary if name != column)
        unique = tuple(tuple(n for n in columns if n != column) for _, columns in indexes if column in columns)
        yield Reference(table, column, keys, unique)


def merge(doing: Act, survivor_id: UUID, merged_id: UUID, reason: str) -> PatientMerge:
    """Make one patient of two: everything of the merged one becomes the survivor's.

    Raises:
        NotFoundError: if one is not known.
        ConflictError: if one of them was merged before, or both have an appointment at the same time.
    """
    survivor, merged = _two(doing, survivor_id, merged_id)
    connection = driver_connection(doing.session.connection())
    before = crosswalk.companions(connection, [survivor_id, merged_id])
    try:
        moved = [_move(connection, each, merged_id, survivor_id) for each in list(references(connection))]
    except ExclusionViolation as error:
        raise ConflictError("both have an appointment at the same time; move one of them first") from error
    row = PatientMerge(
        survivor_id=survivor_id,
        merged_id=merged_id,
        reason=reason,
        moved={"tables": [each for each in moved if each], "persons": before},
        merged_at=doing.moment,
        merged_by=doing.actor.principal_id,
    )
    doing.change(merged, merged_into=survivor_id)
    doing.add(row)
    _say(doing, row, survivor, merged, "patient.merge")
    return row


def unmerge(doing: Act, merge_id: UUID) -> None:
    """Take a merge back: every row is again whose it was.

    Raises:
        NotFoundError: if there is no such merge.
        ConflictError: if it was taken back before, or the survivor has been merged into another since.
    """
    row = doing.session.get(PatientMerge, merge_id, with_for_update=True)
    if row is None:
        raise NotFoundError("there is no such merge")
    if row.undone_at is not None:
        raise ConflictError("this merge was taken back before")
    survivor, merged = _locked(doing, row.survivor_id), _locked(doing, row.merged_id)
    if survivor.merged_into is not None:
        raise ConflictError("the survivor was merged into another patient since; take that back first")
    connection = driver_connection(doing.session.connection())
    for each in reversed(row.moved["tables"]):
        _move_back(connection, each, row.survivor_id, row.merged_id)
    doing.change(merged, merged_into=None)
    row.undone_at, row.undone_by = doing.moment, doing.actor.principal_id
    _say(doing, row, survivor, merged, "patient.unmerge")
    crosswalk.part(connection, row.moved["persons"])


def _two(doing: Act, survivor_id: UUID, merged_id: UUID) -> tuple[Patient, Patient]:
    if survivor_id == merged_id:
        raise ConflictError("a patient cannot be merged with themselves")
    rows = {each: _locked(doing, each) for each in sorted((survivor_id, merged_id))}
    if any(row.merged_into is not None for row in rows.values()):
        raise ConflictError("one of the two was merged before")
    return rows[survivor_id], rows[merged_id]


def _locked(doing: Act, patient_id: UUID) -> Patient:
    query = select(Patient).where(Patient.patient_id == patient_id).with_for_update(of=Patient)
    row = doing.session.scalars(query).one_or_none()
    if row is None:
        raise NotFoundError("there is no such patient")
    return row


def _move(connection: psycopg.Connection[Any], to: Reference, source: UUID, target: UUID) -> dict[str, Any] | None:
    """Move one table's rows, and return what it takes to move them back; None where there were none."""
    table, column = sql.Identifier(to.table), sql.Identifier(to.column)
    absorbed = [row for index in to.unique for row in _absorb(connection, to, index, source, target)]
    identity = sql.SQL(", ").join(sql.SQL("{}, {}").format(sql.Literal(key), sql.Identifier(key)) for key in to.keys)
    update = sql.SQL("UPDATE {} SET {} = %s WHERE {} = %s RETURNING jsonb_build_object({})")
    moved = connection.execute(update.format(table, column, column, identity), (target, source)).fetchall()
    if not moved and not absorbed:
        return None
    return {"table": to.table, "column": to.column, "moved": [row for (row,) in moved], "absorbed": absorbed}


def _absorb(
    connection: psycopg.Connection[Any], to: Reference, index: tuple[str, ...], source: UUID, target: UUID
) -> list[Any]:
    """Take out the rows that say what a row of the survivor says already, and return them whole."""
    table, column = sql.Identifier(to.table), sql.Identifier(to.column)
    same = [sql.SQL("s.{0} = t.{0}").format(sql.Identifier(name)) for name in index]
    where = sql.SQL(" AND ").join([sql.SQL("s.{} = %s").format(column), *same])
    query = sql.SQL("DELETE FROM {0} t WHERE t.{1} = %s AND EXISTS (SELECT FROM {0} s WHERE {2}) RETURNING to_jsonb(t)")
    return [row for (row,) in connection.execute(query.format(table, column, where), (source, target)).fetchall()]


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


def _say(doing: Act, row: PatientMerge, survivor: Patient, merged: Patient, action: str) -> None:
    """Project both patients, everything that moved, and the link between them."""
    doing.flush()
    doing.session.expire_all()
    for patient in (survivor, merged):
        doing.project(fhir.patient(patient), patient.home_location.key)
        for resource, location in of_patient(doing.session, patient.patient_id):
            doing.project(resource, location)
    linkage = fhir.merged(survivor, merged, str(row.merge_id), is_standing=row.undone_at is None)
    location = survivor.home_location.key
    doing.done(action, linkage, patient_id=survivor.patient_id, location=location)
    doing.noted(action, resource_type="Patient", resource_id=str(merged.patient_id), patient_id=merged.patient_id)
