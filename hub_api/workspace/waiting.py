"""The waitlist of a location: who would come sooner, what is open for them, and booking it; joining and leaving it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select

from ehr_pm.coverage import eligibility
from ehr_pm.organisation.models import Location
from ehr_pm.patients import repository as patients
from ehr_pm.rows import get
from ehr_pm.scheduling import calendar, offers, repository, waitlist
from ehr_pm.scheduling.models import Appointment, VisitType, WaitlistEntry
from ehr_pm.scheduling.schemas import NewWaitlistEntry
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import NOTHING_TYPED, ProblemsError, Typed, told, typed
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_api.workspace.reach import at, note_read, patient_for
from hub_core.access import Action, Subject
from hub_core.errors import ConflictError
from hub_core.sensitivity import strictest

router = APIRouter(route_class=PageRoute)

_WEEKS: Final = timedelta(weeks=4)
_FIELDS: Final = ("visit_type_id", "bookable_id", "not_before", "not_after", "priority")


@router.get("/work/waitlist")
async def show_waitlist(request: Request) -> Response:
    """Show who waits, and what could be offered to them."""
    return await at_desk(request, _show)


@router.post("/work/waitlist/{entry_id}/book")
async def book_offer(request: Request, entry_id: UUID) -> Response:
    """Book an opening for somebody who waits."""
    fields = await typed(request)
    try:
        booked = await at_desk(request, partial(_book, entry_id=entry_id, fields=fields))
    except (ConflictError, ProblemsError) as error:
        problem = str(error) if isinstance(error, ConflictError) else "choose one of the times"
        return await at_desk(request, partial(_show, problem=problem, status=409))
    return led_on(f"/work/appointments/{booked}")


@router.post("/work/waitlist/{entry_id}/withdraw")
async def withdraw(request: Request, entry_id: UUID) -> Response:
    """Take somebody off the waitlist."""

    def take_off(desk: Desk) -> None:
        _entry_for(desk, entry_id, "appointment.write")
        waitlist.withdraw(desk.doing, entry_id)

    try:
        await at_desk(request, take_off)
    except ConflictError as error:
        return await at_desk(request, partial(_show, problem=str(error), status=409))
    return led_on("/work/waitlist")


@router.get("/work/patients/{patient_id}/waitlist")
async def show_join(request: Request, patient_id: UUID) -> Response:
    """Show the form to put a patient on the waitlist."""
    return await at_desk(request, partial(_show_join, patient_id=patient_id))


@router.post("/work/patients/{patient_id}/waitlist")
async def join(request: Request, patient_id: UUID) -> Response:
    """Put a patient on the waitlist, or show why not."""
    fields = await typed(request)
    try:
        await at_desk(request, partial(_join, patient_id=patient_id, fields=fields))
    except ProblemsError as error:
        return await at_desk(
            request, partial(_show_join, patient_id=patient_id, fields=fields, problems=error.problems, status=422)
        )
    return led_on("/work/waitlist")


def _book(desk: Desk, *, entry_id: UUID, fields: Typed) -> UUID:
    _entry_for(desk, entry_id, "appointment.write")
    start, _, bookable_id = fields["offer"].partition(" ")
    new = told(offers.Chosen, {"start": start, "bookable_id": bookable_id})
    booked: Appointment = waitlist.give(desk.doing, entry_id, new.start, new.bookable_id)
    eligibility.queue_for_appointment(desk.doing, booked)
    return booked.appointment_id


def _join(desk: Desk, *, patient_id: UUID, fields: Typed) -> None:
    patient, _ = patient_for(desk, patient_id, "patient.read")
    desk.require("appointment.write", at(desk))
    values: dict[str, Any] = fields.given(*_FIELDS)
    values |= {"patient_id": patient.patient_id, "location_id": desk.here.location_id}
    waitlist.join(desk.doing, told(NewWaitlistEntry, values, {"": "not_after"}))


def _entry_for(desk: Desk, entry_id: UUID, action: Action) -> WaitlistEntry:
    entry = get(desk.session, WaitlistEntry, entry_id, "waitlist entry")
    place = get(desk.session, Location, entry.location_id, "location")
    kind = get(desk.session, VisitType, entry.visit_type_id, "visit type")
    patient = patients.get(desk.session, entry.patient_id)
    desk.require(action, _subject(place, patient.patient_id, patient.sensitivity, kind.sensitivity))
    return entry


def _subject(place: Location, patient_id: UUID, *kinds: str | None) -> Subject:
    return Subject(frozenset({place.key}), patient_id, strictest(place.sensitivity, *kinds), place.key)


def _show(desk: Desk, *, problem: str = "", status: int = 200) -> Response:
    desk.require("schedule.read", at(desk))
    place = get(desk.session, Location, desk.here.location_id, "location")
    columns = [each for each in calendar.columns(desk.session, place.location_id) if each.kind == "practitioner"]
    found = offers.waiting(desk.session, place.location_id, columns, desk.here.zone, desk.doing.moment)
    shown = [
        each
        for each in found
        if desk.may(
            "schedule.read",
            _subject(place, each.patient.patient_id, each.patient.sensitivity, each.visit_type.sensitivity),
        )
    ]
    for each in shown:
        desk.doing.noted("waitlist.read", patient_id=each.patient.patient_id)
    if not shown:
        desk.doing.noted("waitlist.read")
    return page(
        desk,
        "waitlist.html",
        status=status,
        waiting=shown,
        names={each.bookable_id: each.name for each in columns},
        ahead=offers.AHEAD,
        may_act=desk.may("appointment.write", at(desk)),
        problem=problem,
    )


def _show_join(
    desk: Desk,
    *,
    patient_id: UUID,
    fields: Typed = NOTHING_TYPED,
    problems: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    patient, _ = patient_for(desk, patient_id, "patient.read")
    desk.require("appointment.write", at(desk))
    note_read(desk, patient)
    things = repository.of_location(desk.session, desk.here.location_id)
    types = desk.session.scalars(select(VisitType).where(VisitType.is_active).order_by(VisitType.name))
    return page(
        desk,
        "join_waitlist.html",
        status=status,
        patient=patient,
        visit_types=[(each.visit_type_id, each.name) for each in types],
        clinicians=[(each.bookable_id, each.name) for each in things if each.kind == "practitioner"],
        until=desk.today + _WEEKS,
        fields=fields,
        problems=problems or {},
    )
