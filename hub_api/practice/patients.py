"""Registration for programs: patients found, registered, corrected; whom they belong to, their consents; merges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import select

from ehr_pm.acts import Act
from ehr_pm.organisation.models import Location
from ehr_pm.patients import merging, repository, service
from ehr_pm.patients.models import Consent, Patient, PatientMerge, RelatedPerson
from ehr_pm.patients.repository import Candidate
from ehr_pm.patients.schemas import Address, Contact, Demographics, NewConsent, NewPatient, NewRelatedPerson, Reason
from ehr_pm.rows import get as get_row
from hub_api.practice.answers import answer, as_json, note_read, patient_for, refuse_stale, subject_of
from hub_api.security.caller import caller_of
from hub_api.security.permission import require, visible
from hub_api.services import services_of
from hub_core.access import Subject, decide
from hub_core.errors import NotFoundError, UnreadableError
from hub_core.fhir.canonical import Json

router = APIRouter(prefix="/api/practice", tags=["patients"])

_Asked = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class PatientSearch(BaseModel):
    """Whom to find; everything given must fit."""

    model_config = ConfigDict(extra="forbid")

    name: _Asked | None = Field(default=None, description="Beginnings of names, in any order.")
    birth_date: date | None = None
    number: _Asked | None = Field(default=None, description="A record number or another identifier.")


class Registration(BaseModel):
    """Who is registered, and why although somebody like them is there."""

    model_config = ConfigDict(extra="forbid")

    patient: NewPatient
    despite: Reason | None = None


class Merge(BaseModel):
    """Who becomes part of whom, and why."""

    model_config = ConfigDict(extra="forbid")

    survivor_id: UUID
    merged_id: UUID
    reason: Reason


@router.post("/patients/search")
async def search_patients(request: Request, wanted: PatientSearch) -> Response:
    """Answer the patients who fit and whom the caller may see, at most fifty."""
    if wanted == PatientSearch():
        raise UnreadableError("give a name, a date of birth or a number", code="required")

    def work(doing: Act) -> list[Json]:
        found = repository.find(
            doing.session,
            name=wanted.name,
            birth_date=wanted.birth_date,
            number=wanted.number,
            locations=visible(request, "patient.read"),
        )
        shown = _seen(request, doing, found)
        for row in shown:
            note_read(doing, "patient.search", row)
        if not shown:
            doing.noted("patient.search", resource_type="Patient")
        return [_patient(row) for row in shown]

    return answer(await services_of(request).act(caller_of(request), work))


@router.post("/patients")
async def register_patient(request: Request, told: Registration) -> Response:
    """Register a patient; 409 with those who look like them, unless a reason is given why this is another person."""

    def work(doing: Act) -> Response:
        location = get_row(doing.session, Location, told.patient.home_location_id, "location")
        require(request, "patient.write", Subject(frozenset({location.key})))
        try:
            row = service.register(doing, told.patient, despite=told.despite)
        except service.PossibleDuplicateError as error:
            seen = {each.patient_id for each in _seen(request, doing, [each.patient for each in error.candidates])}
            shown = [_candidate(doing, each, is_seen=each.patient.patient_id in seen) for each in error.candidates]
            return answer({"reason": str(error), "candidates": shown}, status=409)
        return answer(_patient(row), status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.get("/patients/{patient_id}")
async def read_patient(request: Request, patient_id: UUID) -> Response:
    """Answer a patient, or whom they were merged into."""

    def work(doing: Act) -> Response:
        row = patient_for(request, doing, patient_id, "patient.read")
        note_read(doing, "patient.read", row)
        return answer(_patient(row), version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.put("/patients/{patient_id}")
async def correct_patient(request: Request, patient_id: UUID, told: Demographics) -> Response:
    """Change who a patient is said to be; If-Match must name the version that was read."""

    def work(doing: Act) -> Response:
        row = patient_for(request, doing, patient_id, "patient.write")
        refuse_stale(request, row.version, is_required=True)
        service.correct(doing, row, told)
        return answer(_patient(row), version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.post("/patients/{patient_id}/addresses")
async def move_patient(request: Request, patient_id: UUID, told: Address) -> Response:
    """Note that a patient lives somewhere else now."""

    def work(doing: Act) -> Response:
        row = patient_for(request, doing, patient_id, "patient.write")
        refuse_stale(request, row.version)
        service.move(doing, row, told)
        return answer(_patient(row), version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.put("/patients/{patient_id}/contacts")
async def set_contacts(request: Request, patient_id: UUID, told: list[Contact]) -> Response:
    """Replace how a patient is reached."""

    def work(doing: Act) -> Response:
        row = patient_for(request, doing, patient_id, "patient.write")
        refuse_stale(request, row.version)
        service.set_contacts(doing, row, told)
        return answer(_patient(row), version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.get("/patients/{patient_id}/related")
async def list_related(request: Request, patient_id: UUID) -> Response:
    """Answer who stands by a patient."""

    def work(doing: Act) -> Response:
        row = patient_for(request, doing, patient_id, "patient.read")
        note_read(doing, "related_person.read", row)
        query = select(RelatedPerson).where(RelatedPerson.patient_id == row.patient_id)
        return answer([as_json(each) for each in doing.session.scalars(query.order_by(RelatedPerson.created_at))])

    return await services_of(request).act(caller_of(request), work)


@router.post("/patients/{patient_id}/related")
async def add_related(request: Request, patient_id: UUID, told: NewRelatedPerson) -> Response:
    """Add somebody who stands by a patient."""

    def work(doing: Act) -> Response:
        patient = patient_for(request, doing, patient_id, "patient.write")
        row = service.add_related(doing, patient, told)
        return answer(as_json(row), status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.get("/patients/{patient_id}/consents")
async def list_consents(request: Request, patient_id: UUID) -> Response:
    """Answer what a patient agreed to or did not, the newest first."""

    def work(doing: Act) -> Response:
        row = patient_for(request, doing, patient_id, "patient.read")
        note_read(doing, "consent.read", row)
        query = select(Consent).where(Consent.patient_id == row.patient_id)
        newest = query.order_by(Consent.effective_on.desc(), Consent.created_at.desc())
        return answer([as_json(each) for each in doing.session.scalars(newest)])

    return await services_of(request).act(caller_of(request), work)


@router.post("/patients/{patient_id}/consents")
async def record_consent(request: Request, patient_id: UUID, told: NewConsent) -> Response:
    """Keep what a patient agreed to, or did not."""

    def work(doing: Act) -> Response:
        patient = patient_for(request, doing, patient_id, "patient.write")
        row = service.record_consent(doing, patient, told)
        return answer(as_json(row), status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.post("/merges")
async def merge_patients(request: Request, told: Merge) -> Response:
    """Make one patient of two."""

    def work(doing: Act) -> Response:
        _require_both(request, doing, told.survivor_id, told.merged_id)
        row = merging.merge(doing, told.survivor_id, told.merged_id, told.reason)
        return answer(as_json(row, "moved"), status=201)

    return await services_of(request).act(caller_of(request), work)


@router.post("/merges/{merge_id}/undo")
async def unmerge_patients(request: Request, merge_id: UUID) -> Response:
    """Take a merge back."""

    def work(doing: Act) -> Response:
        row = get_row(doing.session, PatientMerge, merge_id, "merge")
        _require_both(request, doing, row.survivor_id, row.merged_id)
        merging.unmerge(doing, merge_id)
        return answer(as_json(row, "moved"))

    return await services_of(request).act(caller_of(request), work)


def _require_both(request: Request, doing: Act, *patient_ids: UUID) -> None:
    """Make sure that the caller may merge each of these, whatever they are part of now.

    Raises:
        NotFoundError: if one is not known.
        RefusedError: if the caller may not.
    """
    for patient_id in patient_ids:
        row = doing.session.get(Patient, patient_id)
        if row is None:
            raise NotFoundError("there is no such patient")
        require(request, "patient.merge", subject_of(doing, row))


def _seen(request: Request, doing: Act, rows: Sequence[Patient]) -> list[Patient]:
    """Return those of these patients whom the caller may see."""
    access, known = caller_of(request).access, repository.known_at_each(doing.session, rows)

    def is_seen(row: Patient) -> bool:
        subject = Subject(known[row.patient_id], row.patient_id, row.sensitivity, row.home_location.key)
        return decide(access, "patient.read", subject).is_allowed

    return [row for row in rows if is_seen(row)]


def _candidate(doing: Act, found: Candidate, *, is_seen: bool) -> Json:
    """Return somebody who may be the same person; who they are only to those who may see them."""
    said: Json = {"points": found.points, "evidence": list(found.evidence), "location": found.patient.home_location.key}
    if not is_seen:
        return said | {"patient": None}
    note_read(doing, "patient.candidate", found.patient)
    return said | {"patient": _patient(found.patient)}


def _patient(row: Patient) -> Json:
    return as_json(row) | {
        "home_location": row.home_location.key,
        "identifiers": [as_json(each, "patient_id") for each in row.identifiers],
        "addresses": [as_json(each, "patient_id") for each in row.addresses],
        "contacts": [as_json(each, "patient_id") for each in row.contacts],
    }
