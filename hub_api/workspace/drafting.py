"""Keeping half-written forms for whoever writes them, and giving them back after a reload or a new log-in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response

from hub_api.security.caller import caller_of
from hub_api.services import services_of
from hub_api.workspace.pages import PageRoute
from hub_core import drafts
from hub_core.drafts import Said

router = APIRouter(route_class=PageRoute)

Form = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,99}$")]


@router.get("/work/drafts/{form}")
async def give_back(request: Request, form: Form) -> Response:
    """Answer what the caller had typed into a form; 204 when there is nothing."""
    services, who = services_of(request), caller_of(request).principal.principal_id
    said = await services.query(lambda connection: drafts.read(connection, who, form, services.keyring))
    return Response(status_code=204) if said is None else JSONResponse(said)


@router.put("/work/drafts/{form}")
async def keep(request: Request, form: Form, said: Said) -> Response:
    """Keep what the caller has typed into a form so far."""
    services, who = services_of(request), caller_of(request).principal.principal_id
    await services.query(lambda connection: drafts.keep(connection, who, form, said, services.keyring))
    return Response(status_code=204)


@router.delete("/work/drafts/{form}")
async def forget(request: Request, form: Form) -> Response:
    """Forget what the caller has typed into a form."""
    services, who = services_of(request), caller_of(request).principal.principal_id
    await services.query(lambda connection: drafts.drop(connection, who, form))
    return Response(status_code=204)
