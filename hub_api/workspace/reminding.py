"""The queue of reminders of a location: what is due, what went out, what could not, and what each patient allowed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select

from ehr_pm.patients.models import Patient
from ehr_pm.rows import get
from ehr_pm.scheduling import reminders
from ehr_pm.scheduling.models import Appointment, Reminder
from ehr_pm.scheduling.privacy import permitted_visits
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_api.workspace.reach import at, visit_for
from hub_core.errors import ConflictError

router = APIRouter(route_class=PageRoute)

State: TypeAlias = Literal["queued", "sent", "failed"]
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A reminder, of which visit, and how its patient may be reached."""

    reminder: Reminder
    visit: Appointment
    patient: Patient

    @property
    def ways(self) -> list[str]:
        """Return how the patient may be reminded, in words: texts only where they said so (47 CFR 64.1200)."""
        return list(_ways(self.patient))


@router.get("/work/reminders")
async def show_reminders(request: Request, state: State = "queued") -> Response:
    """Show the reminders of a location that are due, sent, or failed."""
    return await at_desk(request, partial(_show, state=state))


@router.post("/work/reminders/{reminder_id}/again")
async def try_again(request: Request, reminder_id: UUID) -> Response:
    """Queue a reminder again that could not be sent."""

    def queue(desk: Desk) -> None:
        row = get(desk.session, Reminder, reminder_id, "reminder")
        visit_for(desk, row.appointment_id, "appointment.write")
        reminders.try_again(desk.doing, reminder_id)

    try:
        await at_desk(request, queue)
    except ConflictError as error:
        return await at_desk(request, partial(_show, state="failed", problem=str(error), status=409))
    return led_on("/work/reminders?state=queued")


def _ways(patient: Patient) -> Iterator[str]:
    for each in patient.contacts:
        if each.kind == "mobile" and each.may_text:
            yield "text"
        elif each.kind == "email":
            yield "e-mail"


def _show(desk: Desk, *, state: State, problem: str = "", status: int = 200) -> Response:
    desk.require("schedule.read", at(desk))
    order = Reminder.due_at if state == "queued" else Reminder.due_at.desc()
    query = (
        select(Reminder, Appointment, Patient)
        .join(Appointment, Appointment.appointment_id == Reminder.appointment_id)
        .join(Patient, Patient.patient_id == Appointment.patient_id)
        .where(Appointment.location_id == desk.here.location_id, Reminder.state == state)
        .order_by(order)
        .limit(_MOST)
    )
    found = [Line(*row) for row in desk.session.execute(query)]
    seen = permitted_visits(desk.session, desk.caller.access, "schedule.read", [each.visit for each in found])
    lines = [each for each in found if each.visit.appointment_id in seen]
    for patient_id in {each.patient.patient_id for each in lines}:
        desk.doing.noted("reminder.read", patient_id=patient_id)
    if not lines:
        desk.doing.noted("reminder.read")
    return page(
        desk,
        "reminders.html",
        status=status,
        state=state,
        lines=lines,
        most=_MOST,
        may_act=desk.may("appointment.write", at(desk)),
        problem=problem,
    )
