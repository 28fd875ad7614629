"""Appointments for programs: held, booked, moved along the flow, given up; series and the waitlist.

A program that does not know whether its booking arrived sends it again under the same `Idempotency-Key` (a UUID, which
becomes the appointment's id): the database makes one appointment of both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final, Literal, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response
from psycopg.errors import UniqueViolation
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from ehr_pm.acts import Act
from ehr_pm.coverage import eligibility
from ehr_pm.organisation.models import Location
from ehr_pm.patients.models import Patient
from ehr_pm.rows import get as get_row
from ehr_pm.scheduling import repository, service
from ehr_pm.scheduling import waitlist as waiting
from ehr_pm.scheduling.late_entries import LateEntry, date_back
from ehr_pm.scheduling.models import Appointment, AppointmentStatusEvent, VisitType, WaitlistEntry
from ehr_pm.scheduling.privacy import permitted_visits, subject_of_visit
from ehr_pm.scheduling.schemas import NewAppointment, NewSeries, NewWaitlistEntry, Reason
from ehr_pm.scheduling.series import book_series
from hub_api.practice.answers import answer, as_json, note_read, patient_for, refuse_stale
from hub_api.security.caller import caller_of
from hub_api.security.permission import require
from hub_api.services import services_of
from hub_core.access import Action, Subject, decide
from hub_core.errors import ConflictError
from hub_core.fhir.canonical import Json
from hub_core.sensitivity import strictest

router = APIRouter(prefix="/api/practice", tags=["appointments"])

Step: TypeAlias = Literal["book", "confirm", "arrive", "room", "begin", "check-out", "no-show"]

_STEPS: Final[Mapping[Step, Callable[[Act, UUID], Appointment]]] = {
    "book": service.book_held,
    "confirm": service.confirm,
    "arrive": service.arrive,
    "room": service.bring_to_room,
    "begin": service.begin,
    "check-out": service.check_out,
    "no-show": service.note_no_show,
}


class Cancellation(BaseModel):
    """Why a visit is not to be, and whether somebody on the waitlist may have its time."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason
    fill_from_waitlist: bool = False


class Move(BaseModel):
    """When and with whom instead, and why."""

    model_config = ConfigDict(extra="forbid")

    to: NewAppointment
    reason: Reason


@router.post("/appointments")
async def book(
    request: Request, told: NewAppointment, idempotency_key: Annotated[UUID | None, Header()] = None
) -> Response:
    """Book a visit, and ask payers about its day; 409 when what it needs is closed or taken."""
    services, caller = services_of(request), caller_of(request)
    work = partial(_book, request, told, idempotency_key)
    try:
        return await services.act(caller, work)
    except (ConflictError, UniqueViolation):
        if idempotency_key is None:
            raise
        return await services.act(caller, work)  # it may be in the way of itself, made a moment ago: now it is found


@router.post("/appointments/hold")
async def hold(request: Request, told: NewAppointment) -> Response:
    """Keep a time for a few minutes while somebody decides."""

    def work(doing: Act) -> Response:
        return _said(doing, service.hold(doing, _bookable(request, doing, told)), status=201)

    return await services_of(request).act(caller_of(request), work)


@router.get("/appointments/{appointment_id}")
async def read_appointment(request: Request, appointment_id: UUID) -> Response:
    """Answer an appointment with all its steps."""

    def work(doing: Act) -> Response:
        row = _visit_for(request, doing, appointment_id, "schedule.read")
        note_read(
            doing, "appointment.read", doing.session.get_one(Patient, row.patient_id), "Appointment", appointment_id
        )
        query = select(AppointmentStatusEvent).where(AppointmentStatusEvent.appointment_id == appointment_id)
        steps = doing.session.scalars(query.order_by(AppointmentStatusEvent.number))
        said = _appointment(doing, row) | {"steps": [as_json(each, "appointment_id") for each in steps]}
        return answer(said, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.get("/patients/{patient_id}/appointments")
async def list_appointments(request: Request, patient_id: UUID) -> Response:
    """Answer a patient's appointments, the newest first: those that the caller may see."""

    def work(doing: Act) -> Response:
        patient = patient_for(request, doing, patient_id, "schedule.read")
        note_read(doing, "appointment.list", patient)
        query = select(Appointment).where(Appointment.patient_id == patient.patient_id)
        rows = list(doing.session.scalars(query.order_by(Appointment.starts_at.desc())))
        seen = permitted_visits(doing.session, caller_of(request).access, "schedule.read", rows)
        return answer(_appointments(doing, list(seen.values())))

    return await services_of(request).act(caller_of(request), work)


@router.post("/appointments/{appointment_id}/cancel")
async def cancel(request: Request, appointment_id: UUID, told: Cancellation) -> Response:
    """Give up a visit; its time is filled from the waitlist when that is wanted."""

    def work(doing: Act) -> Response:
        row = _visit_for(request, doing, appointment_id, "appointment.write")
        refuse_stale(request, row.version)
        cancelled = service.cancel(doing, appointment_id, told.reason)
        filled = waiting.fill(doing, cancelled) if told.fill_from_waitlist else None
        if filled is not None:
            eligibility.queue_for_appointment(doing, filled)
        shown = None if filled is None else _appointment(doing, filled)
        return answer({"appointment": _appointment(doing, cancelled), "filled": shown}, version=cancelled.version)

    return await services_of(request).act(caller_of(request), work)


@router.post("/appointments/{appointment_id}/reschedule")
async def reschedule(request: Request, appointment_id: UUID, told: Move) -> Response:
    """Move a visit to another time: both the old and the new change, or neither."""

    def work(doing: Act) -> Response:
        row = _visit_for(request, doing, appointment_id, "appointment.write")
        refuse_stale(request, row.version)
        moved = service.reschedule(doing, appointment_id, _bookable(request, doing, told.to), told.reason)
        eligibility.queue_for_appointment(doing, moved)
        return _said(doing, moved, status=201)

    return await services_of(request).act(caller_of(request), work)


@router.post("/appointments/{appointment_id}/{step}")
async def take_step(request: Request, appointment_id: UUID, step: Step, late: LateEntry | None = None) -> Response:
    """Move a visit one step along: booked, confirmed, arrived, in a room, with the clinician, over, or not come.

    A step that is entered afterwards says when it happened and why it is entered late, by somebody who may override.
    """

    def work(doing: Act) -> Response:
        refuse_stale(request, _visit_for(request, doing, appointment_id, "appointment.write").version)
        if late is not None:
            _visit_for(request, doing, appointment_id, "appointment.override")
        row = _STEPS[step](doing, appointment_id)
        if step == "book":
            eligibility.queue_for_appointment(doing, row)
        if late is not None:
            date_back(doing, row, late)
        return _said(doing, row)

    return await services_of(request).act(caller_of(request), work)


@router.post("/appointment-series")
async def book_repeated(request: Request, told: NewSeries) -> Response:
    """Book visits that repeat, all of them or none."""

    def work(doing: Act) -> Response:
        rows = book_series(doing, told.model_copy(update={"first": _bookable(request, doing, told.first)}))
        for row in rows:
            eligibility.queue_for_appointment(doing, row)
        return answer(_appointments(doing, rows), status=201)

    return await services_of(request).act(caller_of(request), work)


@router.get("/locations/{location_id}/waitlist")
async def list_waiting(request: Request, location_id: UUID) -> Response:
    """Answer who would come sooner to a location, the most urgent first."""

    def work(doing: Act) -> Response:
        location = get_row(doing.session, Location, location_id, "location")
        require(request, "schedule.read", Subject(frozenset({location.key})))
        query = select(WaitlistEntry).where(WaitlistEntry.location_id == location_id, WaitlistEntry.state == "waiting")
        rows = list(doing.session.scalars(query.order_by(WaitlistEntry.priority, WaitlistEntry.created_at)))
        shown = [row for row in rows if _may_see(request, doing, location, row)]
        for row in shown:
            doing.noted("waitlist.read", patient_id=row.patient_id, location=location.key)
        if not shown:
            doing.noted("waitlist.read", location=location.key)
        return answer([as_json(row) for row in shown])

    return await services_of(request).act(caller_of(request), work)


@router.post("/waitlist")
async def join_waitlist(request: Request, told: NewWaitlistEntry) -> Response:
    """Put a patient on the waitlist of a location."""

    def work(doing: Act) -> Response:
        patient_id = _patient_at(request, doing, told.patient_id, told.location_id, "appointment.write")
        row = waiting.join(doing, told.model_copy(update={"patient_id": patient_id}))
        return answer(as_json(row), status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.post("/waitlist/{entry_id}/withdraw")
async def withdraw_from_waitlist(request: Request, entry_id: UUID) -> Response:
    """Take a patient off the waitlist."""

    def work(doing: Act) -> Response:
        row = get_row(doing.session, WaitlistEntry, entry_id, "waitlist entry")
        _patient_at(request, doing, row.patient_id, row.location_id, "appointment.write")
        waiting.withdraw(doing, entry_id)
        return answer(as_json(row), version=row.version)

    return await services_of(request).act(caller_of(request), work)


def _book(request: Request, wanted: NewAppointment, key: UUID | None, doing: Act) -> Response:
    told = _bookable(request, doing, wanted)
    made = None if key is None else doing.session.get(Appointment, key)
    if made is not None:
        if (made.patient_id, made.location_id, made.local_start) != (told.patient_id, told.location_id, told.start):
            raise ConflictError("this idempotency key belongs to another booking")
        return _said(doing, made)
    columns: dict[str, Any] = {} if key is None else {"appointment_id": key}
    row = service.book(doing, told, **columns)
    eligibility.queue_for_appointment(doing, row)
    return _said(doing, row, status=201)


def _bookable(request: Request, doing: Act, told: NewAppointment) -> NewAppointment:
    """Return what the caller may book: for a patient they know, at this location, against the rules only if they may.

    Raises:
        NotFoundError: if patient or location are not known.
        RefusedError: if the caller may not.
    """
    patient_id = _patient_at(request, doing, told.patient_id, told.location_id, "appointment.write")
    if told.override_reason is not None:
        _patient_at(request, doing, told.patient_id, told.location_id, "appointment.override")
    return told.model_copy(update={"patient_id": patient_id})


def _patient_at(request: Request, doing: Act, patient_id: UUID, location_id: UUID, action: Action) -> UUID:
    """Return a patient the caller knows, for whom they may do something at a location; after a merge, the survivor.

    Raises:
        NotFoundError: if patient or location are not known.
        RefusedError: if the caller may not do this.
    """
    patient = patient_for(request, doing, patient_id, "patient.read")
    location = get_row(doing.session, Location, location_id, "location")
    kind = strictest(patient.sensitivity, location.sensitivity)
    require(request, action, Subject(frozenset({location.key}), patient.patient_id, kind, location.key))
    return patient.patient_id


def _visit_for(request: Request, doing: Act, appointment_id: UUID, action: Action) -> Appointment:
    """Return an appointment for an action, not yet locked.

    Raises:
        NotFoundError: if there is none.
        RefusedError: if the caller may not do this.
    """
    row = get_row(doing.session, Appointment, appointment_id, "appointment")
    require(request, action, subject_of_visit(doing.session, row))
    return row


def _may_see(request: Request, doing: Act, location: Location, row: WaitlistEntry) -> bool:
    wanted = doing.session.get_one(VisitType, row.visit_type_id).sensitivity
    patient = doing.session.get_one(Patient, row.patient_id)
    kind = strictest(patient.sensitivity, location.sensitivity, wanted)
    subject = Subject(frozenset({location.key}), row.patient_id, kind, location.key)
    return decide(caller_of(request).access, "schedule.read", subject).is_allowed


def _said(doing: Act, row: Appointment, *, status: int = 200) -> Response:
    return answer(_appointment(doing, row), status=status, version=row.version)


def _appointment(doing: Act, row: Appointment) -> Json:
    return _appointments(doing, [row])[0]


def _appointments(doing: Act, rows: Sequence[Appointment]) -> list[Json]:
    taken = repository.taken_by_each(doing.session, rows)
    return [
        as_json(row)
        | {
            "location": row.location.key,
            "visit_type": row.visit_type.name,
            "taken": [
                {"bookable_id": str(each.bookable_id), "kind": each.kind, "name": each.name}
                for each in taken[row.appointment_id]
            ],
        }
        for row in rows
    ]
