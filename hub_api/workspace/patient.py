"""The page of a patient: who they are, who pays, when they come, and the way to everything else about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select

from ehr_pm.coverage import repository as coverages
from ehr_pm.coverage.models import Coverage, EligibilityCheck
from ehr_pm.patients.models import Consent, Patient, RelatedPerson
from ehr_pm.scheduling.models import Appointment
from ehr_pm.scheduling.privacy import permitted_visits
from hub_api.workspace import timeline
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.pages import PageRoute, page
from hub_api.workspace.reach import at, note_read, patient_for
from hub_api.workspace.visits import names_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

router = APIRouter(route_class=PageRoute)

_MOST_VISITS = 50


@dataclass(frozen=True, slots=True)
class Payment:
    """A coverage, and what its payer last said about it; no check is nothing known."""

    coverage: Coverage
    check: EligibilityCheck | None
    sides: frozenset[str]
    """Of which sides of its card there are images."""

    def holds_on(self, on: date) -> bool:
        """Return whether the coverage holds on a day, by its own dates."""
        return on in self.coverage.valid


@router.get("/work/patients/{patient_id}")
async def show_patient(request: Request, patient_id: UUID, done: str = "") -> Response:
    """Show the page of a patient."""
    return await at_desk(request, partial(_show, patient_id=patient_id, done=done))


def _show(desk: Desk, *, patient_id: UUID, done: str) -> Response:
    patient, subject = patient_for(desk, patient_id, "patient.read")
    note_read(desk, patient)
    may_chart = desk.may("chart.read", subject)
    visits = _visits(desk, patient) if desk.holds("schedule.read") else []
    return page(
        desk,
        "patient.html",
        patient=patient,
        allergies=timeline.allergies(desk, patient) if may_chart else None,
        payments=payments(desk.session, patient.patient_id) if desk.may("coverage.read", subject) else None,
        consents=consents(desk.session, patient.patient_id),
        related=_related(desk.session, patient.patient_id),
        visits=visits,
        taken=names_of(desk.session, {each.taken_id for row in visits for each in row.bookings}),
        may_chart=may_chart,
        may_audit=desk.may("audit.read", subject),
        may_write=patient.received_from is None and desk.may("patient.write", subject),
        may_cover=desk.may("coverage.write", subject),
        may_book=desk.place is not None and desk.may("appointment.write", at(desk)),
        done=done,
    )


def payments(session: Session, patient_id: UUID) -> list[Payment]:
    """Return a patient's coverages with what payers last said, in the order they are asked."""
    latest: dict[UUID, EligibilityCheck] = {}
    for check in coverages.latest_checks(session, patient_id, limit=30):
        latest.setdefault(check.coverage_id, check)
    held = coverages.of_patient(session, patient_id)
    sides = coverages.cards(session, [row.coverage_id for row in held]) if held else {}
    return [Payment(row, latest.get(row.coverage_id), sides.get(row.coverage_id, frozenset())) for row in held]


def consents(session: Session, patient_id: UUID) -> dict[str, Consent]:
    """Return what a patient last said of each kind of consent."""
    query = select(Consent).where(Consent.patient_id == patient_id)
    rows = session.scalars(query.order_by(Consent.effective_on, Consent.created_at))
    return {row.kind: row for row in rows}


def _related(session: Session, patient_id: UUID) -> Sequence[RelatedPerson]:
    query = select(RelatedPerson).where(RelatedPerson.patient_id == patient_id, RelatedPerson.ended_on.is_(None))
    return list(session.scalars(query.order_by(RelatedPerson.family, RelatedPerson.given)))


def _visits(desk: Desk, patient: Patient) -> list[Appointment]:
    """Return a patient's appointments at the locations whose schedules the caller may see, the latest first."""
    places = [place.location_id for place in desk.places]
    query = select(Appointment).where(
        Appointment.patient_id == patient.patient_id, Appointment.location_id.in_(places), Appointment.status != "hold"
    )
    rows = list(desk.session.scalars(query.order_by(Appointment.starts_at.desc()).limit(_MOST_VISITS)))
    return list(permitted_visits(desk.session, desk.caller.access, "schedule.read", rows).values())
