"""Rows of the schedule."""

from __future__ import annotations

from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, SmallInteger, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ehr_pm.organisation.models import Location
from ehr_pm.rows import Kept, Row, key


class VisitType(Kept, Row):
    """A kind of visit: how long it takes, and what must lie before and after it."""

    __tablename__ = "visit_type"

    visit_type_id: Mapped[UUID] = key()
    key: Mapped[str]
    name: Mapped[str]
    minutes: Mapped[int] = mapped_column(SmallInteger)
    minutes_before: Mapped[int] = mapped_column(SmallInteger, default=0)
    minutes_after: Mapped[int] = mapped_column(SmallInteger, default=0)
    is_telehealth: Mapped[bool] = mapped_column(default=False)
    sensitivity: Mapped[str | None]
    """How sensitive it is that somebody comes for such a visit."""
    is_active: Mapped[bool] = mapped_column(default=True)


class Bookable(Kept, Row):
    """A practitioner at a location, a room or a device."""

    __tablename__ = "bookable"

    bookable_id: Mapped[UUID] = key()
    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.location_id"))
    kind: Mapped[str]
    """practitioner, room or device."""
    subject_id: Mapped[UUID]
    """FHIR id of the Practitioner, Location or Device it stands for."""
    name: Mapped[str]
    lanes: Mapped[int] = mapped_column(SmallInteger, default=1)
    """How many appointments it holds at once."""
    is_active: Mapped[bool] = mapped_column(default=True)
    rules: Mapped[list[ScheduleRule]] = relationship(order_by="ScheduleRule.weekday, ScheduleRule.starts")


class ScheduleRule(Kept, Row):
    """Weekly hours of a bookable, in the wall time of its location."""

    __tablename__ = "schedule_rule"

    rule_id: Mapped[UUID] = key()
    bookable_id: Mapped[UUID] = mapped_column(ForeignKey("bookable.bookable_id"))
    weekday: Mapped[int] = mapped_column(SmallInteger)
    starts: Mapped[time]
    ends: Mapped[time]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    every_weeks: Mapped[int] = mapped_column(SmallInteger, default=1)
    visit_type_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))


class ScheduleException(Kept, Row):
    """A stretch of time in which a bookable is open or closed, whatever its rules say."""

    __tablename__ = "schedule_exception"

    exception_id: Mapped[UUID] = key()
    bookable_id: Mapped[UUID] = mapped_column(ForeignKey("bookable.bookable_id"))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    is_open: Mapped[bool]
    reason: Mapped[str]


class AppointmentSeries(Kept, Row):
    """Appointments that repeat by a rule in local wall time (RFC 5545)."""

    __tablename__ = "appointment_series"

    series_id: Mapped[UUID] = key()
    patient_id: Mapped[UUID]
    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.location_id"))
    visit_type_id: Mapped[UUID] = mapped_column(ForeignKey("visit_type.visit_type_id"))
    local_start: Mapped[datetime] = mapped_column(DateTime(timezone=False))
    rrule: Mapped[str]


class ResourceBooking(Row):
    """One lane of something, or a patient's own time, taken by an appointment."""

    __tablename__ = "resource_booking"

    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointment.appointment_id"), primary_key=True)
    taken_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The bookable, or the patient."""
    kind: Mapped[str]
    lane: Mapped[int] = mapped_column(SmallInteger)
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    is_blocking: Mapped[bool] = mapped_column(default=True)


class Appointment(Kept, Row):
    """A visit that is planned, under way, over, or not to be."""

    __tablename__ = "appointment"

    appointment_id: Mapped[UUID] = key()
    patient_id: Mapped[UUID]
    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.location_id"))
    visit_type_id: Mapped[UUID] = mapped_column(ForeignKey("visit_type.visit_type_id"))
    status: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    local_start: Mapped[datetime] = mapped_column(DateTime(timezone=False))
    series_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment_series.series_id"))
    original_start: Mapped[datetime | None] = mapped_column(DateTime(timezone=False))
    """Which occurrence of its series it is, also after it was moved."""
    rescheduled_from: Mapped[UUID | None] = mapped_column(ForeignKey("appointment.appointment_id"))
    held_until: Mapped[datetime | None]
    override_reason: Mapped[str | None]
    status_reason: Mapped[str | None]
    received_from: Mapped[str | None]
    """The source that schedules it: its resource of this id is the record, and the row follows it."""
    received_version: Mapped[int | None]
    location: Mapped[Location] = relationship(lazy="joined")
    visit_type: Mapped[VisitType] = relationship(lazy="joined")
    bookings: Mapped[list[ResourceBooking]] = relationship(order_by=ResourceBooking.kind, lazy="selectin")


class AppointmentStatusEvent(Row):
    """One step in the life of an appointment."""

    __tablename__ = "appointment_status_event"

    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointment.appointment_id"), primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    status: Mapped[str]
    reason: Mapped[str | None]
    recorded_at: Mapped[datetime]
    happened_at: Mapped[datetime | None]
    """When it happened, where that was entered later."""
    principal_id: Mapped[UUID | None]

    @property
    def at(self) -> datetime:
        """Return when it happened."""
        return self.happened_at or self.recorded_at


class WaitlistEntry(Kept, Row):
    """Somebody who would come sooner, if something opened."""

    __tablename__ = "waitlist_entry"

    entry_id: Mapped[UUID] = key()
    patient_id: Mapped[UUID]
    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.location_id"))
    visit_type_id: Mapped[UUID] = mapped_column(ForeignKey("visit_type.visit_type_id"))
    bookable_id: Mapped[UUID | None] = mapped_column(ForeignKey("bookable.bookable_id"))
    """Whom they want to see; None is anybody."""
    not_before: Mapped[date]
    not_after: Mapped[date]
    priority: Mapped[int] = mapped_column(SmallInteger, default=5)
    """1 is the most urgent."""
    state: Mapped[str] = mapped_column(default="waiting")
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment.appointment_id"))


class Reminder(Row):
    """A reminder of an appointment, to be sent when it is due."""

    __tablename__ = "reminder"

    reminder_id: Mapped[UUID] = key()
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointment.appointment_id"))
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="queued")
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    sent_at: Mapped[datetime | None]
