"""Sensitivity for programs: tags on a patient's records, put on and taken off with a reason; each is an audited act."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ehr_pm.acts import Act
from ehr_pm.record.scope import known_at
from ehr_pm.rows import get as get_row
from ehr_pm.sensitivity import service
from ehr_pm.sensitivity.models import SensitivityTag
from ehr_pm.sensitivity.schemas import EndTag, NewTag
from hub_api.practice.answers import answer, as_json, refuse_stale
from hub_api.security.caller import caller_of
from hub_api.security.permission import require
from hub_api.services import services_of
from hub_core.access import Subject
from hub_core.database import driver_connection

router = APIRouter(prefix="/api/practice", tags=["sensitivity"])


@router.get("/patients/{patient_id}/sensitivity")
async def list_tags(request: Request, patient_id: UUID) -> Response:
    """Answer what is tagged of a patient's records, with what was once."""

    def work(doing: Act) -> Response:
        _require(request, doing, patient_id)
        doing.noted("sensitivity.read", patient_id=patient_id)
        return answer([as_json(row) for row in service.of_patient(doing.session, patient_id)])

    return await services_of(request).act(caller_of(request), work)


@router.post("/patients/{patient_id}/sensitivity")
async def tag(request: Request, patient_id: UUID, told: NewTag) -> Response:
    """Tag all of a patient's records, or one of them, as sensitive."""

    def work(doing: Act) -> Response:
        _require(request, doing, patient_id)
        row = service.tag(doing, patient_id, told)
        return answer(as_json(row), status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.post("/sensitivity/{tag_id}/end")
async def end_tag(request: Request, tag_id: UUID, told: EndTag) -> Response:
    """Take a tag off; that it was there stays known."""

    def work(doing: Act) -> Response:
        row = get_row(doing.session, SensitivityTag, tag_id, "tag")
        _require(request, doing, row.patient_id)
        refuse_stale(request, row.version)
        service.end(doing, row, told.reason)
        return answer(as_json(row), version=row.version)

    return await services_of(request).act(caller_of(request), work)


def _require(request: Request, doing: Act, patient_id: UUID) -> None:
    """Return if the caller may say what is sensitive of this patient, whom they need not treat to do so."""
    places = known_at(driver_connection(doing.session.connection()), patient_id)
    require(request, "sensitivity.write", Subject(places, patient_id))
