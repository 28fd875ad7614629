"""Rows of patients."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ehr_pm.organisation.models import Location
from ehr_pm.rows import Kept, Row, key


class PatientNumber(Row):
    """A number under which others know a patient."""

    __tablename__ = "patient_number"

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.patient_id"), primary_key=True)
    system: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """Code of v2 table 0203."""


class PatientAddress(Row):
    """Where a patient lives, lived, or gets bills."""

    __tablename__ = "patient_address"

    address_id: Mapped[UUID] = key()
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.patient_id"))
    use: Mapped[str]
    line: Mapped[str]
    city: Mapped[str]
    state: Mapped[str]
    postal_code: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class PatientContact(Row):
    """How to reach a patient."""

    __tablename__ = "patient_contact"

    contact_id: Mapped[UUID] = key()
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.patient_id"))
    kind: Mapped[str]
    """mobile, home, work or email."""
    value: Mapped[str]
    may_text: Mapped[bool] = mapped_column(default=False)


class Patient(Kept, Row):
    """A person as this practice registers them."""

    __tablename__ = "patient"

    patient_id: Mapped[UUID] = key()
    mrn: Mapped[str]
    home_location_id: Mapped[UUID] = mapped_column(ForeignKey("location.location_id"))
    family: Mapped[str]
    given: Mapped[str]
    middle: Mapped[str | None]
    suffix: Mapped[str | None]
    preferred_name: Mapped[str | None]
    birth_date: Mapped[date]
    birth_sex: Mapped[str | None]
    """F, M or UNK (US Core birth sex)."""
    gender: Mapped[str]
    """FHIR administrative gender."""
    races: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    """OMB categories of CDC's race and ethnicity code set, e.g. 2106-3."""
    ethnicity: Mapped[str | None]
    """2135-2 or 2186-5."""
    language: Mapped[str] = mapped_column(default="en")
    """BCP 47."""
    needs_interpreter: Mapped[bool] = mapped_column(default=False)
    deceased_on: Mapped[date | None]
    sensitivity: Mapped[str | None]
    created_despite: Mapped[str | None]
    """Why they were registered although somebody like them was there."""
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("patient.patient_id"))
    received_from: Mapped[str | None]
    """The source that keeps who they are: its resource of this id is the record, and the row follows it."""
    received_version: Mapped[int | None]
    """Which version of that resource the row shows."""
    home_location: Mapped[Location] = relationship(lazy="joined")
    identifiers: Mapped[list[PatientNumber]] = relationship(lazy="selectin", order_by=PatientNumber.system)
    addresses: Mapped[list[PatientAddress]] = relationship(lazy="selectin", order_by=PatientAddress.valid_from)
    contacts: Mapped[list[PatientContact]] = relationship(
        lazy="selectin", order_by=PatientContact.kind, cascade="all, delete-orphan"
    )


class RelatedPerson(Kept, Row):
    """Somebody who stands by a patient: pays, is called, or acts for them."""

    __tablename__ = "related_person"

    related_id: Mapped[UUID] = key()
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.patient_id"))
    relationship_: Mapped[str] = mapped_column("relationship")
    family: Mapped[str]
    given: Mapped[str]
    phone: Mapped[str | None]
    is_guarantor: Mapped[bool] = mapped_column(default=False)
    is_emergency_contact: Mapped[bool] = mapped_column(default=False)
    acts_for_patient: Mapped[bool] = mapped_column(default=False)
    ended_on: Mapped[date | None]


class Consent(Kept, Row):
    """What a patient agreed to, or did not."""

    __tablename__ = "consent"

    consent_id: Mapped[UUID] = key()
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.patient_id"))
    kind: Mapped[str]
    state: Mapped[str]
    effective_on: Mapped[date]
    expires_on: Mapped[date | None]
    note: Mapped[str | None]


class PatientMerge(Row):
    """A merge, with every row it moved, so that it can be taken back."""

    __tablename__ = "patient_merge"

    merge_id: Mapped[UUID] = key()
    survivor_id: Mapped[UUID] = mapped_column(ForeignKey("patient.patient_id"))
    merged_id: Mapped[UUID] = mapped_column(ForeignKey("patient.patient_id"))
    reason: Mapped[str]
    moved: Mapped[dict[str, Any]]
    merged_at: Mapped[datetime]
    merged_by: Mapped[UUID | None]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[UUID | None]
    received_from: Mapped[str | None]
    """The source that says so; None is somebody here."""
