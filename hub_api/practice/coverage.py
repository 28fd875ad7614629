"""Coverages for programs: what pays for a patient, images of cards, and what payers say about it."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from ehr_pm.acts import Act
from ehr_pm.coverage import eligibility, repository, service
from ehr_pm.coverage.models import Coverage, CoverageCard, EligibilityCheck
from ehr_pm.coverage.schemas import LAST_DAY, NewCoverage
from ehr_pm.patients.models import Patient
from hub_api.practice.answers import answer, as_json, note_read, patient_for, refuse_stale
from hub_api.security.caller import caller_of
from hub_api.services import services_of
from hub_core.access import Action
from hub_core.errors import NotFoundError
from hub_core.fhir.canonical import Json

router = APIRouter(prefix="/api/practice", tags=["coverage"])


class Ending(BaseModel):
    """The last day on which a coverage holds."""

    model_config = ConfigDict(extra="forbid")

    last_day: date = Field(le=LAST_DAY)


class Inquiry(BaseModel):
    """For which day a payer is asked."""

    model_config = ConfigDict(extra="forbid")

    on: date


@router.get("/patients/{patient_id}/coverages")
async def list_coverages(request: Request, patient_id: UUID) -> Response:
    """Answer a patient's coverages in the order payers are asked, and what payers said last."""

    def work(doing: Act) -> Response:
        patient = patient_for(request, doing, patient_id, "coverage.read")
        note_read(doing, "coverage.read", patient)
        found = repository.of_patient(doing.session, patient.patient_id)
        checks = repository.latest_checks(doing.session, patient.patient_id)
        return answer({"coverages": [_coverage(row) for row in found], "checks": [_check(row) for row in checks]})

    return await services_of(request).act(caller_of(request), work)


@router.post("/patients/{patient_id}/coverages")
async def add_coverage(request: Request, patient_id: UUID, told: NewCoverage) -> Response:
    """Add a coverage; 409 when another of its rank holds on some of its days."""

    def work(doing: Act) -> Response:
        patient = patient_for(request, doing, patient_id, "coverage.write")
        row = service.add(doing, patient, told)
        return answer(_coverage(row), status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.post("/coverages/{coverage_id}/end")
async def end_coverage(request: Request, coverage_id: UUID, told: Ending) -> Response:
    """Note the last day on which a coverage holds."""

    def work(doing: Act) -> Response:
        row, patient = _coverage_for(request, doing, coverage_id, "coverage.write")
        refuse_stale(request, row.version)
        service.end(doing, row, patient, told.last_day)
        return answer(_coverage(row), version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.post("/coverages/{coverage_id}/take-back")
async def take_back_coverage(request: Request, coverage_id: UUID) -> Response:
    """Note that a coverage was entered by mistake."""

    def work(doing: Act) -> Response:
        row, patient = _coverage_for(request, doing, coverage_id, "coverage.write")
        refuse_stale(request, row.version)
        service.take_back(doing, row, patient)
        return answer(_coverage(row), version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.put("/coverages/{coverage_id}/cards/{side}")
async def keep_card(request: Request, coverage_id: UUID, side: Literal["front", "back"]) -> Response:
    """Keep an image of a side of the card: JPEG or PNG, as the body."""
    image = await request.body()
    keyring = services_of(request).keyring

    def work(doing: Act) -> Response:
        row, patient = _coverage_for(request, doing, coverage_id, "coverage.write")
        service.keep_card(doing, row, patient, side, image, keyring)
        return answer({"coverage_id": str(coverage_id), "side": side}, status=201)

    return await services_of(request).act(caller_of(request), work)


@router.get("/coverages/{coverage_id}/cards/{side}")
async def show_card(request: Request, coverage_id: UUID, side: Literal["front", "back"]) -> Response:
    """Answer the last image of a side of the card."""
    keyring = services_of(request).keyring

    def work(doing: Act) -> Response:
        row, patient = _coverage_for(request, doing, coverage_id, "coverage.read")
        query = select(CoverageCard).where(CoverageCard.coverage_id == row.coverage_id, CoverageCard.side == side)
        card = doing.session.scalars(query.order_by(CoverageCard.scanned_at.desc()).limit(1)).first()
        if card is None:
            raise NotFoundError("there is no image of this side")
        note_read(doing, "coverage.read_card", patient, "Coverage", row.coverage_id)
        return Response(keyring.unseal(card.image), media_type=card.media_type)

    return await services_of(request).act(caller_of(request), work)


@router.post("/coverages/{coverage_id}/eligibility")
async def ask_payer(request: Request, coverage_id: UUID, told: Inquiry) -> Response:
    """Ask the payer whether a coverage holds on a day; the answer comes in a moment and nobody waits for it."""

    def work(doing: Act) -> Response:
        row, _ = _coverage_for(request, doing, coverage_id, "eligibility.check")
        return answer(_check(eligibility.queue_now(doing, row, told.on)), status=202)

    return await services_of(request).act(caller_of(request), work)


def _coverage_for(request: Request, doing: Act, coverage_id: UUID, action: Action) -> tuple[Coverage, Patient]:
    """Return a coverage and whose it is, for an action.

    Raises:
        NotFoundError: if there is none.
        RefusedError: if the caller may not do this.
    """
    row = repository.get(doing.session, coverage_id)
    return row, patient_for(request, doing, row.patient_id, action)


def _coverage(row: Coverage) -> Json:
    payer = {"payer_id": str(row.payer_id), "number": row.payer.number, "name": row.payer.name}
    return as_json(row, "payer_id") | {"payer": payer}


def _check(row: EligibilityCheck) -> Json:
    return as_json(row, "request", "answer")
