"""Placing a visit: all that decides about it is read in one statement, and all that it takes is written in another.

A desk waits for this, and many desks book at once, so it speaks SQL where the rest of the schedule speaks to the ORM:
fifteen statements through the ORM take five times the processor time of these two (benchmarks/booking.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from ehr_pm.acts import Act
from ehr_pm.organisation.models import Location
from ehr_pm.rows import Row, get, loaded
from ehr_pm.scheduling import reminders
from ehr_pm.scheduling.models import Appointment, Bookable, ResourceBooking, VisitType
from ehr_pm.scheduling.openings import Calendar, Rule, Span, Taken, overlap
from ehr_pm.scheduling.schemas import NewAppointment
from ehr_pm.scheduling.walltime import to_local
from hub_core.errors import ConflictError, NotFoundError
from hub_core.fhir.ids import new_id

_BEFORE, _AFTER = timedelta(hours=2), timedelta(hours=10)
"""What a visit may take before it begins, and from then on (the checks of `visit_type`): nothing else is read."""
_ZONES: dict[UUID, ZoneInfo] = {}
"""Of each location what it was when last seen; whoever goes by it sees in the same statement whether it still is."""


def _columns(kind: type[Row]) -> tuple[str, ...]:
    return tuple(each.key for each in kind.__mapper__.column_attrs)


_KINDS: dict[type[Row], tuple[str, ...]] = {kind: _columns(kind) for kind in (Location, VisitType, Bookable)}
_ROWS = ", ".join(f'{kind.__tablename__}."{name}"' for kind, names in _KINDS.items() for name in names)
_TAKEN = """
    (SELECT json_agg(json_build_array(lane, lower(during), upper(during))) FROM resource_booking
    WHERE taken_id = {taken} AND is_blocking AND during && tstzrange(%(begins)s, %(ends)s))
"""
_SCENE = f"""
SELECT {_ROWS},
    (SELECT json_agg(json_build_array(weekday, starts, ends, valid_from, valid_to, every_weeks, visit_type_ids))
    FROM schedule_rule WHERE bookable_id = bookable.bookable_id AND weekday = ANY(%(weekdays)s)
        AND valid_from <= %(last)s AND (valid_to IS NULL OR valid_to >= %(first)s)),
    (SELECT json_agg(json_build_array(is_open, lower(during), upper(during)))
    FROM schedule_exception WHERE bookable_id = bookable.bookable_id AND during && tstzrange(%(begins)s, %(ends)s)),
    {_TAKEN.format(taken="bookable.bookable_id")},
    {_TAKEN.format(taken="%(patient)s")}
FROM location CROSS JOIN visit_type
LEFT JOIN bookable ON bookable.bookable_id IN ({{bookables}}) AND bookable.is_active
WHERE location.location_id = %(location)s AND visit_type.visit_type_id = %(visit_type)s
ORDER BY bookable.bookable_id
"""  # noqa: S608 - names of our own tables
_PLACED = _columns(Appointment)
_WRITE = f"""
WITH placed AS (
    INSERT INTO appointment ({", ".join(_PLACED)}) VALUES ({", ".join(f"%({name})s" for name in _PLACED)})
), noted AS (
    INSERT INTO appointment_status_event (appointment_id, number, status, recorded_at, principal_id)
    VALUES (%(appointment_id)s, 1, %(status)s, %(created_at)s, %(created_by)s)
), reminded AS (
    INSERT INTO reminder (reminder_id, appointment_id, due_at, state, attempts)
    SELECT reminder_id, %(appointment_id)s, due_at, 'queued', 0
    FROM unnest(string_to_array(%(reminders)s, ' ')::uuid[], string_to_array(%(due)s, ' ')::timestamptz[])
        AS reminder (reminder_id, due_at)
){{taken}}
SELECT count(*) FROM taken{{last}}
"""  # noqa: S608 - names of our own tables
# One after the other, each only if nobody has the one before: who waits for somebody holds nothing out of turn.
_TAKE = """, taken{number} AS (
    INSERT INTO resource_booking (appointment_id, taken_id, kind, lane, during, is_blocking)
    SELECT %(appointment_id)s, %(taken{number})s, %(kind{number})s, %(lane{number})s::smallint,
        tstzrange(%(begins)s, %(over)s), true
    {condition} ON CONFLICT DO NOTHING RETURNING taken_id
)"""
_UNPLACE = """
WITH taken AS (DELETE FROM resource_booking WHERE appointment_id = %(id)s),
    noted AS (DELETE FROM appointment_status_event WHERE appointment_id = %(id)s),
    reminded AS (DELETE FROM reminder WHERE appointment_id = %(id)s)
DELETE FROM appointment WHERE appointment_id = %(id)s
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """What decides whether a visit can be where it is wanted, as it is now."""

    location: Location
    visit_type: VisitType
    taken: tuple[Bookable, ...]
    """In order of id: all who book lock in the same order."""
    calendars: tuple[Calendar, ...]
    """Of each of them, around the visit."""
    patient_taken: tuple[Taken, ...]

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone of the location's clocks."""
        return ZoneInfo(self.location.zone)


@dataclass(frozen=True, slots=True)
class Booking:
    """A lane of something, or of the patient's own time, that a visit takes."""

    taken_id: UUID
    kind: str
    lane: int


def look(doing: Act, told: NewAppointment) -> Scene:
    """Return what there is around a visit that is to be placed.

    Raises:
        NotFoundError: if the location, the visit type or one of the bookables is not known or not in use.
        ConflictError: if the bookables are not at the location.
    """
    zone, wanted = _zone(doing, told.location_id), sorted(set(told.bookable_ids))
    values = _around(told, zone) | {f"bookable{number}": each for number, each in enumerate(wanted)}
    rows, session = doing.driver.execute(_scene(len(wanted)), values).fetchall(), doing.session
    if not rows:
        get(session, Location, told.location_id, "location")
        get(session, VisitType, told.visit_type_id, "visit type")
    parts = [_cut(row) for row in rows]
    if len(parts) != len(wanted) or parts[0][2]["bookable_id"] is None:
        raise NotFoundError("there is no such practitioner, room or device to book")
    if parts[0][0]["zone"] != zone.key:  # it was moved since it was last seen
        _ZONES.pop(told.location_id, None)
        return look(doing, told)
    location, visit_type = loaded(session, Location, parts[0][0]), loaded(session, VisitType, parts[0][1])
    taken = tuple(loaded(session, Bookable, part[2]) for part in parts)
    if any(each.location_id != told.location_id for each in taken):
        raise ConflictError("what is booked together is at one location")
    calendars = tuple(_calendar(zone, each.lanes, *part[3][:3]) for each, part in zip(taken, parts, strict=True))
    return Scene(location, visit_type, taken, calendars, _lanes_of(parts[0][3][3]))


def _around(told: NewAppointment, zone: ZoneInfo) -> dict[str, Any]:
    """Return what is asked about a visit, and about the hours around it by the clocks of a zone."""
    begins = told.start.replace(tzinfo=zone).astimezone(UTC)
    days = [told.start.date() + timedelta(days=number) for number in (-1, 0, 1)]
    return {
        "location": told.location_id,
        "visit_type": told.visit_type_id,
        "patient": told.patient_id,
        "first": days[0],
        "last": days[-1],
        "weekdays": [day.isoweekday() for day in days],
        "begins": begins - _BEFORE,
        "ends": begins + _AFTER,
    }


def _zone(doing: Act, location_id: UUID) -> ZoneInfo:
    if location_id not in _ZONES:
        row = doing.driver.execute("SELECT zone FROM location WHERE location_id = %s", (location_id,)).fetchone()
        if row is None:
            raise NotFoundError("there is no such location")
        _ZONES[location_id] = ZoneInfo(row[0])
    return _ZONES[location_id]


def lanes(scene: Scene, told: NewAppointment, during: Span) -> list[Booking]:
    """Return a lane of each bookable and the patient's own, in the order in which all who book lock them.

    Raises:
        ConflictError: if something is closed or taken, and there is no reason to override.
    """
    found = [
        Booking(each.bookable_id, each.kind, _lane(each.kind, calendar, told, during))
        for each, calendar in zip(scene.taken, scene.calendars, strict=True)
    ]
    found.append(Booking(told.patient_id, "patient", _patient_lane(scene, told, during)))
    return sorted(found, key=lambda each: each.taken_id)


def write(doing: Act, scene: Scene, bookings: Sequence[Booking], during: Span, **columns: Any) -> Appointment | None:
    """Write a visit with all that it takes, or return None when somebody else took a lane a moment ago."""
    values: dict[str, Any] = dict.fromkeys(_PLACED) | {
        "appointment_id": new_id(),
        "created_at": doing.moment,
        "changed_at": doing.moment,
        "created_by": doing.actor.principal_id,
        "changed_by": doing.actor.principal_id,
        "version": 1,
        **columns,
    }
    due = reminders.due(columns["starts_at"], doing.moment) if columns["status"] == "booked" else []
    wanted = values | {
        "reminders": _listed(new_id() for _ in due),
        "due": _listed(each.isoformat() for each in due),
        "begins": during[0],
        "over": during[1],
    }
    for number, each in enumerate(bookings):
        wanted |= {f"taken{number}": each.taken_id, f"kind{number}": each.kind, f"lane{number}": each.lane}
    is_taken = doing.driver.execute(_writing(len(bookings)), wanted).fetchone() != (1,)
    if is_taken:
        doing.driver.execute(_UNPLACE, {"id": values["appointment_id"]})
        return None
    return _row(doing.session, scene, values, bookings, during)


def _listed(values: Iterable[object]) -> str:
    """Return values as a list that the database takes apart: as an array, each is looked at several times."""
    return " ".join(map(str, values))


def _row(
    session: Session, scene: Scene, values: dict[str, Any], bookings: Iterable[Booking], during: Span
) -> Appointment:
    """Return what was written as if the session had read it."""
    row = loaded(session, Appointment, values)
    same = {"appointment_id": row.appointment_id, "during": Range(*during), "is_blocking": True}
    taken = [
        loaded(session, ResourceBooking, {**same, "taken_id": each.taken_id, "kind": each.kind, "lane": each.lane})
        for each in sorted(bookings, key=lambda each: each.kind)
    ]
    set_committed_value(row, "location", scene.location)
    set_committed_value(row, "visit_type", scene.visit_type)
    set_committed_value(row, "bookings", taken)
    return row


def _lane(kind: str, calendar: Calendar, told: NewAppointment, during: Span) -> int:
    """Return the lane to take, above the capacity only where there is a reason to override."""
    days = sorted({to_local(moment, calendar.zone).date() for moment in during})
    hours = calendar.open_hours(days, told.visit_type_id)
    is_open = any(opens <= during[0] and during[1] <= closes for opens, closes in hours)
    lane = calendar.free_lane(during)
    if told.override_reason is not None:
        return lane or calendar.override_lane(during)
    if not is_open:
        raise ConflictError(f"the {kind} is not there for this visit at that time")
    if lane is None:
        raise ConflictError(f"the {kind} is taken at that time")
    return lane


def _patient_lane(scene: Scene, told: NewAppointment, during: Span) -> int:
    busy = {each.lane for each in scene.patient_taken if overlap(each.during, during)}
    if busy and told.override_reason is None:
        raise ConflictError("the patient has another appointment at that time")
    return max(busy, default=0) + 1


@cache
def _writing(count: int) -> str:
    """Return the statement that writes a visit with so many bookings; it says 1, or 0 where one of them is taken."""
    conditions = ("", *(f"FROM taken{number}" for number in range(count - 1)))
    taken = (_TAKE.format(number=number, condition=condition) for number, condition in enumerate(conditions))
    return _WRITE.format(taken="".join(taken), last=count - 1)


@cache
def _scene(count: int) -> str:
    """Return the statement for so many bookables: told how many, the database plans it once and not every time."""
    return _SCENE.format(bookables=", ".join(f"%(bookable{number})s" for number in range(count)))


def _cut(row: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], Sequence[Any]]:
    """Return a row of the scene as the columns of each table, and the rest by position."""
    parts: list[dict[str, Any]] = []
    at = 0
    for names in _KINDS.values():
        parts.append(dict(zip(names, row[at : at + len(names)], strict=True)))
        at += len(names)
    location, visit_type, bookable = parts
    return location, visit_type, bookable, row[at:]


def _calendar(
    zone: ZoneInfo, lanes: int, rules: list[Any] | None, exceptions: list[Any] | None, taken: list[Any] | None
) -> Calendar:
    spans = [(is_open, (_instant(lower), _instant(upper))) for is_open, lower, upper in exceptions or []]
    return Calendar(
        zone,
        lanes,
        tuple(_rule(*rule) for rule in rules or []),
        tuple(span for is_open, span in spans if is_open),
        tuple(span for is_open, span in spans if not is_open),
        _lanes_of(taken),
    )


def _rule(
    weekday: int, starts: str, ends: str, valid_from: str, valid_to: str | None, every: int, kinds: list[str] | None
) -> Rule:
    return Rule(
        weekday,
        time.fromisoformat(starts),
        time.fromisoformat(ends),
        date.fromisoformat(valid_from),
        None if valid_to is None else date.fromisoformat(valid_to),
        every,
        None if kinds is None else frozenset(map(UUID, kinds)),
    )


def _lanes_of(taken: list[Any] | None) -> tuple[Taken, ...]:
    return tuple(Taken(lane, (_instant(lower), _instant(upper))) for lane, lower, upper in taken or [])


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
