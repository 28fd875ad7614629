"""A series of visits: each of them, one skipped or moved alone, and what is to change from one of them on."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select

from ehr_pm.coverage import eligibility
from ehr_pm.patients import repository as patients
from ehr_pm.rows import get
from ehr_pm.scheduling import repository, series
from ehr_pm.scheduling.models import Appointment, AppointmentSeries
from ehr_pm.scheduling.schemas import NewAppointment
from ehr_pm.scheduling.walltime import NonexistentTimeError
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import NOTHING_TYPED, ProblemsError, Typed, told, typed
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_api.workspace.reach import note_read, visit_for
from hub_core.errors import ConflictError, NotFoundError

router = APIRouter(route_class=PageRoute)


@router.get("/work/series/{series_id}")
async def show_series(request: Request, series_id: UUID) -> Response:
    """Show the visits of a series."""
    return await at_desk(request, partial(_show, series_id=series_id))


@router.post("/work/series/{series_id}")
async def change_from(request: Request, series_id: UUID) -> Response:
    """Cancel or move a visit of a series and all after it."""
    fields = await typed(request)
    try:
        on = await at_desk(request, partial(_change, fields=fields))
    except ProblemsError as error:
        problems, status = error.problems, 422
    except (ConflictError, NonexistentTimeError) as error:
        problems, status = {"": f"{str(error).capitalize()}."}, 409
    else:
        return led_on(f"/work/series/{on}")
    return await at_desk(request, partial(_show, series_id=series_id, fields=fields, problems=problems, status=status))


def _change(desk: Desk, *, fields: Typed) -> UUID:
    """Change what is still to come of a series, and return the series it is in now."""
    try:
        visit = visit_for(desk, UUID(fields["from"]), "appointment.write")
    except ValueError:
        raise ProblemsError({"from": "Choose a visit."}) from None
    if len(fields["reason"]) < 3:
        raise ProblemsError({"reason": "Say why."})
    reason = fields["reason"][:500]
    assert visit.series_id is not None or fields["what"]  # noqa: S101 - the service refuses what is of no series
    if fields["what"] != "move":
        series.cancel_from(desk.doing, visit.appointment_id, reason)
        return visit.series_id or visit.appointment_id
    taken = [each.bookable_id for each in repository.taken_by(desk.session, visit)]
    values = {
        "patient_id": visit.patient_id,
        "location_id": visit.location_id,
        "visit_type_id": visit.visit_type_id,
        "bookable_ids": taken,
        "local_start": fields["to"],
    }
    moved = series.move_from(
        desk.doing, visit.appointment_id, told(NewAppointment, values, {"local_start": "to"}), reason
    )
    for each in moved:
        eligibility.queue_for_appointment(desk.doing, each)
    return moved[0].series_id or visit.appointment_id


def _show(
    desk: Desk,
    *,
    series_id: UUID,
    fields: Typed = NOTHING_TYPED,
    problems: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    row = get(desk.session, AppointmentSeries, series_id, "series")
    query = select(Appointment).where(Appointment.series_id == series_id).order_by(Appointment.local_start)
    visits = list(desk.session.scalars(query))
    if not visits:
        raise NotFoundError("there is no such series")
    visit_for(desk, visits[0].appointment_id, "schedule.read")
    patient = patients.get(desk.session, row.patient_id)
    note_read(desk, patient)
    ahead = [each for each in visits if each.status in ("booked", "confirmed")]
    return page(
        desk,
        "series.html",
        status=status,
        series=row,
        patient=patient,
        visits=visits,
        ahead=[(each.appointment_id, f"{each.local_start:%a %Y-%m-%d %H:%M}") for each in ahead],
        may_act=desk.holds("appointment.write"),
        fields=fields,
        problems=problems or {},
    )
