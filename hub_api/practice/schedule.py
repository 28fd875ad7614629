"""The schedule for programs: kinds of visits, what can be booked and when, openings, and the day of a location."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from ehr_pm import flow_board
from ehr_pm.acts import Act
from ehr_pm.flow_board import Visit
from ehr_pm.organisation.models import Location
from ehr_pm.rows import get as get_row
from ehr_pm.scheduling import service, setup
from ehr_pm.scheduling.models import Bookable, ScheduleException, VisitType
from ehr_pm.scheduling.privacy import permitted_visits
from ehr_pm.scheduling.schemas import NewBookable, NewException, NewRule, NewVisitType
from hub_api.practice.answers import answer, as_json, note_read
from hub_api.security.caller import caller_of
from hub_api.security.permission import require
from hub_api.services import services_of
from hub_core.access import Action, Subject
from hub_core.clock import instant
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json

router = APIRouter(prefix="/api/practice", tags=["schedule"])

_MOST_DAYS = 62
_Day = Annotated[date, Query(ge=date(2000, 1, 1), le=date(2099, 12, 31))]


@router.get("/visit-types")
async def list_visit_types(request: Request) -> Response:
    """Answer the kinds of visits in use."""

    def work(doing: Act) -> Response:
        require(request, "schedule.read")
        query = select(VisitType).where(VisitType.is_active).order_by(VisitType.name)
        return answer([as_json(each) for each in doing.session.scalars(query)])

    return await services_of(request).act(caller_of(request), work)


@router.post("/visit-types")
async def add_visit_type(request: Request, told: NewVisitType) -> Response:
    """Add a kind of visit."""

    def work(doing: Act) -> Response:
        require(request, "schedule.write")
        row = setup.add_visit_type(doing, told)
        return answer(as_json(row), status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.get("/locations/{location_id}/bookables")
async def list_bookables(request: Request, location_id: UUID) -> Response:
    """Answer what can be booked at a location, with its weekly hours and their exceptions from today."""

    def work(doing: Act) -> Response:
        _location_for(request, doing, location_id, "schedule.read")
        query = select(Bookable).where(Bookable.location_id == location_id, Bookable.is_active)
        rows = doing.session.scalars(query.options(selectinload(Bookable.rules)).order_by(Bookable.kind, Bookable.name))
        return answer([_bookable(doing, row) for row in rows])

    return await services_of(request).act(caller_of(request), work)


@router.post("/bookables")
async def add_bookable(request: Request, told: NewBookable) -> Response:
    """Let a practitioner, a room or a device be booked at a location."""

    def work(doing: Act) -> Response:
        _location_for(request, doing, told.location_id, "schedule.write")
        row = setup.add_bookable(doing, told)
        return answer(as_json(row), status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.post("/schedule-rules")
async def add_rule(request: Request, told: NewRule) -> Response:
    """Add weekly hours of something that can be booked."""

    def work(doing: Act) -> Response:
        _bookable_for(request, doing, told.bookable_id)
        row = setup.add_rule(doing, told)
        return answer(as_json(row), status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.post("/schedule-exceptions")
async def add_exception(request: Request, told: NewException) -> Response:
    """Open or close something for a stretch of time."""

    def work(doing: Act) -> Response:
        _bookable_for(request, doing, told.bookable_id)
        row = setup.add_exception(doing, told)
        return answer(as_json(row), status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.get("/locations/{location_id}/openings")
async def find_openings(
    request: Request,
    location_id: UUID,
    visit_type_id: UUID,
    first: _Day,
    last: _Day,
    bookable_id: Annotated[list[UUID], Query(min_length=1, max_length=10)],
) -> Response:
    """Answer the wall times at which all of these are free together."""
    if not first <= last <= first + timedelta(days=_MOST_DAYS):
        raise UnreadableError(f"give a first and a last day, at most {_MOST_DAYS} apart", code="value")

    def work(doing: Act) -> Response:
        _location_for(request, doing, location_id, "schedule.read")
        found = service.find(doing.session, location_id, visit_type_id, bookable_id, first, last)
        return answer([each.isoformat(timespec="minutes") for each in found])

    return await services_of(request).act(caller_of(request), work)


@router.get("/locations/{location_id}/day")
async def read_day(request: Request, location_id: UUID, on: _Day | None = None) -> Response:
    """Answer the flow board of a location: today's, or another day's."""

    def work(doing: Act) -> Response:
        location = _location_for(request, doing, location_id, "schedule.read")
        day = on or doing.moment.astimezone(ZoneInfo(location.zone)).date()
        visits = flow_board.of_day(doing.session, location, day, doing.moment)
        rows = [each.appointment for each in visits]
        seen = permitted_visits(doing.session, caller_of(request).access, "schedule.read", rows)
        said = [_visit(doing, each, is_seen=each.appointment.appointment_id in seen) for each in visits]
        if not seen:
            doing.noted("schedule.read_day", resource_type="Appointment", location=location.key)
        counts = dict(Counter(each.status for each in seen.values()))
        board = {"location": location.key, "on": day.isoformat(), "as_of": instant(doing.moment)}
        return answer({**board, "counts": counts, "visits": said})

    return await services_of(request).act(caller_of(request), work)


def _visit(doing: Act, visit: Visit, *, is_seen: bool) -> Json:
    """Return a visit of the day; of somebody whose data the caller may not see, that the time is taken."""
    row, patient = visit.appointment, visit.patient
    hours: Json = {
        "starts_at": instant(row.starts_at),
        "ends_at": instant(row.ends_at),
        "local_start": row.local_start.isoformat(timespec="minutes"),
        "taken": [{"bookable_id": str(each.bookable_id), "kind": each.kind, "name": each.name} for each in visit.taken],
    }
    if not is_seen:
        return hours | {"appointment_id": None, "patient": None}
    note_read(doing, "schedule.read_day", patient, "Appointment", row.appointment_id)
    return hours | {
        "appointment_id": str(row.appointment_id),
        "version": row.version,
        "status": row.status,
        "since": instant(visit.since),
        "waiting_minutes": visit.waiting_minutes,
        "eligibility": visit.eligibility,
        "visit_type": row.visit_type.name,
        "is_override": row.override_reason is not None,
        "patient": {
            "patient_id": str(patient.patient_id),
            "mrn": patient.mrn,
            "name": f"{patient.given} {patient.family}",
            "birth_date": patient.birth_date.isoformat(),
        },
        "chart": f"/fhir/Patient/{patient.patient_id}/$everything",
    }


def _bookable(doing: Act, row: Bookable) -> Json:
    ahead = select(ScheduleException).where(
        ScheduleException.bookable_id == row.bookable_id, func.upper(ScheduleException.during) > doing.moment
    )
    exceptions = [as_json(each, "bookable_id") for each in doing.session.scalars(ahead)]
    return as_json(row) | {"rules": [as_json(each, "bookable_id") for each in row.rules], "exceptions": exceptions}


def _location_for(request: Request, doing: Act, location_id: UUID, action: Action) -> Location:
    """Return a location for an action.

    Raises:
        NotFoundError: if there is none.
        RefusedError: if the caller may not do this.
    """
    row = get_row(doing.session, Location, location_id, "location")
    require(request, action, Subject(frozenset({row.key})))
    return row


def _bookable_for(request: Request, doing: Act, bookable_id: UUID) -> None:
    row = get_row(doing.session, Bookable, bookable_id, "practitioner, room or device")
    _location_for(request, doing, row.location_id, "schedule.write")
