"""Making a schedule: kinds of visits, what can be booked, weekly hours and their exceptions."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.dialects.postgresql import Range

from ehr_pm.acts import Act
from ehr_pm.organisation.models import Location
from ehr_pm.rows import get
from ehr_pm.scheduling.models import Bookable, ScheduleException, ScheduleRule, VisitType
from ehr_pm.scheduling.schemas import NewBookable, NewException, NewRule, NewVisitType


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


def _note(doing: Act, bookable: Bookable, action: str, row_id: UUID) -> None:
    location = get(doing.session, Location, bookable.location_id, "location")
    doing.noted(action, location=location.key, bookable_id=str(bookable.bookable_id), row_id=str(row_id))
