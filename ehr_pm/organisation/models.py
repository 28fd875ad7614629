"""Rows of the organisation: organizations, locations, rooms, departments, chart-sharing groups, payers."""

from __future__ import annotations

from datetime import time
from uuid import UUID

from sqlalchemy import ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ehr_pm.rows import Kept, Row, key


class Organization(Kept, Row):
    """A legal body of the group."""

    __tablename__ = "organization"

    organization_id: Mapped[UUID] = key()
    name: Mapped[str]
    npi: Mapped[str | None]
    tax_id: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(default=True)


class ChartGroup(Kept, Row):
    """Locations that share their patients' charts."""

    __tablename__ = "chart_group"

    chart_group_id: Mapped[UUID] = key()
    name: Mapped[str]


class LocationHours(Row):
    """When a location is open on a weekday (ISO: Monday is 1), in its local wall time."""

    __tablename__ = "location_hours"

    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.location_id"), primary_key=True)
    weekday: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    opens: Mapped[time] = mapped_column(primary_key=True)
    closes: Mapped[time]


class Location(Kept, Row):
    """A place where the group gives care."""

    __tablename__ = "location"

    location_id: Mapped[UUID] = key()
    key: Mapped[str]
    """What feeds, the record and the warehouse call it; it never changes."""
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.organization_id"))
    chart_group_id: Mapped[UUID | None] = mapped_column(ForeignKey("chart_group.chart_group_id"))
    name: Mapped[str]
    zone: Mapped[str]
    """IANA zone."""
    place_of_service: Mapped[str] = mapped_column(default="11")
    """CMS place of service code; 11 is an office."""
    npi: Mapped[str | None]
    clia: Mapped[str | None]
    """Number of its laboratory certificate (42 CFR 493)."""
    phone: Mapped[str | None]
    address_line: Mapped[str | None]
    city: Mapped[str | None]
    state: Mapped[str | None]
    postal_code: Mapped[str | None]
    sensitivity: Mapped[str | None]
    """42cfr2 where it is a programme of its own (42 CFR 2.11), whose every record of a patient is sensitive."""
    is_active: Mapped[bool] = mapped_column(default=True)
    patients_from: Mapped[str | None]
    """The source that is master of the patients here; None is us."""
    schedule_from: Mapped[str | None]
    """The source that is master of the schedule here; None is us."""
    flow_is_ours: Mapped[bool] = mapped_column(default=False)
    """Whether patients are checked in here also for visits that another source schedules."""
    hours: Mapped[list[LocationHours]] = relationship(
        order_by=(LocationHours.weekday, LocationHours.opens), cascade="all, delete-orphan"
    )


class Department(Kept, Row):
    """A part of a location."""

    __tablename__ = "department"

    department_id: Mapped[UUID] = key()
    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.location_id"))
    name: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=True)


class Room(Kept, Row):
    """A room or a device of a location that can be booked."""

    __tablename__ = "room"

    room_id: Mapped[UUID] = key()
    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.location_id"))
    kind: Mapped[str]
    """room or device."""
    name: Mapped[str]
    capacity: Mapped[int] = mapped_column(SmallInteger, default=1)
    """How many appointments it holds at once."""
    is_active: Mapped[bool] = mapped_column(default=True)


class Payer(Kept, Row):
    """Who pays for care."""

    __tablename__ = "payer"

    payer_id: Mapped[UUID] = key()
    number: Mapped[str]
    """The payer id its clearinghouse knows it by."""
    name: Mapped[str]
    filing_indicator: Mapped[str]
    """X12 claim filing indicator (SBR09): CI, MB, MC, BL ..."""
    answers_eligibility: Mapped[bool] = mapped_column(default=True)
    takes_claims: Mapped[bool] = mapped_column(default=True)
    sends_remittances: Mapped[bool] = mapped_column(default=True)
    is_active: Mapped[bool] = mapped_column(default=True)
