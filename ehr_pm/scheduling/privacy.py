"""Appointments as what a decision is about: where they are, whose, and how sensitive it is that somebody comes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select

from ehr_pm.patients.models import Patient
from ehr_pm.scheduling.models import Appointment
from hub_core.access import Access, Action, Subject, decide
from hub_core.sensitivity import strictest

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session


def subject_of_visit(session: Session, row: Appointment) -> Subject:
    """Return an appointment as what an action is about."""
    return _subject(row, _sensitivities(session, [row.patient_id]))


def permitted_visits(
    session: Session, access: Access, action: Action, rows: Sequence[Appointment]
) -> dict[UUID, Appointment]:
    """Return by their ids the appointments that somebody may do something about, in one statement for all."""
    said = _sensitivities(session, {row.patient_id for row in rows})
    return {row.appointment_id: row for row in rows if decide(access, action, _subject(row, said)).is_allowed}


def _subject(row: Appointment, of_patients: dict[UUID, str | None]) -> Subject:
    kinds = (of_patients.get(row.patient_id), row.location.sensitivity, row.visit_type.sensitivity)
    place = row.location.key
    return Subject(frozenset({place}), row.patient_id, strictest(*kinds), place)


def _sensitivities(session: Session, patients: Iterable[UUID]) -> dict[UUID, str | None]:
    """Return how sensitive it is who each patient is."""
    query = select(Patient.patient_id, Patient.sensitivity).where(Patient.patient_id.in_(list(patients)))
    return {row.patient_id: row.sensitivity for row in session.execute(query)}
