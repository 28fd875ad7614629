"""Who sees a patient in the portal: invited, listed and ended by those who register where the patient is known."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ehr_pm.rows import get as get_row
from ehr_pm.users import portal
from ehr_pm.users.models import PortalLink, PrincipalRow
from ehr_pm.users.schemas import NewPortalUser
from hub_api.practice.answers import answer, as_json, note_read, patient_for
from hub_api.security.caller import caller_of
from hub_api.services import services_of

if TYPE_CHECKING:
    from ehr_pm.acts import Act
    from hub_core.fhir.canonical import Json

router = APIRouter(prefix="/api/practice", tags=["portal"])


@router.get("/patients/{patient_id}/portal")
async def list_users(request: Request, patient_id: UUID) -> Response:
    """Answer who sees a patient in the portal now."""

    def work(doing: Act) -> Response:
        patient = patient_for(request, doing, patient_id, "patient.write")
        note_read(doing, "portal.read", patient)
        return answer([_link(doing, row) for row in portal.links(doing, patient.patient_id)])

    return await services_of(request).act(caller_of(request), work)


@router.post("/patients/{patient_id}/portal", status_code=201)
async def open_portal(request: Request, patient_id: UUID, told: NewPortalUser) -> Response:
    """Let somebody see a patient; where their account is new, the code they are invited by is answered once."""

    def work(doing: Act) -> Response:
        patient = patient_for(request, doing, patient_id, "patient.write")
        row, code = portal.open_portal(doing, patient, told)
        return answer(_link(doing, row) | {"code": code}, status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.post("/portal/{link_id}/invite", status_code=201)
async def invite(request: Request, link_id: UUID) -> Response:
    """Answer another code by which the holder of an account chooses a password; those before it end."""

    def work(doing: Act) -> Response:
        row = get_row(doing.session, PortalLink, link_id, "account of the portal")
        patient = patient_for(request, doing, row.patient_id, "patient.write")
        return answer({"code": portal.invite(doing, row, patient)}, status=201)

    return await services_of(request).act(caller_of(request), work)


@router.post("/portal/{link_id}/end", status_code=204)
async def close_portal(request: Request, link_id: UUID) -> Response:
    """Let somebody see a patient no more."""

    def work(doing: Act) -> Response:
        row = get_row(doing.session, PortalLink, link_id, "account of the portal")
        patient = patient_for(request, doing, row.patient_id, "patient.write")
        portal.close_portal(doing, row, patient)
        return Response(status_code=204)

    return await services_of(request).act(caller_of(request), work)


def _link(doing: Act, row: PortalLink) -> Json:
    return as_json(row) | {"name": get_row(doing.session, PrincipalRow, row.principal_id, "account").name}
