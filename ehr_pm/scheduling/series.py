"""Visits that repeat: a rule in local wall time becomes appointments.

Each can be moved or cancelled alone, or with all that come after it.
"""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from uuid import UUID

from dateutil.rrule import rrulestr
from sqlalchemy import select

from ehr_pm.acts import Act
from ehr_pm.scheduling import repository, service
from ehr_pm.scheduling.models import Appointment, AppointmentSeries
from ehr_pm.scheduling.schemas import NewAppointment, NewSeries
from hub_core.errors import ConflictError

LONGEST = 200
"""Visits of one series; longer ones are renewed."""


def occurrences(told: NewSeries) -> list[datetime]:
    """Return the wall times of a series (RFC 5545 section 3.3.10): the clock shows the same on either side of a change.

    Raises:
        ConflictError: if the rule cannot be read, never ends, or gives more visits than a series may have.
    """
    if "COUNT=" not in told.rrule and "UNTIL=" not in told.rrule:
        raise ConflictError("a series needs an end: COUNT or UNTIL")
    try:
        rule = rrulestr(told.rrule, dtstart=told.first.start)
        found = list(islice(rule, LONGEST + 1))
    except (ValueError, TypeError) as error:
        raise ConflictError("the rule of the series cannot be read (RFC 5545)") from error
    if not found or len(found) > LONGEST:
        raise ConflictError(f"a series has 1 to {LONGEST} visits")
    kept = [each for each in found if each.date() not in told.skipping]
    if not kept:
        raise ConflictError("nothing is left of the series when its exceptions are taken out")
    return kept


def book_series(doing: Act, told: NewSeries) -> list[Appointment]:
    """Book every visit of a series, or none.

    Raises:
        NonexistentTimeError: if the clocks jump over one of them.
        ConflictError: if one of them cannot be booked; the message names its day.
    """
    starts = occurrences(told)
    first = told.first
    series = AppointmentSeries(
        patient_id=first.patient_id,
        location_id=first.location_id,
        visit_type_id=first.visit_type_id,
        local_start=first.start,
        rrule=_written(told),
    )
    doing.add(series)
    booked = []
    for start in starts:
        visit = first.model_copy(update={"local_start": start})
        try:
            booked.append(service.book(doing, visit, series_id=series.series_id, original_start=start))
        except ConflictError as error:
            raise ConflictError(f"{start:%Y-%m-%d}: {error}") from error
    return booked


def cancel_from(doing: Act, appointment_id: UUID, reason: str) -> int:
    """Cancel a visit of a series and all after it that are still to come, and return how many.

    Raises:
        ConflictError: if it is of no series, or nothing of it is still to come.
    """
    ahead = _ahead(doing, appointment_id)
    for row in ahead:
        service.cancel(doing, row.appointment_id, reason)
    return len(ahead)


def move_from(doing: Act, appointment_id: UUID, told: NewAppointment, reason: str) -> list[Appointment]:
    """Move a visit of a series and all after it by as much, all of them or none; they are a series of their own then.

    Args:
        doing: the act.
        appointment_id: the first that is moved.
        told: where that one goes; the others keep their distance from it, on the clock on the wall.
        reason: why.

    Raises:
        NonexistentTimeError: if the clocks jump over one of the new times.
        ConflictError: if one of them cannot be moved; the message names its day.
    """
    ahead = _ahead(doing, appointment_id)
    by = told.start - ahead[0].local_start
    begins = [row.local_start + by for row in ahead]
    series = _copy(doing, ahead[0], begins)
    moved = []
    # Those farthest in the direction of the move go first, so that none is in the way of the next.
    for row, start in sorted(zip(ahead, begins, strict=True), key=lambda each: each[1], reverse=by.total_seconds() > 0):
        try:
            new = service.reschedule(doing, row.appointment_id, told.model_copy(update={"local_start": start}), reason)
        except ConflictError as error:
            raise ConflictError(f"{start:%Y-%m-%d}: {error}") from error
        doing.change(new, series_id=series.series_id, original_start=start)
        moved.append(new)
    return sorted(moved, key=lambda each: each.local_start)


def _ahead(doing: Act, appointment_id: UUID) -> list[Appointment]:
    """Return a visit of a series, and those after it, that are still to come; the first is that visit."""
    first = repository.locked(doing.session, appointment_id)
    if first.series_id is None:
        raise ConflictError("this visit is of no series")
    query = select(Appointment).where(
        Appointment.series_id == first.series_id,
        Appointment.local_start >= first.local_start,
        Appointment.status.in_(("booked", "confirmed")),
    )
    ahead = list(doing.session.scalars(query.order_by(Appointment.local_start)))
    if not ahead or ahead[0].appointment_id != appointment_id:
        raise ConflictError("this visit is not one that is still to come")
    return ahead


def _copy(doing: Act, first: Appointment, begins: list[datetime]) -> AppointmentSeries:
    """Return a series for visits that had another before: its rule names their days one by one."""
    days = ",".join(f"{each:%Y%m%dT%H%M%S}" for each in begins)
    series = AppointmentSeries(
        patient_id=first.patient_id,
        location_id=first.location_id,
        visit_type_id=first.visit_type_id,
        local_start=begins[0],
        rrule=f"RDATE:{days}",
    )
    doing.add(series)
    return series


def _written(told: NewSeries) -> str:
    """Return the rule as RFC 5545 writes it, with its exceptions."""
    days = ",".join(f"{each:%Y%m%d}T{told.first.start:%H%M%S}" for each in sorted(set(told.skipping)))
    return told.rrule + (f"\nEXDATE:{days}" if days else "")
