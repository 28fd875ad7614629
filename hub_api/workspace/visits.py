"""Visits as the day's pages show them: who, with whom, how far they have come, how long they wait, what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ehr_pm.patients.models import Patient
from ehr_pm.scheduling import repository
from ehr_pm.scheduling.models import Appointment, AppointmentStatusEvent, Bookable
from ehr_pm.scheduling.walltime import day_span
from hub_api.workspace.desk import Desk, Place

WAITING: Final = frozenset({"arrived", "roomed"})
"""In these somebody waits for the next thing to happen."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that can be done with a visit by one key."""

    verb: str
    """As in its address."""
    label: str
    key: str
    is_main: bool = False


_CHECK_IN: Final = Step("check-in", "Check in", "i", is_main=True)
_STEPS: Final[dict[str, tuple[Step, ...]]] = {
    "booked": (_CHECK_IN, Step("confirm", "Confirm", "c")),
    "confirmed": (_CHECK_IN,),
    "arrived": (Step("room", "To a room", "r", is_main=True), Step("begin", "With clinician", "v")),
    "roomed": (Step("begin", "With clinician", "v", is_main=True), Step("unroom", "Back to waiting", "w")),
    "in_visit": (Step("check-out", "Check out", "o", is_main=True),),
    "noshow": (_CHECK_IN,),
}
_NO_SHOW: Final = Step("no-show", "Did not come", "n")
_LANES: Final = (
    ("Expected", ("booked", "confirmed")),
    ("Waiting", ("arrived",)),
    ("In a room", ("roomed",)),
    ("With clinician", ("in_visit",)),
    ("Checked out", ("checked_out",)),
    ("Did not come", ("noshow",)),
)


@dataclass(frozen=True, slots=True)
class Visit:
    """One line of the day."""

    appointment: Appointment
    name: str
    mrn: str
    born: date
    taken: tuple[str, ...]
    """Clinician, room and device, by name."""
    waiting: int | None
    """Whole minutes since they arrived or were roomed."""
    steps: tuple[Step, ...]

    @property
    def can_be_cancelled(self) -> bool:
        """Return whether it can still be given free."""
        return self.appointment.status in ("booked", "confirmed", "arrived")


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one location."""

    place: Place
    on: date
    visits: tuple[Visit, ...]

    @property
    def before(self) -> date:
        """Return the day before."""
        return self.on - timedelta(days=1)

    @property
    def after(self) -> date:
        """Return the day after."""
        return self.on + timedelta(days=1)

    @property
    def lanes(self) -> list[tuple[str, list[Visit]]]:
        """Return the visits by how far they have come; who did not come only where somebody did not."""
        lanes = [
            (title, [each for each in self.visits if each.appointment.status in states]) for title, states in _LANES
        ]
        return [(title, visits) for title, visits in lanes if visits or title != "Did not come"]


def of_day(desk: Desk, place: Place, on: date) -> Day:
    """Return a day of a location: a handful of statements, however full it is."""
    rows = repository.day(desk.session, place.location_id, day_span(on, place.zone))
    return Day(place, on, tuple(_visits(desk, [row for row in rows if row.status != "hold"])))


def _visits(desk: Desk, rows: Sequence[Appointment]) -> Iterable[Visit]:
    people = _people(desk.session, {row.patient_id for row in rows})
    things = names_of(desk.session, {each.taken_id for row in rows for each in row.bookings})
    since = _since(desk.session, [row.appointment_id for row in rows if row.status in WAITING])
    for row in rows:
        name, mrn, born = people[row.patient_id]
        taken = tuple(things[each.taken_id] for each in row.bookings if each.taken_id in things)
        began = since.get(row.appointment_id)
        waiting = None if began is None else int((desk.doing.moment - began).total_seconds()) // 60
        yield Visit(row, name, mrn, born, taken, waiting, _steps(row, desk.doing.moment))


def _steps(row: Appointment, moment: datetime) -> tuple[Step, ...]:
    steps = _STEPS.get(row.status, ())
    is_late = row.status in ("booked", "confirmed") and row.starts_at <= moment
    return (*steps, _NO_SHOW) if is_late else steps


def _people(session: Session, ids: Iterable[UUID]) -> dict[UUID, tuple[str, str, date]]:
    columns = (Patient.patient_id, Patient.family, Patient.given, Patient.mrn, Patient.birth_date)
    found = session.execute(select(*columns).where(Patient.patient_id.in_(list(ids))))
    return {row.patient_id: (f"{row.family}, {row.given}", row.mrn, row.birth_date) for row in found}


def names_of(session: Session, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of what is booked, clinicians first where they are listed."""
    query = select(Bookable.bookable_id, Bookable.name).where(Bookable.bookable_id.in_(list(ids)))
    return {row.bookable_id: row.name for row in session.execute(query)}


def _since(session: Session, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Return since when patients have been where they are."""
    if not ids:
        return {}
    query = (
        select(AppointmentStatusEvent.appointment_id, func.max(AppointmentStatusEvent.recorded_at))
        .where(AppointmentStatusEvent.appointment_id.in_(ids))
        .group_by(AppointmentStatusEvent.appointment_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}
