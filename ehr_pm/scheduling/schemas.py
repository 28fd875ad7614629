"""What the schedule is told, checked before anything is written."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NaiveDatetime, StringConstraints, model_validator

from hub_core.sensitivity import Kind

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class VisitTypeDetails(_Told):
    """What may change of a kind of visit."""

    name: Name
    minutes: int = Field(ge=5, le=480)
    minutes_before: int = Field(default=0, ge=0, le=120)
    minutes_after: int = Field(default=0, ge=0, le=120)
    is_telehealth: bool = False
    sensitivity: Kind | None = Field(default=None, description="How sensitive it is that somebody comes for it.")


class NewVisitType(VisitTypeDetails):
    """A kind of visit."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class NewBookable(_Told):
    """A practitioner at a location, a room or a device."""

    location_id: UUID
    kind: Literal["practitioner", "room", "device"]
    subject_id: UUID
    name: Name
    lanes: int = Field(default=1, ge=1, le=100)


class NewRule(_Told):
    """Weekly hours in the wall time of the location."""

    bookable_id: UUID
    weekday: int = Field(ge=1, le=7, description="ISO: Monday is 1")
    starts: time
    ends: time
    valid_from: date
    valid_to: date | None = None
    every_weeks: int = Field(default=1, ge=1, le=8)
    visit_type_ids: tuple[UUID, ...] | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> NewRule:
        if self.ends <= self.starts or (self.valid_to is not None and self.valid_to < self.valid_from):
            raise ValueError("it ends before it starts")
        return self


class NewException(_Told):
    """A stretch of time in which something is open or closed, whatever its rules say."""

    bookable_id: UUID
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    is_open: bool = False
    reason: Reason

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> NewException:
        if self.ends_at <= self.starts_at:
            raise ValueError("it ends before it starts")
        return self


class NewAppointment(_Told):
    """A visit to be booked, at a wall time of its location."""

    patient_id: UUID
    location_id: UUID
    visit_type_id: UUID
    bookable_ids: tuple[UUID, ...] = Field(min_length=1, max_length=10)
    local_start: NaiveDatetime = Field(ge=datetime(2000, 1, 1), lt=datetime(2100, 1, 1))  # noqa: DTZ001 - wall time
    override_reason: Reason | None = None
    """Why it is booked although something is taken or closed."""

    @property
    def start(self) -> datetime:
        """Return the wall time without seconds."""
        return self.local_start.replace(second=0, microsecond=0)


class NewSeries(_Told):
    """Visits that repeat."""

    first: NewAppointment
    rrule: Annotated[str, StringConstraints(pattern=r"^FREQ=(DAILY|WEEKLY|MONTHLY);[A-Z0-9=,;+-]{1,200}$")]
    """RFC 5545, with COUNT or UNTIL (local wall time)."""
    skipping: Annotated[tuple[date, ...], Field(max_length=100)] = ()
    """Days of the rule on which there is to be no visit (EXDATE)."""


class NewWaitlistEntry(_Told):
    """Somebody who would come sooner."""

    patient_id: UUID
    location_id: UUID
    visit_type_id: UUID
    bookable_id: UUID | None = None
    not_before: date
    not_after: date
    priority: int = Field(default=5, ge=1, le=9)

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> NewWaitlistEntry:
        if self.not_after < self.not_before:
            raise ValueError("it ends before it starts")
        return self
