"""The calendar of a location: a day or a week, a column for each clinician, room and device; to look at and move in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache, partial
from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ehr_pm.patients.models import Patient
from ehr_pm.scheduling import calendar
from ehr_pm.scheduling.calendar import Cell
from ehr_pm.scheduling.models import Appointment, Bookable
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.pages import PageRoute, page
from hub_api.workspace.reach import at, note_read, patient_for, visit_for
from hub_api.workspace.words import Between
from hub_core.access import Subject, decide

router = APIRouter(route_class=PageRoute)

Span: TypeAlias = Literal["day", "week"]

CLINICIANS: Final = "clinicians"
ROOMS: Final = "rooms"
_WEEK: Final = timedelta(days=7)
_USUAL_HOURS: Final = (8, 17)


@dataclass(frozen=True, slots=True)
class View:
    """Which part of the calendar is shown, and what for."""

    first: date
    span: Span
    show: str
    """`clinicians`, `rooms`, or the id of one column."""
    moves: UUID | None = None
    """The appointment for which a place is looked for."""
    patient: UUID | None = None
    """The patient for whom a place is looked for."""

    @property
    def days(self) -> list[date]:
        """Return the days shown; a week begins on Monday."""
        if self.span == "day":
            return [self.first]
        monday = self.first - timedelta(days=self.first.weekday())
        return [monday + timedelta(days=number) for number in range(7)]

    @property
    def before(self) -> date:
        """Return the same day of the span before."""
        return self.first - (_WEEK if self.span == "week" else timedelta(days=1))

    @property
    def after(self) -> date:
        """Return the same day of the span after."""
        return self.first + (_WEEK if self.span == "week" else timedelta(days=1))

    def link(self, **other: object) -> str:
        """Return the address of this view, or of one that differs from it."""
        view = replace(self, **other)  # type: ignore[arg-type]
        asked = {"first": view.first, "span": view.span, "show": view.show, "moves": view.moves, "for": view.patient}
        return f"/work/calendar?{urlencode({name: value for name, value in asked.items() if value})}"


@router.get("/work/calendar")
async def show_calendar(
    request: Request,
    first: Annotated[date | None, Query(ge=date(2000, 1, 1), le=date(2099, 12, 1))] = None,
    span: Span = "week",
    show: str = CLINICIANS,
    moves: UUID | None = None,
    patient: Annotated[UUID | None, Query(alias="for")] = None,
) -> Response:
    """Show a day or a week of the location somebody works at."""
    wish = partial(View, span=span, show=show, moves=moves, patient=patient)
    return await at_desk(request, lambda desk: _show(desk, wish(first or desk.today)))


def hours_of(cells: Iterable[Cell]) -> range:
    """Return the hours of the day that a day view needs to show all that is in it."""
    begins, ends = _USUAL_HOURS
    for cell in cells:
        shown: tuple[Between, ...] = (*cell.visits, *cell.opened)
        for each in shown:
            begins = min(begins, each.starts.hour)
            is_late = each.ends.date() > each.starts.date()
            ends = max(ends, 24 if is_late else each.ends.hour + bool(each.ends.minute))
    return range(begins, ends)


def _show(desk: Desk, view: View) -> Response:
    if desk.place is None:
        return page(desk, "nowhere.html")
    desk.require("schedule.read", at(desk))
    moving = None if view.moves is None else visit_for(desk, view.moves, "appointment.write")
    patient = None if view.patient is None else patient_for(desk, view.patient, "patient.read")[0]
    everything = calendar.columns(desk.session, desk.here.location_id)
    shown = _chosen(everything, view.show)
    found = calendar.cells(desk.session, shown, view.days, desk.here.zone, _sees(desk), desk.doing.moment)
    _note(desk, found.values(), patient)
    return page(
        desk,
        "calendar.html",
        view=view,
        columns=shown,
        cells=found,
        hours=hours_of(found.values()),
        choices=_choices(everything),
        moving=moving,
        purpose=_purpose(moving, patient),
        may_act=desk.may("appointment.write", at(desk)),
    )


def _chosen(everything: Sequence[Bookable], show: str) -> list[Bookable]:
    """Return the columns that were asked for; the clinicians, where that names none."""
    one = [each for each in everything if str(each.bookable_id) == show]
    is_room = show == ROOMS
    return one or [each for each in everything if (each.kind != "practitioner") == is_room]


def _choices(everything: Sequence[Bookable]) -> list[tuple[str, str]]:
    groups = [(CLINICIANS, "All clinicians")]
    if any(each.kind != "practitioner" for each in everything):
        groups.append((ROOMS, "Rooms and devices"))
    return groups + [(str(each.bookable_id), each.name) for each in everything]


def _sees(desk: Desk) -> calendar.Sees:
    access, place = desk.caller.access, desk.here.key
    here = frozenset({place})

    @cache  # the same patients come again and again
    def sees(patient_id: UUID, sensitivity: str | None) -> bool:
        return decide(access, "schedule.read", Subject(here, patient_id, sensitivity, place)).is_allowed

    return sees


def _note(desk: Desk, cells: Iterable[Cell], patient: Patient | None) -> None:
    """Put on record whose visits are shown; that nobody's were, where nobody's were."""
    seen = {visit.patient_id for cell in cells for visit in cell.visits}
    for patient_id in seen:
        desk.doing.noted("schedule.read", patient_id=patient_id)
    if not seen:
        desk.doing.noted("schedule.read")
    if patient is not None:
        note_read(desk, patient)


def _purpose(moving: Appointment | None, patient: Patient | None) -> str:
    """Return what a place is looked for, in words."""
    if moving is not None:
        return f"Moving the {moving.visit_type.name} of {moving.local_start:%Y-%m-%d %H:%M}: choose a free time."
    return "" if patient is None else f"Booking for {patient.family}, {patient.given}: choose a free time."
