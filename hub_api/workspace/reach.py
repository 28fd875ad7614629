"""What an action on a patient or an appointment is about: where it belongs, for the one decision."""

from __future__ import annotations

from uuid import UUID

from ehr_pm.patients import repository as patients
from ehr_pm.patients.models import Patient
from ehr_pm.rows import get as get_row
from ehr_pm.scheduling.models import Appointment
from ehr_pm.scheduling.privacy import subject_of_visit
from hub_api.workspace.desk import Desk
from hub_core.access import Action, Subject


def known(desk: Desk, patient: Patient) -> Subject:
    """Return a patient as the subject of an action: known where they are registered, and wherever they have visits."""
    where = patients.known_at(desk.session, patient)
    return Subject(where, patient.patient_id, patient.sensitivity, patient.home_location.key)


def patient_for(desk: Desk, patient_id: UUID, action: Action) -> tuple[Patient, Subject]:
    """Return a patient for an action, and the subject to ask about further ones.

    Raises:
        NotFoundError: if there is no such patient.
        RefusedError: if the caller may not do this.
    """
    patient = patients.get(desk.session, patient_id)
    subject = known(desk, patient)
    desk.require(action, subject)
    return patient, subject


def visit_for(desk: Desk, appointment_id: UUID, action: Action) -> Appointment:
    """Return an appointment for an action; it belongs to its location.

    Raises:
        NotFoundError: if there is no such appointment.
        RefusedError: if the caller may not do this.
    """
    visit = get_row(desk.session, Appointment, appointment_id, "appointment")
    desk.require(action, subject_of_visit(desk.session, visit))
    return visit


def at(desk: Desk) -> Subject:
    """Return the location somebody works at as the subject of an action."""
    return Subject(frozenset({desk.here.key}))


def note_read(desk: Desk, patient: Patient) -> None:
    """Put on record that a patient was shown; it is durable before the page leaves."""
    desk.doing.noted(
        "patient.read",
        resource_type="Patient",
        resource_id=str(patient.patient_id),
        patient_id=patient.patient_id,
        location=patient.home_location.key,
    )
