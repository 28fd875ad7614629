"""The day of a location: its schedule in order of time, its flow board, and the steps that move visits along."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ehr_pm.acts import Act
from ehr_pm.coverage import eligibility
from ehr_pm.patients import repository as patients
from ehr_pm.scheduling import service, waitlist
from ehr_pm.scheduling.models import Appointment
from hub_api.workspace import visits, words
from hub_api.workspace.desk import LOCATION_COOKIE, Desk, at_desk
from hub_api.workspace.forms import typed
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_api.workspace.reach import at, note_read, visit_for
from hub_core.errors import ConflictError, NotFoundError

router = APIRouter(route_class=PageRoute)

_STEPS: Final[Mapping[str, Callable[[Act, UUID], Appointment]]] = {
    "confirm": service.confirm,
    "room": service.bring_to_room,
    "unroom": service.arrive,
    "begin": service.begin,
    "check-out": service.check_out,
    "no-show": service.note_no_show,
}

_YEAR_SECONDS: Final = 365 * 24 * 3600


@router.get("/work")
async def show_day(request: Request, day: date | None = None, view: Literal["list", "flow"] = "list") -> Response:
    """Show a day of the location somebody works at."""
    answer = await at_desk(request, partial(_show, on=day, view=view))
    if key := request.query_params.get("location"):
        answer.set_cookie(
            LOCATION_COOKIE,
            key if key.isascii() and key.replace("-", "").replace("_", "").isalnum() else "",
            max_age=_YEAR_SECONDS,
            path="/work",
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
    return answer


@router.post("/work/appointments/{appointment_id}/{step}")
async def take_step(request: Request, appointment_id: UUID, step: str) -> Response:
    """Move a visit one step along, and show the day again."""
    fields = await typed(request)
    view: Literal["list", "flow"] = "flow" if fields["view"] == "flow" else "list"

    def take(desk: Desk) -> tuple[date, str]:
        visit_for(desk, appointment_id, "appointment.write")
        row = _take(desk.doing, step, appointment_id, fields["reason"])
        done = f"{words.STATES[row.status]}: {row.local_start:%H:%M}"
        if step == "cancel" and fields["fill"]:
            done += f". {_fill(desk, row)}"
        return row.local_start.date(), done

    try:
        on, done = await at_desk(request, take)
    except ConflictError as error:
        shown = date.fromisoformat(fields["day"]) if fields["day"] else None
        return await at_desk(request, partial(_show, on=shown, view=view, problem=str(error), status=409))
    if "hx-request" in request.headers:
        return await at_desk(request, partial(_show, on=on, view=view, done=done))
    if step == "cancel" and fields["fill"]:
        return await at_desk(request, partial(_show, on=on, view=view, done=done))
    return led_on(f"/work?day={on}&view={view}")


def _fill(desk: Desk, freed: Appointment) -> str:
    """Give a time to the first on the waitlist who can have it, and return who that was, in words."""
    booked = waitlist.fill(desk.doing, freed)
    if booked is None:
        return "Nobody on the waitlist can have the time."
    eligibility.queue_for_appointment(desk.doing, booked)
    patient = patients.get(desk.session, booked.patient_id)
    note_read(desk, patient)
    return f"{patient.family}, {patient.given} from the waitlist has the time now: tell them."


def _take(doing: Act, step: str, appointment_id: UUID, reason: str) -> Appointment:
    if step == "cancel":
        if len(reason) < 3:
            raise ConflictError("an appointment is cancelled with a reason")
        return service.cancel(doing, appointment_id, reason[:500])
    if step not in _STEPS:
        raise NotFoundError("there is no such step")
    return _STEPS[step](doing, appointment_id)


def _show(
    desk: Desk,
    *,
    on: date | None,
    view: Literal["list", "flow"],
    done: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    if desk.place is None:
        return page(desk, "nowhere.html")
    desk.require("schedule.read", at(desk))
    day = visits.of_day(desk, desk.here, on or desk.today)
    for line in day.lines:
        desk.doing.noted("schedule.read", patient_id=line.appointment.patient_id)
    if not day.lines:
        desk.doing.noted("schedule.read")
    may_act = desk.may("appointment.write", at(desk))
    return page(desk, "day.html", status=status, day=day, view=view, may_act=may_act, done=done, problem=problem)
