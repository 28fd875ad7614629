"""Making a schedule: kinds of visits, what can be booked, weekly hours and their exceptions."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy.dialects.postgresql import Range

from ehr_pm.acts import Act
from ehr_pm.organisation.models import Location
from ehr_pm.rows import get
from ehr_pm.scheduling.models import Bookable, ScheduleException, ScheduleRule, VisitType
from ehr_pm.scheduling.schemas import NewBookable, NewException, NewRule, NewVisitType, VisitTypeDetails
from hub_core.errors import ConflictError


def add_visit_type(doing: Act, told: NewVisitType) -> VisitType:
    """Add a kind of visit.

    Raises:
        ConflictError: if there is one of that key.
    """
    row = VisitType(**told.model_dump())
    doing.add(row, conflict="there is a visit type of this key")
    doing.noted("visit_type.add", visit_type=row.key)
    return row


def add_bookable(doing: Act, told: NewBookable) -> Bookable:
    """Let a practitioner, a room or a device be booked at a location.

    Raises:
        NotFoundError: if the location is not known.
        ConflictError: if it can be booked there already.
    """
    location = get(doing.session, Location, told.location_id, "location")
    row = Bookable(**told.model_dump())
    doing.add(row, conflict="this can be booked at the location already")
    doing.noted("bookable.add", location=location.key, bookable_id=str(row.bookable_id))
    return row


def add_rule(doing: Act, told: NewRule) -> ScheduleRule:
    """Add weekly hours.

    Raises:
        NotFoundError: if what they are for is not known.
    """
    bookable = get(doing.session, Bookable, told.bookable_id, "practitioner, room or device")
    kinds = None if told.visit_type_ids is None else list(told.visit_type_ids)
    row = ScheduleRule(**told.model_dump(exclude={"visit_type_ids"}), visit_type_ids=kinds)
    doing.add(row)
    _note(doing, bookable, "schedule_rule.add", row.rule_id)
    return row


def add_exception(doing: Act, told: NewException) -> ScheduleException:
    """Open or close something for a stretch of time. What is booked there already stays, and must be moved by people.

    Raises:
        NotFoundError: if what it is for is not known.
    """
    bookable = get(doing.session, Bookable, told.bookable_id, "practitioner, room or device")
    row = ScheduleException(
        bookable_id=told.bookable_id,
        during=Range(told.starts_at, told.ends_at),
        is_open=told.is_open,
        reason=told.reason,
    )
    doing.add(row)
    _note(doing, bookable, "schedule_exception.add", row.exception_id)
    return row


def change_visit_type(doing: Act, row: VisitType, told: VisitTypeDetails) -> None:
    """Change a kind of visit; what is booked already keeps its times.

    Raises:
        ConflictError: if somebody else changed it at the same time.
    """
    doing.change(row, **told.model_dump())
    doing.noted("visit_type.change", visit_type=row.key)


def end_rule(doing: Act, rule_id: UUID, last_day: date) -> None:
    """Let weekly hours end; they stay known for the days they held.

    Raises:
        NotFoundError: if there are none.
        ConflictError: if they had not begun by then.
    """
    row = get(doing.session, ScheduleRule, rule_id, "rule")
    if last_day < row.valid_from:
        raise ConflictError("these hours begin later than that")
    doing.change(row, valid_to=last_day)
    _note(doing, get(doing.session, Bookable, row.bookable_id, "bookable"), "schedule_rule.end", rule_id)


def take_back_exception(doing: Act, exception_id: UUID) -> None:
    """Take an exception back: the weekly hours hold again. That it was there is in the audit trail.

    Raises:
        NotFoundError: if there is none.
    """
    row = get(doing.session, ScheduleException, exception_id, "exception")
    bookable = get(doing.session, Bookable, row.bookable_id, "bookable")
    doing.session.delete(row)
    doing.flush()
    _note(doing, bookable, "schedule_exception.take_back", exception_id)


def _note(doing: Act, bookable: Bookable, action: str, row_id: UUID) -> None:
    location = get(doing.session, Location, bookable.location_id, "location")
    doing.noted(action, location=location.key, bookable_id=str(bookable.bookable_id), row_id=str(row_id))
