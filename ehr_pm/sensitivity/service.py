"""What can be done about sensitivity; each function is part of an act.

A tag changes no record's words: the record gets a new version with a label, and another without when the tag ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select, text

from ehr_pm.acts import Act
from ehr_pm.patients.models import Patient
from ehr_pm.record.apply import apply
from ehr_pm.record.sensitivity import close_gate, standing
from ehr_pm.sensitivity.models import SensitivityTag
from ehr_pm.sensitivity.schemas import NewTag
from hub_core.database import driver_connection
from hub_core.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_IS_OF_PATIENT = text(
    "SELECT 1 FROM resource WHERE patient_id = :patient AND NOT deleted AND resource_type = :kind AND resource_id = :id"
)
_KIND_OF_PATIENT = text("SELECT sensitivity FROM resource WHERE resource_type = 'Patient' AND resource_id = :patient")
"""The row of a patient is as sensitive as the record says: by tags, by the programme, by what its source says."""


def of_patient(session: Session, patient_id: UUID) -> Sequence[SensitivityTag]:
    """Return the tags on a patient's records, the newest first, those that ended too."""
    query = select(SensitivityTag).where(SensitivityTag.patient_id == patient_id)
    return list(session.scalars(query.order_by(SensitivityTag.created_at.desc())))


def tag(doing: Act, patient_id: UUID, told: NewTag) -> SensitivityTag:
    """Say that all of a patient's records, or one of them, are sensitive.

    Raises:
        NotFoundError: if there is no such record of the patient.
        ConflictError: if the same is said already.
    """
    kind, resource_id = told.resource_type or "Patient", told.resource_id or patient_id
    named = {"patient": patient_id, "kind": kind, "id": resource_id}
    if doing.session.execute(_IS_OF_PATIENT, named).first() is None:
        raise NotFoundError("there is no such record of this patient")
    said = (told.kind, told.resource_type, told.resource_id)
    if any((each.kind, each.resource_type, each.resource_id) == said for each in _counting(doing, patient_id)):
        raise ConflictError("this is tagged so already")
    row = SensitivityTag(patient_id=patient_id, **told.model_dump())
    doing.add(row)
    _settle(doing, row, "sensitivity.tag")
    return row


def end(doing: Act, row: SensitivityTag, reason: str) -> None:
    """Take a tag off.

    Raises:
        ConflictError: if it was taken off before.
    """
    if row.ended_at is not None:
        raise ConflictError("this tag was taken off before")
    doing.change(row, ended_at=doing.moment, ended_by=doing.actor.principal_id, end_reason=reason)
    _settle(doing, row, "sensitivity.end")


def _settle(doing: Act, row: SensitivityTag, action: str) -> None:
    """Write the records anew under the tags that count now, and put on record that it was done."""
    connection = driver_connection(doing.session.connection())
    close_gate(connection)
    entries = standing(connection, row.patient_id, row.resource_type, row.resource_id)
    apply(connection, entries, moment=doing.moment, is_owner=True)
    patient = doing.session.get(Patient, row.patient_id)
    if patient is not None:
        kind = doing.session.scalar(_KIND_OF_PATIENT, {"patient": row.patient_id})
        doing.change(patient, sensitivity=kind)
    doing.noted(
        action,
        resource_type=row.resource_type or "Patient",
        resource_id=str(row.resource_id or row.patient_id),
        patient_id=row.patient_id,
        kind=row.kind,
        tag_id=str(row.tag_id),
    )


def _counting(doing: Act, patient_id: UUID) -> list[SensitivityTag]:
    return [each for each in of_patient(doing.session, patient_id) if each.ended_at is None]
