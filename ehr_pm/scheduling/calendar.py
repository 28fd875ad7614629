"""The calendar of a location: for each clinician, room or device and each day, its visits, closed and free times.

A handful of statements, however full the week is. Whose visits may not be opened is decided by the caller: such a
visit is in no cell, though its time is not free either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session, selectinload

from ehr_pm.scheduling.models import Bookable, ScheduleException
from ehr_pm.scheduling.openings import Calendar, Span, Taken, without
from ehr_pm.scheduling.repository import rule_of, span_of
from ehr_pm.scheduling.walltime import day_span, to_local
from hub_core.database import driver_connection
from hub_core.sensitivity import strictest

Sees: TypeAlias = Callable[[UUID, str | None], bool]
"""Whether the caller may see a visit, given its patient and how sensitive it is that they come."""

SHORTEST = timedelta(minutes=10)
"""A gap shorter than this is no place for a visit, and not shown as one."""
_MIDNIGHT = time()
_VISITS = """
SELECT b.taken_id, lower(b.during), upper(b.during), p.sensitivity, l.sensitivity, t.sensitivity,
    a.appointment_id, a.patient_id, p.family || ', ' || p.given, t.name, a.status, a.local_start,
    a.local_start + (a.ends_at - a.starts_at), b.lane, a.series_id IS NOT NULL, a.override_reason
FROM resource_booking b JOIN appointment a USING (appointment_id)
JOIN visit_type t USING (visit_type_id) JOIN location l USING (location_id)
JOIN patient p ON p.patient_id = a.patient_id
WHERE a.location_id = %(location)s AND a.starts_at >= %(begins)s - interval '1 day'
    AND a.starts_at < %(ends)s + interval '1 day'
    AND b.taken_id = ANY(%(columns)s) AND b.is_blocking AND b.during && tstzrange(%(begins)s, %(ends)s)
ORDER BY a.local_start, b.lane
"""
"""Read without the mapper, which would take most of the time that a full week takes; the location, which the columns
imply, lets the database find the visits by their days."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit, or a time that is held, as it stands in a column."""

    appointment_id: UUID
    patient_id: UUID
    name: str
    kind: str
    status: str
    starts: datetime
    """What the clock on the wall shows."""
    ends: datetime
    lane: int
    is_repeated: bool
    override_reason: str | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one wall time to another of the same day."""

    starts: datetime
    ends: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of one clinician, room or device."""

    on: date
    column: Bookable
    visits: tuple[Visit, ...]
    opened: tuple[Stretch, ...]
    free: tuple[Stretch, ...]
    closed: tuple[Stretch, ...]
    """Closed although the week's rules say open, with the reason."""


def columns(session: Session, location_id: UUID) -> list[Bookable]:
    """Return what has a column at a location, with its weekly rules: clinicians, then rooms and devices, by name."""
    query = select(Bookable).where(Bookable.location_id == location_id, Bookable.is_active)
    found = session.scalars(query.options(selectinload(Bookable.rules)).order_by(Bookable.name))
    return sorted(found, key=lambda each: each.kind != "practitioner")


def cells(
    session: Session, shown: Sequence[Bookable], days: Sequence[date], zone: ZoneInfo, sees: Sees, since: datetime
) -> dict[tuple[date, UUID], Cell]:
    """Return the cells of some columns on some days in a row.

    Args:
        session: where to look.
        shown: the columns, of one location, with their rules.
        days: local days, in order.
        zone: of the location.
        sees: whose visits are shown.
        since: now; a time before it is free for nobody.
    """
    window = (day_span(days[0], zone)[0], day_span(days[-1], zone)[1])
    ids = [each.bookable_id for each in shown]
    visits, taken = _visits(session, shown, window, sees)
    exceptions = _exceptions(session, ids, window)
    found = {}
    for column in shown:
        hours = _calendar(column, zone, exceptions[column.bookable_id], taken[column.bookable_id])
        past = [(min(window[0], since), since)]
        opened = _by_day(hours.open_hours(days, None), zone)
        free = _by_day((each for each in without(hours.free_hours(days), past) if _is_place(each)), zone)
        closed = _by_day((span_of(each.during) for each in exceptions[column.bookable_id] if not each.is_open), zone)
        why = {span_of(each.during): each.reason for each in exceptions[column.bookable_id]}
        for on in days:
            found[on, column.bookable_id] = Cell(
                on,
                column,
                tuple(visits[on, column.bookable_id]),
                tuple(Stretch(starts, ends) for starts, ends, _ in opened[on]),
                tuple(Stretch(starts, ends) for starts, ends, _ in free[on]),
                tuple(Stretch(starts, ends, why[span]) for starts, ends, span in closed[on]),
            )
    return found


def _visits(
    session: Session, shown: Sequence[Bookable], window: Span, sees: Sees
) -> tuple[dict[tuple[date, UUID], list[Visit]], dict[UUID, list[Taken]]]:
    """Return the visits that may be seen, by day and column, and what is taken by all of them."""
    visits: dict[tuple[date, UUID], list[Visit]] = defaultdict(list)
    taken: dict[UUID, list[Taken]] = defaultdict(list)
    asked = {
        "columns": [each.bookable_id for each in shown],
        "location": shown[0].location_id if shown else None,
        "begins": window[0],
        "ends": window[1],
    }
    found = driver_connection(session.connection()).execute(_VISITS, asked)
    for taken_id, begins, ends, of_patient, of_place, of_kind, *said in found:
        visit = Visit(*said)
        taken[taken_id].append(Taken(visit.lane, (begins, ends)))
        if sees(visit.patient_id, strictest(of_patient, of_place, of_kind)):
            visits[visit.starts.date(), taken_id].append(visit)
    return visits, taken


def _exceptions(session: Session, ids: Sequence[UUID], window: Span) -> dict[UUID, list[ScheduleException]]:
    query = select(ScheduleException).where(
        ScheduleException.bookable_id.in_(ids), ScheduleException.during.op("&&")(Range(*window))
    )
    found: dict[UUID, list[ScheduleException]] = defaultdict(list)
    for row in session.scalars(query):
        found[row.bookable_id].append(row)
    return found


def _calendar(
    column: Bookable, zone: ZoneInfo, exceptions: Sequence[ScheduleException], taken: Sequence[Taken]
) -> Calendar:
    return Calendar(
        zone,
        column.lanes,
        tuple(map(rule_of, column.rules)),
        tuple(span_of(each.during) for each in exceptions if each.is_open),
        tuple(span_of(each.during) for each in exceptions if not each.is_open),
        tuple(taken),
    )


def _is_place(during: Span) -> bool:
    return during[1] - during[0] >= SHORTEST


def _by_day(spans: Iterable[Span], zone: ZoneInfo) -> dict[date, list[tuple[datetime, datetime, Span]]]:
    """Return the wall times of spans by day, each with the span it is of; one over midnight is on both its days."""
    found: dict[date, list[tuple[datetime, datetime, Span]]] = defaultdict(list)
    for during in spans:
        for starts, ends in _days(to_local(during[0], zone), to_local(during[1], zone)):
            found[starts.date()].append((starts, ends, during))
    return found


def _days(starts: datetime, ends: datetime) -> Iterator[tuple[datetime, datetime]]:
    while starts < ends:
        midnight = datetime.combine(starts.date() + timedelta(days=1), _MIDNIGHT)
        yield starts, min(ends, midnight)
        starts = midnight
