"""Finding patients, and those who may be the same person as somebody about to be registered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from ehr_pm.organisation.models import Location
from ehr_pm.patients.models import Patient, PatientContact, PatientNumber
from ehr_pm.scheduling.models import Appointment
from hub_core.errors import NotFoundError

if TYPE_CHECKING:
    from ehr_pm.patients.schemas import NewPatient

_LIKELY: Final = 50
"""Points from which somebody is shown as perhaps the same person."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be the same person, and what speaks for it."""

    patient: Patient
    points: int
    evidence: tuple[str, ...]


def get(session: Session, patient_id: UUID) -> Patient:
    """Return a patient, or the one they were merged into.

    Raises:
        NotFoundError: if there is none.
    """
    row = session.get(Patient, patient_id)
    while row is not None and row.merged_into is not None:
        row = session.get(Patient, row.merged_into)
    if row is None:
        raise NotFoundError("there is no such patient")
    return row


def known_at(session: Session, patient: Patient) -> frozenset[str]:
    """Return the keys of the locations that know a patient: where they are registered, and where they have visits."""
    return known_at_each(session, [patient])[patient.patient_id]


def known_at_each(session: Session, found: Sequence[Patient]) -> dict[UUID, frozenset[str]]:
    """Return the keys of the locations that know each of these patients, in one statement however many they are."""
    visited = select(Appointment.patient_id, Location.key).join(
        Location, Appointment.location_id == Location.location_id
    )
    ids = [row.patient_id for row in found]
    known = {row.patient_id: {row.home_location.key} for row in found}
    for patient_id, key in session.execute(visited.where(Appointment.patient_id.in_(ids)).distinct()):
        known[patient_id].add(key)
    return {patient_id: frozenset(keys) for patient_id, keys in known.items()}


def find(
    session: Session, *, name: str | None, birth_date: date | None, number: str | None, locations: frozenset[str] | None
) -> list[Patient]:
    """Return patients by the beginnings of their names, their date of birth or a number of theirs; at most fifty.

    Args:
        session: where to look.
        name: words, each of which begins a name of theirs.
        birth_date: exactly.
        number: a record number or another identifier.
        locations: keys of the locations whose patients may be shown, as `known_at`; None is everybody's.
    """
    query = select(Patient).where(Patient.merged_into.is_(None))
    for word in (name or "").replace(",", " ").split():
        begins = f"{_escaped(word.lower())}%"
        query = query.where(
            or_(
                *(func.lower(column).like(begins) for column in (Patient.family, Patient.given, Patient.preferred_name))
            )
        )
    if birth_date is not None:
        query = query.where(Patient.birth_date == birth_date)
    if number:
        known = select(PatientNumber.patient_id).where(PatientNumber.value == number.strip())
        query = query.where(or_(Patient.mrn == number.strip(), Patient.patient_id.in_(known)))
    if locations is not None:
        there = select(Location.location_id).where(Location.key.in_(locations))
        visiting = select(Appointment.patient_id).where(Appointment.location_id.in_(there))
        query = query.where(or_(Patient.home_location_id.in_(there), Patient.patient_id.in_(visiting)))
    return list(session.scalars(query.order_by(func.lower(Patient.family), func.lower(Patient.given)).limit(50)))


def candidates(session: Session, told: NewPatient) -> list[Candidate]:
    """Return who may be the same person, the likeliest first; each with what speaks for it, in words."""
    weighed = (_weigh(row, told) for row in _alike(session, told))
    return sorted((each for each in weighed if each.points >= _LIKELY), key=lambda each: -each.points)


def _alike(session: Session, told: NewPatient) -> list[Patient]:
    """Return patients that share enough to be looked at: blocking, by indexes."""
    full = f"{told.given} {told.family}".lower()
    numbers = [each.value for each in told.identifiers]
    contacts = [each.value for each in told.contacts]
    named = func.lower(Patient.given + " " + Patient.family).op("%")(full)
    query = (
        select(Patient)
        .where(Patient.merged_into.is_(None))
        .where(
            or_(
                named,
                Patient.birth_date == told.birth_date,
                Patient.patient_id.in_(select(PatientNumber.patient_id).where(PatientNumber.value.in_(numbers))),
                Patient.patient_id.in_(select(PatientContact.patient_id).where(PatientContact.value.in_(contacts))),
            )
        )
        .limit(500)
    )
    return list(session.scalars(query))


def _weigh(row: Patient, told: NewPatient) -> Candidate:
    found = list(_evidence(row, told))
    return Candidate(row, sum(points for points, _ in found), tuple(words for _, words in found))


def _evidence(row: Patient, told: NewPatient) -> Iterator[tuple[int, str]]:
    """Yield points and words for what two have in common; equal names and dates of birth reach the mark together."""
    if _same(row.family, told.family):
        yield 20, "same family name"
    if _same(row.given, told.given) or _same(row.preferred_name, told.given):
        yield 20, "same given name"
    elif row.given[:1].lower() == told.given[:1].lower():
        yield 5, "same initial"
    if row.birth_date == told.birth_date:
        yield 30, "same date of birth"
    elif _swapped(row.birth_date) == told.birth_date:
        yield 20, "day and month of birth swapped"
    ours = {(each.system, each.value) for each in row.identifiers}
    if any((each.system, each.value) in ours or each.value == row.mrn for each in told.identifiers):
        yield 60, "same number"
    reached = {each.value for each in row.contacts}
    if any(each.value in reached for each in told.contacts):
        yield 15, "same telephone or e-mail"
    lived = {(_folded(each.line), each.postal_code[:5]) for each in row.addresses}
    if any((_folded(each.line), each.postal_code[:5]) in lived for each in told.addresses):
        yield 10, "same address"


def _same(one: str | None, other: str | None) -> bool:
    return bool(one) and bool(other) and _folded(one) == _folded(other)


def _folded(text: Any) -> str:
    return "".join(character for character in str(text).casefold() if character.isalnum())


def _swapped(day: date) -> date | None:
    return day.replace(month=day.day, day=day.month) if day.day <= 12 else None


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
