"""One visit: when and with whom, how it came to be what it is, its reminders, and what can be done with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select

from ehr_pm.patients import repository as patients
from ehr_pm.scheduling import repository
from ehr_pm.scheduling.models import Appointment, AppointmentStatusEvent, Reminder
from ehr_pm.scheduling.privacy import subject_of_visit
from ehr_pm.users.models import PrincipalRow
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.pages import PageRoute, page
from hub_api.workspace.reach import known, note_read, visit_for
from hub_api.workspace.visits import steps_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

router = APIRouter(route_class=PageRoute)


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a visit at some moment, and by whom."""

    event: AppointmentStatusEvent
    who: str


@router.get("/work/appointments/{appointment_id}")
async def show_visit(request: Request, appointment_id: UUID) -> Response:
    """Show one visit."""
    return await at_desk(request, partial(_show, appointment_id=appointment_id))


def _show(desk: Desk, *, appointment_id: UUID) -> Response:
    visit = visit_for(desk, appointment_id, "schedule.read")
    patient = patients.get(desk.session, visit.patient_id)
    desk.require("patient.read", known(desk, patient))
    note_read(desk, patient)
    return page(
        desk,
        "visit.html",
        visit=visit,
        patient=patient,
        taken=repository.taken_by(desk.session, visit),
        steps=_steps(desk.session, visit),
        next_steps=steps_of(visit, desk.doing.moment),
        reminders=_reminders(desk.session, visit),
        may_act=desk.place is not None and desk.may("appointment.write", subject_of_visit(desk.session, visit)),
    )


def _steps(session: Session, visit: Appointment) -> list[Step]:
    query = (
        select(AppointmentStatusEvent, PrincipalRow.name)
        .outerjoin(PrincipalRow, PrincipalRow.principal_id == AppointmentStatusEvent.principal_id)
        .where(AppointmentStatusEvent.appointment_id == visit.appointment_id)
        .order_by(AppointmentStatusEvent.number)
    )
    return [Step(event, who or "the house itself") for event, who in session.execute(query)]


def _reminders(session: Session, visit: Appointment) -> list[Reminder]:
    query = select(Reminder).where(Reminder.appointment_id == visit.appointment_id)
    return list(session.scalars(query.order_by(Reminder.due_at)))
