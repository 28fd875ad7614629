"""Rows of coverages."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, SmallInteger
from sqlalchemy.dialects.postgresql import DATERANGE, Range
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ehr_pm.organisation.models import Payer
from ehr_pm.rows import Kept, Row, key


class Coverage(Kept, Row):
    """What pays for a patient's care, from when to when, and which is asked first."""

    __tablename__ = "coverage"

    coverage_id: Mapped[UUID] = key()
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.patient_id"))
    payer_id: Mapped[UUID] = mapped_column(ForeignKey("payer.payer_id"))
    rank: Mapped[int] = mapped_column(SmallInteger)
    """1 is asked first."""
    member_id: Mapped[str]
    group_number: Mapped[str | None]
    plan_name: Mapped[str | None]
    relationship_: Mapped[str] = mapped_column("relationship")
    """The patient's to the subscriber: self, spouse, child, other."""
    subscriber_family: Mapped[str | None]
    subscriber_given: Mapped[str | None]
    subscriber_birth_date: Mapped[date | None]
    valid: Mapped[Range[date]] = mapped_column(DATERANGE)
    """Days on which it holds; the end is not one of them."""
    is_active: Mapped[bool] = mapped_column(default=True)
    """False when it was entered by mistake or replaced."""
    payer: Mapped[Payer] = relationship(lazy="joined")


class CoverageCard(Row):
    """An image of a side of an insurance card."""

    __tablename__ = "coverage_card"

    card_id: Mapped[UUID] = key()
    coverage_id: Mapped[UUID] = mapped_column(ForeignKey("coverage.coverage_id"))
    side: Mapped[str]
    media_type: Mapped[str]
    image: Mapped[bytes]
    """Sealed by the keyring."""
    scanned_at: Mapped[datetime]
    scanned_by: Mapped[UUID | None]


class EligibilityCheck(Row):
    """A question to a payer whether a coverage holds on a day, and the answer."""

    __tablename__ = "eligibility_check"

    check_id: Mapped[UUID] = key()
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.patient_id"))
    coverage_id: Mapped[UUID] = mapped_column(ForeignKey("coverage.coverage_id"))
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment.appointment_id"))
    requested_for: Mapped[date]
    """The day of the appointment, at its location: not today, and not when the coverage began."""
    state: Mapped[str]
    control_number: Mapped[str]
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    request: Mapped[bytes | None]
    """As it was sent, sealed."""
    answer: Mapped[bytes | None]
    """As it came, sealed."""
    plan_name: Mapped[str | None]
    copay_cents: Mapped[int | None]
    deductible_remaining_cents: Mapped[int | None]
    reason: Mapped[str | None]
    coverage: Mapped[Coverage] = relationship(lazy="joined")
