"""Programs and their tokens: several each, named, limited, ending by themselves, none beyond the program's roles."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ehr_pm.rows import get as get_row
from ehr_pm.users import programs
from ehr_pm.users.models import AccessToken, PrincipalRow
from ehr_pm.users.schemas import NewToken
from hub_api.practice.answers import answer, as_json
from hub_api.security.caller import Caller, caller_of
from hub_api.security.over import is_over, require_over
from hub_api.services import services_of
from hub_core.database import driver_connection
from hub_core.errors import AccessDeniedError, NotFoundError

if TYPE_CHECKING:
    import psycopg

    from ehr_pm.acts import Act
    from hub_core.fhir.canonical import Json

router = APIRouter(prefix="/api/practice/programs", tags=["users"])


@router.get("")
async def list_programs(request: Request) -> Response:
    """Answer the programs that work where the caller runs everything they reach, and their tokens."""
    caller = caller_of(request)

    def work(doing: Act) -> Response:
        shown = [row for row in programs.all_programs(doing.session) if is_over(caller, _driver(doing), row)]
        doing.noted("program.read", programs=str(len(shown)))
        return answer([_program(doing, row) for row in shown])

    return await services_of(request).act(caller, work)


@router.post("/{principal_id}/tokens", status_code=201)
async def issue_token(request: Request, principal_id: UUID, told: NewToken) -> Response:
    """Answer another token of a program, at the one moment it is known."""
    caller = caller_of(request)
    if caller.way != "session":
        raise AccessDeniedError("only a person who is logged in makes tokens: a token cannot make another")

    def work(doing: Act) -> Response:
        _program_for(doing, caller, principal_id)
        issued = programs.issue_token(doing, principal_id, told)
        return answer({"token_id": str(issued.token_id), "token": issued.secret}, status=201)

    return await services_of(request).act(caller, work)


@router.post("/{principal_id}/tokens/{token_id}/revoke", status_code=204)
async def revoke_token(request: Request, principal_id: UUID, token_id: UUID) -> Response:
    """End a token of a program; the next request that brings it is refused."""
    caller = caller_of(request)

    def work(doing: Act) -> Response:
        _program_for(doing, caller, principal_id)
        row = get_row(doing.session, AccessToken, token_id, "token")
        if row.principal_id != principal_id:
            raise NotFoundError("there is no such token")
        programs.revoke_token(doing, row)
        return Response(status_code=204)

    return await services_of(request).act(caller, work)


def _program_for(doing: Act, caller: Caller, principal_id: UUID) -> PrincipalRow:
    row = get_row(doing.session, PrincipalRow, principal_id, "program")
    if row.kind != "program":
        raise NotFoundError("there is no such program")
    require_over(caller, _driver(doing), principal_id)
    return row


def _program(doing: Act, row: PrincipalRow) -> Json:
    return {
        "principal_id": str(row.principal_id),
        "name": row.name,
        "is_active": row.disabled_at is None,
        "tokens": [as_json(each) for each in programs.tokens(doing.session, row.principal_id)],
    }


def _driver(doing: Act) -> psycopg.Connection[object]:
    return driver_connection(doing.session.connection())
