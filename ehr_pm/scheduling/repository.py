"""Finding rows of the schedule, and reading calendars out of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session, selectinload

from ehr_pm.scheduling.models import (
    Appointment,
    Bookable,
    ResourceBooking,
    ScheduleException,
    ScheduleRule,
    WaitlistEntry,
)
from ehr_pm.scheduling.openings import Calendar, Rule, Span, Taken
from ehr_pm.scheduling.states import BLOCKING
from hub_core.errors import NotFoundError


def locked(session: Session, appointment_id: UUID) -> Appointment:
    """Return an appointment that nobody else can change until the act ends.

    Raises:
        NotFoundError: if there is none.
    """
    query = select(Appointment).where(Appointment.appointment_id == appointment_id).with_for_update(of=Appointment)
    row = session.scalars(query).one_or_none()
    if row is None:
        raise NotFoundError("there is no such appointment")
    return row


def bookables(session: Session, ids: Iterable[UUID]) -> list[Bookable]:
    """Return what is to be taken, in order of id: all who book lock in the same order.

    Raises:
        NotFoundError: if one is not known or not in use.
    """
    wanted = sorted(set(ids))
    query = select(Bookable).where(Bookable.bookable_id.in_(wanted), Bookable.is_active)
    found = {row.bookable_id: row for row in session.scalars(query.options(selectinload(Bookable.rules)))}
    if len(found) != len(wanted):
        raise NotFoundError("there is no such practitioner, room or device to book")
    return [found[each] for each in wanted]


def taken_by(session: Session, appointment: Appointment) -> list[Bookable]:
    """Return what an appointment takes, also what is no longer in use."""
    ids = [each.taken_id for each in appointment.bookings if each.kind != "patient"]
    return list(session.scalars(select(Bookable).where(Bookable.bookable_id.in_(ids)).order_by(Bookable.bookable_id)))


def taken_by_each(session: Session, appointments: Sequence[Appointment]) -> dict[UUID, list[Bookable]]:
    """Return what each of these appointments takes, in one statement however many there are."""
    ids = {each.taken_id for row in appointments for each in row.bookings if each.kind != "patient"}
    found = session.scalars(select(Bookable).where(Bookable.bookable_id.in_(ids)).order_by(Bookable.bookable_id))
    known = {each.bookable_id: each for each in found}
    return {
        row.appointment_id: [each for key, each in known.items() if key in {taken.taken_id for taken in row.bookings}]
        for row in appointments
    }


def of_location(session: Session, location_id: UUID) -> list[Bookable]:
    """Return what can be booked at a location, by kind and name."""
    query = select(Bookable).where(Bookable.location_id == location_id, Bookable.is_active)
    return list(session.scalars(query.order_by(Bookable.kind, Bookable.name)))


def calendars(session: Session, taken: Sequence[Bookable], during: Span, zone: ZoneInfo) -> dict[UUID, Calendar]:
    """Return the calendars of bookables for a stretch of time, in three statements however many there are."""
    ids = [each.bookable_id for each in taken]
    window = Range(*during)
    exceptions: dict[tuple[UUID, bool], list[Span]] = defaultdict(list)
    query = select(ScheduleException).where(
        ScheduleException.bookable_id.in_(ids), ScheduleException.during.op("&&")(window)
    )
    for each in session.scalars(query):
        exceptions[each.bookable_id, each.is_open].append(span_of(each.during))
    lanes: dict[UUID, list[Taken]] = defaultdict(list)
    booked = select(ResourceBooking.taken_id, ResourceBooking.lane, ResourceBooking.during).where(
        ResourceBooking.taken_id.in_(ids), ResourceBooking.is_blocking, ResourceBooking.during.op("&&")(window)
    )
    for taken_id, lane, span in session.execute(booked):
        lanes[taken_id].append(Taken(lane, span_of(span)))
    return {
        each.bookable_id: Calendar(
            zone,
            each.lanes,
            tuple(rule_of(rule) for rule in each.rules),
            tuple(exceptions[each.bookable_id, True]),
            tuple(exceptions[each.bookable_id, False]),
            tuple(lanes[each.bookable_id]),
        )
        for each in taken
    }


def expired_holds(
    session: Session, moment: datetime, *, taking: Iterable[UUID] | None = None, limit: int = 100
) -> list[Appointment]:
    """Return what is held longer than it may be, each locked; what somebody else is at is left out.

    Args:
        session: where to look.
        moment: now.
        taking: only what takes one of these; None is everything.
        limit: at most so many.
    """
    query = select(Appointment).where(Appointment.status == "hold", Appointment.held_until <= moment)
    if taking is not None:
        holding = select(ResourceBooking.appointment_id).where(
            ResourceBooking.taken_id.in_(list(taking)), ResourceBooking.is_blocking
        )
        query = query.where(Appointment.appointment_id.in_(holding))
    locked = query.order_by(Appointment.held_until).limit(limit).with_for_update(skip_locked=True, of=Appointment)
    return list(session.scalars(locked))


def day(session: Session, location_id: UUID, during: Span) -> list[Appointment]:
    """Return a location's appointments that begin in a stretch of time and still keep it, in order."""
    query = select(Appointment).where(
        Appointment.location_id == location_id,
        Appointment.starts_at >= during[0],
        Appointment.starts_at < during[1],
        Appointment.status.in_(BLOCKING | {"noshow"}),
    )
    return list(session.scalars(query.order_by(Appointment.starts_at, Appointment.appointment_id)))


def waiting(session: Session, location_id: UUID, visit_type_id: UUID, on: date) -> list[WaitlistEntry]:
    """Return who would come on a day, the most urgent and then the longest waiting first; each is locked."""
    query = (
        select(WaitlistEntry)
        .where(
            WaitlistEntry.location_id == location_id,
            WaitlistEntry.visit_type_id == visit_type_id,
            WaitlistEntry.state == "waiting",
            WaitlistEntry.not_before <= on,
            WaitlistEntry.not_after >= on,
        )
        .order_by(WaitlistEntry.priority, WaitlistEntry.created_at)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(query))


def span_of(during: Range[datetime]) -> Span:
    """Return a stored range as the two instants it lies between."""
    assert during.lower is not None  # noqa: S101 - the columns hold bounded ranges only
    assert during.upper is not None  # noqa: S101
    return during.lower, during.upper


def rule_of(row: ScheduleRule) -> Rule:
    """Return a stored rule as the pure one it stands for."""
    kinds = None if row.visit_type_ids is None else frozenset(row.visit_type_ids)
    return Rule(row.weekday, row.starts, row.ends, row.valid_from, row.valid_to, row.every_weeks, kinds)
