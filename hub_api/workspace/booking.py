"""Finding an opening for a patient, to book it or to move a visit there; where it is closed or taken, with a reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select

from ehr_pm.coverage import eligibility
from ehr_pm.scheduling import repository, service
from ehr_pm.scheduling.models import Appointment, Bookable, VisitType
from ehr_pm.scheduling.schemas import NewAppointment, NewSeries
from ehr_pm.scheduling.series import book_series
from ehr_pm.scheduling.walltime import NonexistentTimeError
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import NOTHING_TYPED, ProblemsError, Typed, told, typed
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_api.workspace.reach import at, note_read, patient_for, visit_for
from hub_core.errors import ConflictError

router = APIRouter(route_class=PageRoute)

_DAYS_AHEAD: Final = 14
_DAYS_OF_ANYBODY: Final = 4
_MOST_CLINICIANS: Final = 12
_SHORTEST_REASON: Final = 3
_REPEATS: Final = (
    ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "every weekday"),
    ("FREQ=WEEKLY", "every week"),
    ("FREQ=WEEKLY;INTERVAL=2", "every two weeks"),
    ("FREQ=WEEKLY;INTERVAL=4", "every four weeks"),
    ("FREQ=MONTHLY", "every month, on the same date"),
)
"""How a visit may repeat (RFC 5545), and in words."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked for."""

    visit_type_id: UUID | None
    with_whom: UUID | None
    """None is anybody."""
    room: UUID | None
    first: date
    moves: UUID | None
    """The appointment that is to be moved there, if one is."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A time at which a visit could start, and what it would take."""

    start: datetime
    taken: tuple[UUID, ...]
    name: str

    @property
    def value(self) -> str:
        """Return what the form sends for it."""
        return " ".join([self.start.isoformat(timespec="minutes"), *map(str, self.taken)])


@router.get("/work/patients/{patient_id}/book")
async def show_openings(
    request: Request,
    patient_id: UUID,
    visit_type: UUID | None = None,
    clinician: str = "",
    room: str = "",
    first: str = "",
    moves: str = "",
) -> Response:
    """Show what can be booked for a patient, and when."""
    wish = partial(_wish, visit_type=visit_type, clinician=clinician, room=room, first=first, moves=moves)
    return await at_desk(request, lambda desk: _show(desk, patient_id, wish(desk)))


@router.post("/work/patients/{patient_id}/book")
async def book(request: Request, patient_id: UUID) -> Response:
    """Book a visit, or show why it cannot be."""
    fields = await typed(request)
    try:
        way_on = await at_desk(request, partial(_book, patient_id=patient_id, fields=fields))
    except ProblemsError as error:
        problems, status = error.problems, 422
    except (ConflictError, NonexistentTimeError) as error:
        problems, status = {"slot": f"{str(error).capitalize()}."}, 409
    else:
        return led_on(way_on)
    visit_type = _id(fields["visit_type"])
    wish = partial(
        _wish,
        visit_type=visit_type,
        clinician=fields["clinician"],
        room=fields["room"],
        first=fields["first"],
        moves=fields["moves"],
    )
    return await at_desk(
        request, lambda desk: _show(desk, patient_id, wish(desk), fields=fields, problems=problems, status=status)
    )


def _book(desk: Desk, *, patient_id: UUID, fields: Typed) -> str:
    patient, _ = patient_for(desk, patient_id, "patient.read")
    desk.require("appointment.write", at(desk))
    start, *taken = (fields["slot"] or "").split()[:11] or [""]
    values: dict[str, Any] = {
        "patient_id": patient.patient_id,
        "location_id": desk.here.location_id,
        "visit_type_id": fields["visit_type"],
        "bookable_ids": taken,
        "local_start": start,
    }
    if fields["override_reason"] or fields["override_start"]:
        desk.require("appointment.override", at(desk))
        chosen = [each for each in (fields["override_with"], fields["room"]) if each]
        values |= {"local_start": fields["override_start"], "bookable_ids": chosen}
        values["override_reason"] = fields["override_reason"]
        names = {"local_start": "override_start", "bookable_ids": "override_with"}
    elif not start:
        raise ProblemsError({"slot": "Choose a time."})
    else:
        names = {"local_start": "slot", "bookable_ids": "slot"}
    new = told(NewAppointment, values, {**names, "visit_type_id": "visit_type"})
    moves = _id(fields["moves"])
    if fields["repeat"] and moves is None:
        return _repeat(desk, new, fields)
    booked = service.book(desk.doing, new) if moves is None else _move(desk, moves, new, fields["reason"])
    eligibility.queue_for_appointment(desk.doing, booked)
    return f"/work/patients/{patient_id}?done=booked&on={booked.local_start.date()}"


def _repeat(desk: Desk, first: NewAppointment, fields: Typed) -> str:
    """Book a visit that repeats, all of it or nothing."""
    skipping = [each for each in fields["skip"].replace(",", " ").split() if each]
    values = {"first": first, "rrule": f"{fields['repeat']};COUNT={fields['times'] or 1}", "skipping": skipping}
    rows = book_series(desk.doing, told(NewSeries, values, {f"skipping.{n}": "skip" for n in range(len(skipping))}))
    for row in rows:
        eligibility.queue_for_appointment(desk.doing, row)
    return f"/work/series/{rows[0].series_id}"


def _move(desk: Desk, appointment_id: UUID, new: NewAppointment, reason: str) -> Appointment:
    visit_for(desk, appointment_id, "appointment.write")
    if len(reason) < _SHORTEST_REASON:
        raise ProblemsError({"reason": "Say why it is moved."})
    return service.reschedule(desk.doing, appointment_id, new, reason[:500])


def _wish(desk: Desk, *, visit_type: UUID | None, clinician: str, room: str, first: str, moves: str) -> Wish:
    try:
        begin = date.fromisoformat(first)
    except ValueError:
        begin = desk.today
    return Wish(visit_type, _id(clinician), _id(room), max(begin, desk.today), _id(moves))


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _show(
    desk: Desk,
    patient_id: UUID,
    wish: Wish,
    *,
    fields: Typed = NOTHING_TYPED,
    problems: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    patient, _ = patient_for(desk, patient_id, "patient.read")
    desk.require("appointment.write", at(desk))
    note_read(desk, patient)
    things = repository.of_location(desk.session, desk.here.location_id)
    clinicians = [each for each in things if each.kind == "practitioner"]
    rooms = [each for each in things if each.kind != "practitioner"]
    types = list(desk.session.scalars(select(VisitType).where(VisitType.is_active).order_by(VisitType.name)))
    openings = _openings(desk, wish, clinicians) if wish.visit_type_id else []
    days = [(on, list(group)) for on, group in groupby(openings, key=lambda each: each.start.date())]
    return page(
        desk,
        "book.html",
        status=status,
        patient=patient,
        wish=wish,
        visit_types=[(each.visit_type_id, f"{each.name}, {each.minutes} min") for each in types],
        clinician_names=[(each.bookable_id, each.name) for each in clinicians],
        room_names=[(each.bookable_id, each.name) for each in rooms],
        days=days,
        last=wish.first + _span(wish),
        may_override=desk.may("appointment.override", at(desk)),
        repeats=_REPEATS,
        fields=fields,
        problems=problems or {},
    )


def _openings(desk: Desk, wish: Wish, clinicians: Sequence[Bookable]) -> list[Opening]:
    """Return the openings that fit, the earliest first; of anybody's at one time, the first by name."""
    wanted = [each for each in clinicians if wish.with_whom in (None, each.bookable_id)][:_MOST_CLINICIANS]
    found: dict[datetime, Opening] = {}
    for each in wanted:
        for opening in _openings_of(desk, wish, each):
            found.setdefault(opening.start, opening)
    return sorted(found.values(), key=lambda each: each.start)


def _openings_of(desk: Desk, wish: Wish, clinician: Bookable) -> Iterator[Opening]:
    assert wish.visit_type_id is not None  # noqa: S101 - asked before
    taken = (clinician.bookable_id, *([wish.room] if wish.room else []))
    last = wish.first + _span(wish)
    now = desk.now.replace(tzinfo=None)
    for start in service.find(desk.session, desk.here.location_id, wish.visit_type_id, taken, wish.first, last):
        if start >= now:
            yield Opening(start, taken, clinician.name)


def _span(wish: Wish) -> timedelta:
    return timedelta(days=(_DAYS_AHEAD if wish.with_whom else _DAYS_OF_ANYBODY) - 1)
