"""Every FHIR resource that rows of ours stand behind, by patient: for merges, and to compare the record with rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from ehr_pm.coverage import fhir as coverages
from ehr_pm.coverage.models import Coverage, EligibilityCheck
from ehr_pm.patients import fhir as patients
from ehr_pm.patients.models import Consent, Patient, RelatedPerson
from ehr_pm.scheduling import fhir as scheduling
from ehr_pm.scheduling import repository as schedule
from ehr_pm.scheduling.models import Appointment
from hub_core.fhir.canonical import Json

Projection: TypeAlias = tuple[Json, str | None]
"""A resource, and the key of the location that owns it."""


def of_patient(session: Session, patient_id: UUID) -> Iterator[Projection]:
    """Yield what is projected of a patient's rows, the Patient itself apart."""
    for projector in _PROJECTORS:
        yield from projector(session, patient_id)


def _appointments(session: Session, patient_id: UUID) -> Iterator[Projection]:
    ours = Appointment.status != "hold", Appointment.received_from.is_(None)
    query = select(Appointment).where(Appointment.patient_id == patient_id, *ours)
    for row in session.scalars(query.order_by(Appointment.starts_at)):
        taken = schedule.taken_by(session, row)
        yield scheduling.appointment(row, taken), row.location.key


def _related(session: Session, patient_id: UUID) -> Iterator[Projection]:
    for row in session.scalars(select(RelatedPerson).where(RelatedPerson.patient_id == patient_id)):
        yield patients.related(row), _home(session, patient_id)


def _consents(session: Session, patient_id: UUID) -> Iterator[Projection]:
    for row in session.scalars(select(Consent).where(Consent.patient_id == patient_id)):
        yield patients.consent(row), _home(session, patient_id)


def _coverages(session: Session, patient_id: UUID) -> Iterator[Projection]:
    for row in session.scalars(select(Coverage).where(Coverage.patient_id == patient_id)):
        yield coverages.coverage(row), _home(session, patient_id)
    answered = EligibilityCheck.patient_id == patient_id, EligibilityCheck.state != "queued"
    for check in session.scalars(select(EligibilityCheck).where(*answered)):
        yield coverages.answer(check), _home(session, patient_id)


def _home(session: Session, patient_id: UUID) -> str:
    return session.get_one(Patient, patient_id).home_location.key


_PROJECTORS: tuple[Callable[[Session, UUID], Iterator[Projection]], ...] = (
    _appointments,
    _related,
    _consents,
    _coverages,
)
