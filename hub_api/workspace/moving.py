"""Moving one visit to another time or clinician, with a reason; with another where that is closed or taken."""

from __future__ import annotations

from datetime import date
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ehr_pm.coverage import eligibility
from ehr_pm.patients import repository as patients
from ehr_pm.scheduling import repository, service
from ehr_pm.scheduling.models import Appointment
from ehr_pm.scheduling.privacy import subject_of_visit
from ehr_pm.scheduling.schemas import NewAppointment
from ehr_pm.scheduling.walltime import NonexistentTimeError
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import ProblemsError, Typed, told, typed
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_api.workspace.reach import note_read, visit_for
from hub_core.errors import ConflictError

router = APIRouter(route_class=PageRoute)

_NAMES = {"local_start": "to", "bookable_ids": "with", "bookable_ids.0": "with"}


@router.get("/work/appointments/{appointment_id}/move")
async def show_move(request: Request, appointment_id: UUID, to: str = "") -> Response:
    """Show the form to move a visit."""
    fields = Typed({"to": [to], "with": [request.query_params.get("with", "")]})
    return await at_desk(request, partial(_show, appointment_id=appointment_id, fields=fields))


@router.post("/work/appointments/{appointment_id}/move")
async def move(request: Request, appointment_id: UUID) -> Response:
    """Move a visit, or show why it cannot be."""
    fields = await typed(request)
    try:
        on = await at_desk(request, partial(_move, appointment_id=appointment_id, fields=fields))
    except ProblemsError as error:
        problems, status = error.problems, 422
    except (ConflictError, NonexistentTimeError) as error:
        problems, status = {"to": f"{str(error).capitalize()}."}, 409
    else:
        return led_on(f"/work/calendar?first={on}&span=day")
    return await at_desk(
        request, partial(_show, appointment_id=appointment_id, fields=fields, problems=problems, status=status)
    )


def _move(desk: Desk, *, appointment_id: UUID, fields: Typed) -> date:
    visit = visit_for(desk, appointment_id, "appointment.write")
    if fields["override_reason"]:
        desk.require("appointment.override", subject_of_visit(desk.session, visit))
    kept = [each.bookable_id for each in repository.taken_by(desk.session, visit) if each.kind != "practitioner"]
    values = {
        "patient_id": visit.patient_id,
        "location_id": visit.location_id,
        "visit_type_id": visit.visit_type_id,
        "bookable_ids": [fields["with"], *kept],
        "local_start": fields["to"],
        **fields.given("override_reason"),
    }
    new = told(NewAppointment, values, _NAMES)
    if len(fields["reason"]) < 3:
        raise ProblemsError({"reason": "Say why it is moved."})
    moved = service.reschedule(desk.doing, appointment_id, new, fields["reason"][:500])
    eligibility.queue_for_appointment(desk.doing, moved)
    return moved.local_start.date()


def _show(
    desk: Desk, *, appointment_id: UUID, fields: Typed, problems: dict[str, str] | None = None, status: int = 200
) -> Response:
    visit = visit_for(desk, appointment_id, "appointment.write")
    patient = patients.get(desk.session, visit.patient_id)
    note_read(desk, patient)
    things = repository.of_location(desk.session, visit.location_id)
    return page(
        desk,
        "move.html",
        status=status,
        visit=visit,
        patient=patient,
        clinicians=[(each.bookable_id, each.name) for each in things if each.kind == "practitioner"],
        now_with=_now_with(desk, visit),
        may_override=desk.may("appointment.override", subject_of_visit(desk.session, visit)),
        fields=fields,
        problems=problems or {},
    )


def _now_with(desk: Desk, visit: Appointment) -> UUID | None:
    """Return whom the visit is with now."""
    taken = repository.taken_by(desk.session, visit)
    return next((each.bookable_id for each in taken if each.kind == "practitioner"), None)
