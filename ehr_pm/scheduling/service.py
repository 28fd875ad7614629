"""What can be done on the schedule, as parts of acts; that nothing is booked twice is the database's own word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ehr_pm.acts import Act
from ehr_pm.organisation import ownership
from ehr_pm.organisation.models import Location
from ehr_pm.rows import get
from ehr_pm.scheduling import fhir, placing, reminders, repository
from ehr_pm.scheduling.models import (
    Appointment,
    AppointmentStatusEvent,
    Bookable,
    ResourceBooking,
    VisitType,
)
from ehr_pm.scheduling.openings import starts
from ehr_pm.scheduling.schemas import NewAppointment
from ehr_pm.scheduling.states import BLOCKING, refuse_step
from ehr_pm.scheduling.walltime import day_span, to_instant, to_local
from hub_core.errors import ConflictError

HOLD = timedelta(minutes=10)
STEP = timedelta(minutes=10)
_MOST_LANES = 100
RAN_OUT = "held too long without being booked"
_DAY = timedelta(days=1)


def find(
    session: Session, location_id: UUID, visit_type_id: UUID, bookable_ids: Sequence[UUID], first: date, last: date
) -> list[datetime]:
    """Return the wall times, from the first local day to the last, at which a visit could start.

    Raises:
        NotFoundError: if the location, the visit type or one of the bookables is not known.
    """
    location, visit_type = get(session, Location, location_id, "location"), _visit_type(session, visit_type_id)
    zone = ZoneInfo(location.zone)
    taken = repository.bookables(session, bookable_ids)
    window = (day_span(first, zone)[0] - _DAY, day_span(last, zone)[1] + _DAY)
    known = repository.calendars(session, taken, window, zone)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    before = timedelta(minutes=visit_type.minutes_before)
    lasting = before + timedelta(minutes=visit_type.minutes + visit_type.minutes_after)
    found = starts(list(known.values()), days, visit_type_id, lasting, STEP)
    local = [to_local(start + before, zone) for start in found]
    return [start for start in local if first <= start.date() <= last]


def hold(doing: Act, told: NewAppointment) -> Appointment:
    """Keep a time for a few minutes while somebody decides.

    Raises:
        ConflictError: if it is taken.
    """
    return _place(doing, told, "hold", held_until=doing.moment + HOLD)


def book(doing: Act, told: NewAppointment, **series: Any) -> Appointment:
    """Book a visit.

    Raises:
        NonexistentTimeError: if the clocks jump over its time.
        ConflictError: if something it needs is closed or taken, and no reason to override is given.
    """
    return _place(doing, told, "booked", **series)


def book_held(doing: Act, appointment_id: UUID) -> Appointment:
    """Book what is held.

    Raises:
        ConflictError: if the hold has run out.
    """
    row = repository.locked(doing.session, appointment_id)
    is_overdue = row.held_until is not None and row.held_until <= doing.moment
    if is_overdue or (row.status == "cancelled" and row.status_reason == RAN_OUT):
        raise ConflictError("this time was held too long ago; find it again")
    return _step(doing, row, "booked", held_until=None)


def confirm(doing: Act, appointment_id: UUID) -> Appointment:
    """Note that the patient says they will come."""
    return _step(doing, repository.locked(doing.session, appointment_id), "confirmed")


def arrive(doing: Act, appointment_id: UUID) -> Appointment:
    """Check a patient in."""
    return _step(doing, repository.locked(doing.session, appointment_id), "arrived")


def bring_to_room(doing: Act, appointment_id: UUID) -> Appointment:
    """Note that the patient is in a room."""
    return _step(doing, repository.locked(doing.session, appointment_id), "roomed")


def begin(doing: Act, appointment_id: UUID) -> Appointment:
    """Note that the clinician is with the patient."""
    return _step(doing, repository.locked(doing.session, appointment_id), "in_visit")


def check_out(doing: Act, appointment_id: UUID) -> Appointment:
    """Note that the visit is over."""
    return _step(doing, repository.locked(doing.session, appointment_id), "checked_out")


def cancel(doing: Act, appointment_id: UUID, reason: str) -> Appointment:
    """Give the time free because somebody will not come."""
    return _step(doing, repository.locked(doing.session, appointment_id), "cancelled", reason)


def note_no_show(doing: Act, appointment_id: UUID) -> Appointment:
    """Note that the patient did not come.

    Raises:
        ConflictError: if it has not begun yet.
    """
    row = repository.locked(doing.session, appointment_id)
    if row.starts_at > doing.moment:
        raise ConflictError("nobody is late for an appointment that has not begun")
    return _step(doing, row, "noshow")


def reschedule(doing: Act, appointment_id: UUID, told: NewAppointment, reason: str) -> Appointment:
    """Move a visit: the old appointment is given free and the new one booked, or nothing changes.

    Raises:
        ConflictError: if it is another patient's, or the new time is taken.
    """
    old = repository.locked(doing.session, appointment_id)
    if old.patient_id != told.patient_id:
        raise ConflictError("an appointment is moved for the patient it was made for")
    _step(doing, old, "rescheduled", reason)
    return _place(doing, told, "booked", rescheduled_from=old.appointment_id)


def release_expired_holds(doing: Act, *, taking: Sequence[UUID] | None = None) -> int:
    """Cancel what was held longer than it may be, of everything or of what takes one of these; return how many."""
    expired = repository.expired_holds(doing.session, doing.moment, taking=taking)
    for row in expired:
        _step(doing, row, "cancelled", RAN_OUT)
    return len(expired)


def _place(doing: Act, told: NewAppointment, status: str, **columns: Any) -> Appointment:
    for _ in range(_MOST_LANES):
        scene = placing.look(doing, told)
        ownership.refuse_schedule(scene.location)
        begins = to_instant(told.start, scene.zone)
        kind, ends = scene.visit_type, begins + timedelta(minutes=scene.visit_type.minutes)
        during = begins - timedelta(minutes=kind.minutes_before), ends + timedelta(minutes=kind.minutes_after)
        try:
            bookings = placing.lanes(scene, told, during)
        except ConflictError:
            if release_expired_holds(doing, taking=[*told.bookable_ids, told.patient_id]):
                continue
            raise
        written = {
            "patient_id": told.patient_id,
            "location_id": scene.location.location_id,
            "visit_type_id": kind.visit_type_id,
            "status": status,
            "starts_at": begins,
            "ends_at": ends,
            "local_start": told.start,
            "override_reason": told.override_reason,
            **columns,
        }
        if row := placing.write(doing, scene, bookings, during, **written):
            _say(doing, row, "hold" if status == "hold" else "book", scene.taken, is_born=True)
            return row
    raise ConflictError("somebody else has just taken this time")


def _step(doing: Act, row: Appointment, status: str, reason: str | None = None, **columns: Any) -> Appointment:
    old = row.status
    ownership.refuse_step(row.location, row.received_from, status)
    refuse_step(old, status)
    columns["held_until"] = None
    doing.change(row, status=status, status_reason=reason, **columns)
    if (old in BLOCKING) != (status in BLOCKING):
        _block(doing, row, is_blocking=status in BLOCKING)
    counted = select(func.count()).where(AppointmentStatusEvent.appointment_id == row.appointment_id)
    _write_down(doing, row, int(doing.session.scalar(counted) or 0) + 1, reason)
    if status == "booked":
        reminders.queue(doing, row)
    elif status not in ("confirmed",):
        reminders.cancel(doing, row)
    _say(doing, row, status, repository.taken_by(doing.session, row))
    return row


def _block(doing: Act, row: Appointment, *, is_blocking: bool) -> None:
    """Give the time free, or take it again when somebody arrives late whom one had given up.

    Raises:
        ConflictError: if somebody else has it by now.
    """
    statement = update(ResourceBooking).where(ResourceBooking.appointment_id == row.appointment_id)
    try:
        with doing.session.begin_nested():
            doing.session.execute(statement.values(is_blocking=is_blocking))
    except IntegrityError as error:
        raise ConflictError("this time was given to somebody else; book another") from error


def _write_down(doing: Act, row: Appointment, number: int, reason: str | None = None) -> None:
    doing.add(
        AppointmentStatusEvent(
            appointment_id=row.appointment_id,
            number=number,
            status=row.status,
            reason=reason,
            recorded_at=doing.moment,
            principal_id=doing.actor.principal_id,
        )
    )


def _say(doing: Act, row: Appointment, verb: str, taken: Sequence[Bookable], *, is_born: bool = False) -> None:
    detail = {"override": "yes"} if row.override_reason else {}
    action, key, location = f"appointment.{verb}", str(row.appointment_id), row.location.key
    if row.received_from is None:
        doing.project(fhir.appointment(row, list(taken)), location, is_born=is_born)
    doing.announce(action, "Appointment", key, patient_id=row.patient_id, location=location, **detail)


def _visit_type(session: Session, visit_type_id: UUID) -> VisitType:
    return get(session, VisitType, visit_type_id, "visit type")
