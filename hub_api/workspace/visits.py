"""Visits as the day's pages show them: who, with whom, how far they have come, how long they wait, what comes next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import select

from ehr_pm import flow_board
from ehr_pm.flow_board import Visit
from ehr_pm.organisation.models import Location
from ehr_pm.rows import get
from ehr_pm.scheduling.models import Appointment, Bookable
from ehr_pm.scheduling.privacy import permitted_visits
from hub_api.workspace.desk import Desk, Place

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

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
class Line:
    """One visit as a line of the day, with what may be done next."""

    visit: Visit
    steps: tuple[Step, ...]

    @property
    def appointment(self) -> Appointment:
        """Return the appointment."""
        return self.visit.appointment

    @property
    def is_waiting(self) -> bool:
        """Return whether the patient is there and waits."""
        return self.appointment.status in WAITING

    @property
    def can_be_cancelled(self) -> bool:
        """Return whether it can still be given free."""
        return self.appointment.received_from is None and self.appointment.status in ("booked", "confirmed", "arrived")

    @property
    def can_be_moved(self) -> bool:
        """Return whether it can still be another time."""
        return self.appointment.received_from is None and self.appointment.status in ("booked", "confirmed")


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one location."""

    place: Place
    on: date
    lines: tuple[Line, ...]

    @property
    def before(self) -> date:
        """Return the day before."""
        return self.on - timedelta(days=1)

    @property
    def after(self) -> date:
        """Return the day after."""
        return self.on + timedelta(days=1)

    @property
    def lanes(self) -> list[tuple[str, list[Line]]]:
        """Return the lines by how far the visits have come; who did not come only where somebody did not."""
        lanes = [
            (title, [each for each in self.lines if each.appointment.status in states]) for title, states in _LANES
        ]
        return [(title, lines) for title, lines in lanes if lines or title != "Did not come"]


def of_day(desk: Desk, place: Place, on: date) -> Day:
    """Return a day of a location, as far as the caller may see it: a handful of statements, however full it is."""
    location = get(desk.session, Location, place.location_id, "location")
    visits = flow_board.of_day(desk.session, location, on, desk.doing.moment)
    rows = [each.appointment for each in visits if each.appointment.status != "hold"]
    seen = permitted_visits(desk.session, desk.caller.access, "schedule.read", rows)
    moment = desk.doing.moment
    lines = (Line(each, steps_of(each.appointment, moment)) for each in visits)
    return Day(place, on, tuple(line for line in lines if line.appointment.appointment_id in seen))


def steps_of(row: Appointment, moment: datetime) -> tuple[Step, ...]:
    """Return what can be done with a visit next, the likeliest first; of one booked elsewhere, what is left to us."""
    is_theirs = row.received_from is not None
    if is_theirs and not row.location.flow_is_ours:
        return ()
    steps = tuple(each for each in _STEPS.get(row.status, ()) if not (is_theirs and each.verb == "confirm"))
    is_late = row.status in ("booked", "confirmed") and row.starts_at <= moment
    return (*steps, _NO_SHOW) if is_late else steps


def names_of(session: Session, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of what is booked, by its id."""
    query = select(Bookable.bookable_id, Bookable.name).where(Bookable.bookable_id.in_(list(ids)))
    return {row.bookable_id: row.name for row in session.execute(query)}
