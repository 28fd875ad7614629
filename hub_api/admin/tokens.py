"""Tokens for programs: made by a person who is logged in, shown once, revoked with effect on the next request."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from hub_api.security.caller import caller_of
from hub_api.security.over import owner_of, require_over
from hub_api.services import services_of
from hub_core.audit import AuditEvent, record
from hub_core.errors import AccessDeniedError
from hub_core.principals import IssuedToken, issue_token, revoke_token

if TYPE_CHECKING:
    import psycopg

router = APIRouter(prefix="/api/tokens", tags=["administration"])


class TokenRequest(BaseModel):
    """Which program the token is for."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    is_administrator: bool = False
    days: int = Field(default=365, ge=1, le=3650, description="Days until it ends by itself.")


@router.post("", status_code=201)
async def issue(request: Request, wanted: TokenRequest) -> JSONResponse:
    """Make a token and answer it; nobody can read it again."""
    caller = caller_of(request)
    if caller.way != "session":
        raise AccessDeniedError("only a person who is logged in makes tokens: a token cannot make another")
    if wanted.is_administrator and not caller.principal.is_administrator:
        raise AccessDeniedError("only an administrator of the installation makes tokens that are one")

    def run(connection: psycopg.Connection[Any]) -> IssuedToken:
        issued = issue_token(
            connection,
            wanted.name,
            is_administrator=wanted.is_administrator,
            issued_by=caller.principal,
            lifetime=timedelta(days=wanted.days),
        )
        detail = {"token_id": str(issued.token_id), "program": str(issued.principal_id)}
        record(connection, AuditEvent(caller.principal.principal_id, "token.issue", detail=detail))
        return issued

    issued = await services_of(request).query(run)
    return JSONResponse(
        {"token_id": str(issued.token_id), "principal_id": str(issued.principal_id), "token": issued.secret}, 201
    )


@router.delete("/{token_id}", status_code=204)
async def revoke(request: Request, token_id: UUID) -> Response:
    """End a token."""
    caller = caller_of(request)

    def run(connection: psycopg.Connection[Any]) -> None:
        require_over(caller, connection, owner_of(connection, token_id))
        revoke_token(connection, token_id)
        detail = {"token_id": str(token_id)}
        record(connection, AuditEvent(caller.principal.principal_id, "token.revoke", detail=detail))

    await services_of(request).query(run)
    return Response(status_code=204)
