"""Charts opened in an emergency, looked at afterwards by somebody else; and who treats whom."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import text

from ehr_pm.acts import Act
from ehr_pm.record.scope import known_at
from ehr_pm.rows import get as get_row
from ehr_pm.users import repository, service
from ehr_pm.users.models import BrokenGlass, CareTeamMember
from ehr_pm.users.schemas import Emergency, NewCareTeamMember, Review
from hub_api.practice.answers import answer, as_json, refuse_stale
from hub_api.security.caller import caller_of
from hub_api.security.permission import require
from hub_api.services import services_of
from hub_core.access import Subject, decide
from hub_core.database import driver_connection
from hub_core.errors import AccessDeniedError, NotFoundError

router = APIRouter(prefix="/api/practice", tags=["emergencies"])

_IS_KNOWN = text("SELECT 1 FROM resource WHERE resource_type = 'Patient' AND resource_id = :patient AND NOT deleted")


@router.post("/emergencies", status_code=201)
async def break_glass(request: Request, told: Emergency) -> Response:
    """Open a patient's chart for an hour, with a reason; somebody else will look at it."""
    caller = caller_of(request)

    def work(doing: Act) -> Response:
        if doing.session.execute(_IS_KNOWN, {"patient": told.patient_id}).first() is None:
            raise NotFoundError("there is no such patient")
        row = service.break_glass(doing, told, caller.location)
        return answer(as_json(row), status=201, version=row.version)

    return await services_of(request).act(caller, work)


@router.get("/emergencies")
async def list_emergencies(request: Request) -> Response:
    """Answer the opened charts of patients known where the caller reviews, that nobody has looked at yet."""
    caller = caller_of(request)

    def work(doing: Act) -> Response:
        rows = repository.unreviewed_glass(doing.session)
        shown = [
            row for row in rows if decide(caller.access, "glass.review", _subject(doing, row.patient_id)).is_allowed
        ]
        for row in shown:
            doing.noted("glass.read", patient_id=row.patient_id, grant_id=str(row.grant_id))
        if not shown:
            doing.noted("glass.read")
        return answer([as_json(row) for row in shown])

    return await services_of(request).act(caller, work)


@router.post("/emergencies/{grant_id}/review")
async def review_glass(request: Request, grant_id: UUID, told: Review) -> Response:
    """Say whether it was right to open a chart; whoever opened it does not."""

    def work(doing: Act) -> Response:
        row = get_row(doing.session, BrokenGlass, grant_id, "opened chart")
        require(request, "glass.review", _subject(doing, row.patient_id))
        refuse_stale(request, row.version)
        service.review_glass(doing, row, told)
        return answer(as_json(row), version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.post("/care-teams", status_code=201)
async def join_care_team(request: Request, told: NewCareTeamMember) -> Response:
    """Note that a colleague treats a patient, which opens the patient's most sensitive records to them."""
    caller = caller_of(request)

    def work(doing: Act) -> Response:
        if told.principal_id == caller.principal.principal_id:
            raise AccessDeniedError("a colleague notes that somebody treats a patient, not they themselves")
        require(request, "chart.write", _subject(doing, told.patient_id))
        row = service.join_care_team(doing, told)
        return answer(as_json(row), status=201, version=row.version)

    return await services_of(request).act(caller, work)


@router.post("/care-teams/{member_id}/leave")
async def leave_care_team(request: Request, member_id: UUID) -> Response:
    """Note that somebody treats a patient no more."""

    def work(doing: Act) -> Response:
        row = get_row(doing.session, CareTeamMember, member_id, "member of a care team")
        require(request, "chart.write", _subject(doing, row.patient_id))
        refuse_stale(request, row.version)
        service.leave_care_team(doing, row)
        return answer(as_json(row), version=row.version)

    return await services_of(request).act(caller_of(request), work)


def _subject(doing: Act, patient_id: UUID) -> Subject:
    """Return a patient as what an action is about: everybody's where they are known."""
    return Subject(known_at(driver_connection(doing.session.connection()), patient_id), patient_id)
