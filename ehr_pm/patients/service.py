"""What registration does; each function is part of an act."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import text

from ehr_pm.acts import Act
from ehr_pm.organisation.models import Location
from ehr_pm.organisation.ownership import refuse_patients, refuse_received
from ehr_pm.patients import fhir, repository
from ehr_pm.patients.models import Consent, Patient, PatientAddress, PatientContact, PatientNumber, RelatedPerson
from ehr_pm.patients.schemas import Address, Contact, Demographics, NewConsent, NewPatient, NewRelatedPerson
from ehr_pm.rows import get as get_row
from hub_core.errors import ConflictError


class PossibleDuplicateError(ConflictError):
    """Somebody like this is registered already; look at them, or say why this is another person."""

    def __init__(self, candidates: list[repository.Candidate]) -> None:
        super().__init__(f"{len(candidates)} registered patients may be this person; say why this is another")
        self.candidates = candidates


def register(doing: Act, told: NewPatient, *, despite: str | None = None) -> Patient:
    """Register a patient.

    Args:
        doing: the act.
        told: who they are.
        despite: why this is another person than those who look like them.

    Raises:
        PossibleDuplicateError: if somebody like them is there and no reason is given.
        NotFoundError: if their location is not known.
        MasteredElsewhereError: if another source keeps the patients of that location.
    """
    location = get_row(doing.session, Location, told.home_location_id, "location")
    refuse_patients(location)
    alike = repository.candidates(doing.session, told)
    if alike and not despite:
        raise PossibleDuplicateError(alike)
    number = doing.session.scalar(text("SELECT nextval('mrn_number')"))
    row = Patient(
        mrn=f"W{number}",
        home_location_id=location.location_id,
        sensitivity=location.sensitivity,
        created_despite=despite if alike else None,
        races=list(told.races),
        **told.model_dump(exclude={"identifiers", "addresses", "contacts", "home_location_id", "races"}),
        identifiers=[PatientNumber(**each.model_dump()) for each in told.identifiers],
        addresses=[_address(each, doing.moment.date()) for each in told.addresses],
        contacts=[PatientContact(**each.model_dump()) for each in told.contacts],
    )
    doing.add(row)
    doing.session.refresh(row, ["home_location"])
    _say(doing, "patient.register", row, **({"duplicates_seen": str(len(alike))} if alike else {}))
    return row


def correct(doing: Act, patient: Patient, told: Demographics) -> None:
    """Change who a patient is said to be.

    Raises:
        MasteredElsewhereError: if another source keeps them.
        ConflictError: if somebody else changed them at the same time.
    """
    refuse_received(patient.received_from, "patient")
    doing.change(patient, races=list(told.races), **told.model_dump(exclude={"races"}))
    _say(doing, "patient.correct", patient)


def move(doing: Act, patient: Patient, to: Address) -> None:
    """Note that a patient lives somewhere else; the old address stays, as of when it ended.

    Raises:
        MasteredElsewhereError: if another source keeps them.
    """
    refuse_received(patient.received_from, "patient")
    today = doing.moment.date()
    for each in patient.addresses:
        if each.use == to.use and each.valid_to is None:
            each.use, each.valid_to = "old" if to.use == "home" else each.use, max(today, each.valid_from)
    patient.addresses.append(_address(to, today))
    doing.change(patient)
    _say(doing, "patient.move", patient)


def set_contacts(doing: Act, patient: Patient, contacts: Iterable[Contact]) -> None:
    """Replace how a patient is reached.

    Raises:
        MasteredElsewhereError: if another source keeps them.
    """
    refuse_received(patient.received_from, "patient")
    patient.contacts.clear()
    doing.flush()
    patient.contacts.extend(PatientContact(**each.model_dump()) for each in contacts)
    doing.change(patient)
    _say(doing, "patient.set_contacts", patient)


def add_related(doing: Act, patient: Patient, told: NewRelatedPerson) -> RelatedPerson:
    """Add somebody who stands by a patient."""
    said = told.model_dump()
    row = RelatedPerson(patient_id=patient.patient_id, relationship_=said.pop("relationship"), **said)
    doing.add(row)
    doing.done("related_person.add", fhir.related(row), patient_id=patient.patient_id, location=_location(patient))
    return row


def record_consent(doing: Act, patient: Patient, told: NewConsent) -> Consent:
    """Keep what a patient agreed to, or did not."""
    row = Consent(patient_id=patient.patient_id, **told.model_dump())
    doing.add(row)
    doing.done("consent.record", fhir.consent(row), patient_id=patient.patient_id, location=_location(patient))
    return row


def _address(told: Address, since: date) -> PatientAddress:
    return PatientAddress(**told.model_dump(), valid_from=since)


def _say(doing: Act, action: str, row: Patient, **detail: str) -> None:
    doing.done(action, fhir.patient(row), patient_id=row.patient_id, location=_location(row), **detail)


def _location(row: Patient) -> str:
    return row.home_location.key
