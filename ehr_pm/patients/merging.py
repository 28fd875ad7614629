"""Merging two patients who are one, and taking it back to the row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

from psycopg.errors import ExclusionViolation
from sqlalchemy import or_, select

from ehr_pm.identity import crosswalk
from ehr_pm.organisation.ownership import refuse_received
from ehr_pm.patients import fhir, moving
from ehr_pm.patients.models import Patient, PatientMerge
from ehr_pm.projections import of_patient
from hub_core.database import driver_connection
from hub_core.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from ehr_pm.acts import Act


def merge(doing: Act, survivor_id: UUID, merged_id: UUID, reason: str) -> PatientMerge:
    """Make one patient of two: everything of the merged one becomes the survivor's.

    Raises:
        NotFoundError: if one is not known.
        MasteredElsewhereError: if another source keeps both.
        ConflictError: if one of them was merged before, both have an appointment at the same time, or one is more
            sensitive than the other: nothing becomes open, or closed, by a merge.
    """
    survivor, merged = _two(doing, survivor_id, merged_id)
    if survivor.received_from == merged.received_from:
        refuse_received(merged.received_from, "patient")
    if survivor.sensitivity != merged.sensitivity:
        raise ConflictError("one of them is more sensitive than the other; mark both alike first")
    connection = driver_connection(doing.session.connection())
    before = crosswalk.companions(connection, [survivor_id, merged_id])
    try:
        moved = moving.move(connection, merged_id, survivor_id)
    except ExclusionViolation as error:
        raise ConflictError("both have an appointment at the same time; move one of them first") from error
    row = PatientMerge(
        survivor_id=survivor_id,
        merged_id=merged_id,
        reason=reason,
        moved={"tables": moved, "persons": before},
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
        MasteredElsewhereError: if another source said it.
        ConflictError: if it was taken back before, or the survivor has been merged into another since.
    """
    row = doing.session.get(PatientMerge, merge_id, with_for_update=True)
    if row is None:
        raise NotFoundError("there is no such merge")
    refuse_received(row.received_from, "merge")
    if row.undone_at is not None:
        raise ConflictError("this merge was taken back before")
    survivor, merged = _locked(doing, row.survivor_id), _locked(doing, row.merged_id)
    if survivor.merged_into is not None:
        raise ConflictError("the survivor was merged into another patient since; take that back first")
    connection = driver_connection(doing.session.connection())
    moving.move_back(connection, row.moved["tables"], row.merged_id, row.survivor_id)
    doing.change(merged, merged_into=None)
    row.undone_at, row.undone_by = doing.moment, doing.actor.principal_id
    _say(doing, row, survivor, merged, "patient.unmerge")
    crosswalk.part(connection, row.moved["persons"])


@contextmanager
def lifted(doing: Act, patient_ids: Iterable[UUID]) -> Iterator[None]:
    """Let the block see and change the rows of these patients as if none of them were merged; then merge them again.

    The block may take merges back (`undone_at`) and add others; their rows are moved when it ends, whatever the order.
    """
    touched = set(patient_ids)
    connection = driver_connection(doing.session.connection())
    before = _around(doing, touched)
    for each in reversed(before):
        moving.move_back(connection, each.moved["tables"], each.merged_id, each.survivor_id)
        each.moved = {**each.moved, "tables": []}
    doing.flush()
    doing.session.expire_all()
    yield
    doing.flush()
    after = _around(doing, touched)
    for each in after:
        moved = moving.move(connection, each.merged_id, each.survivor_id, also_times=True)
        each.moved = {**each.moved, "tables": moved}
    doing.flush()
    doing.session.expire_all()
    if {each.merge_id for each in before} != {each.merge_id for each in after}:
        _project_rows(doing, [*before, *after])


def _project_rows(doing: Act, merges: Iterable[PatientMerge]) -> None:
    """Project what belongs to these patients anew: it may have become another's."""
    for patient_id in sorted({each for row in merges for each in (row.survivor_id, row.merged_id)}):
        for resource, location in of_patient(doing.session, patient_id):
            doing.project(resource, location)


def _around(doing: Act, patient_ids: set[UUID]) -> list[PatientMerge]:
    """Return the merges that stand around these patients: one into somebody before that somebody's into another."""
    known: dict[UUID, PatientMerge] = {}
    reached = set(patient_ids)
    while reached:
        query = select(PatientMerge).where(
            PatientMerge.undone_at.is_(None),
            or_(PatientMerge.survivor_id.in_(reached), PatientMerge.merged_id.in_(reached)),
        )
        found = [row for row in doing.session.scalars(query.with_for_update()) if row.merged_id not in known]
        known |= {row.merged_id: row for row in found}
        reached = {each for row in found for each in (row.survivor_id, row.merged_id)} - reached

    def depth(row: PatientMerge) -> int:
        above = known.get(row.survivor_id)
        return 0 if above is None else 1 + depth(above)

    return sorted(known.values(), key=lambda row: (-depth(row), row.merged_id))


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


def _say(doing: Act, row: PatientMerge, survivor: Patient, merged: Patient, action: str) -> None:
    """Project both patients but those whose record is another source's, what moved, and the link between them."""
    doing.flush()
    doing.session.expire_all()
    for patient in (survivor, merged):
        if patient.received_from is None:
            doing.project(fhir.patient(patient), patient.home_location.key)
        for resource, location in of_patient(doing.session, patient.patient_id):
            doing.project(resource, location)
    linkage = fhir.merged(survivor, merged, str(row.merge_id), is_standing=row.undone_at is None)
    location = survivor.home_location.key
    doing.done(action, linkage, patient_id=survivor.patient_id, location=location)
    doing.noted(action, resource_type="Patient", resource_id=str(merged.patient_id), patient_id=merged.patient_id)
