"""The flow board: a location's day with where each visit stands, since when, and how long its patient has waited."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from ehr_pm.coverage.models import EligibilityCheck
from ehr_pm.organisation.models import Location
from ehr_pm.patients.models import Patient
from ehr_pm.scheduling import repository
from ehr_pm.scheduling.models import Appointment, AppointmentStatusEvent, Bookable
from ehr_pm.scheduling.walltime import day_span


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of the day."""

    appointment: Appointment
    patient: Patient
    taken: tuple[Bookable, ...]
    since: datetime
    """When it became what it is now."""
    waiting_minutes: int | None
    """From arriving until the clinician came, or until now; None before the patient is there."""
    eligibility: str | None
    """What a payer said last about the coverage for this visit; None when nobody was asked."""


def of_day(session: Session, location: Location, on: date, moment: datetime) -> list[Visit]:
    """Return the visits of a local day in order, in as many statements however many there are."""
    rows = repository.day(session, location.location_id, day_span(on, ZoneInfo(location.zone)))
    ids = [row.appointment_id for row in rows]
    steps = _steps(session, ids)
    said = _said(session, ids)
    taken = repository.taken_by_each(session, rows)
    known = select(Patient).where(Patient.patient_id.in_({row.patient_id for row in rows}))
    patients = {each.patient_id: each for each in session.scalars(known)}
    return [
        Visit(
            row,
            patients[row.patient_id],
            tuple(taken[row.appointment_id]),
            steps[row.appointment_id][-1].at,
            _waited(steps[row.appointment_id], moment),
            said.get(row.appointment_id),
        )
        for row in rows
    ]


def _steps(session: Session, ids: list[UUID]) -> dict[UUID, list[AppointmentStatusEvent]]:
    steps: dict[UUID, list[AppointmentStatusEvent]] = defaultdict(list)
    query = select(AppointmentStatusEvent).where(AppointmentStatusEvent.appointment_id.in_(ids))
    for step in session.scalars(query.order_by(AppointmentStatusEvent.number)):
        steps[step.appointment_id].append(step)
    return steps


def _said(session: Session, ids: list[UUID]) -> dict[UUID, str]:
    """Return the state of each appointment's last question; the first coverage's stands before the others'."""
    query = select(EligibilityCheck).where(EligibilityCheck.appointment_id.in_(ids))
    checks = sorted(session.scalars(query), key=lambda each: (-each.coverage.rank, each.asked_at))
    return {each.appointment_id: each.state for each in checks if each.appointment_id is not None}


def _waited(steps: list[AppointmentStatusEvent], moment: datetime) -> int | None:
    arrived = next((each.at for each in steps if each.status == "arrived"), None)
    if arrived is None or steps[-1].status in ("cancelled", "noshow"):
        return None
    seen = next((each.at for each in steps if each.status == "in_visit"), moment)
    return int((seen - arrived).total_seconds()) // 60
