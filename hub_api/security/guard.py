"""The guard before every route: who asks is known, may go there, and a refusal is on record before it is spoken."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request

from hub_api.fhir.outcome import refusal
from hub_api.login.pages import login_page
from hub_api.security.caller import Caller, Credentials, address_of, credentials_of, purpose_of
from hub_api.security.origin import is_foreign
from hub_api.security.policy import decide, rule_for
from hub_api.services import Services, services_of
from hub_core.audit import AuditEvent
from hub_core.fhir.registry import RESOURCE_TYPES

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from hub_core.principals import Principal

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_RESOURCE_PATH: Final = re.compile(r"/fhir/([A-Za-z]{1,40})(?:/([A-Za-z0-9.-]{1,64}))?(?:/.*)?")


class Guard:
    """ASGI middleware that lets a request through with its caller, or answers it with 401 or 403."""

    def __init__(self, app: ASGIApp) -> None:
        """Guard `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Decide, then pass on or refuse."""
        if scope["type"] == "websocket":  # nothing here speaks it
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http" or rule_for(scope["path"]) == "public":
            await self._app(scope, receive, send)
        else:
            request = Request(scope)
            answer = await _admit(request)
            await (answer or self._app)(scope, receive, send)


async def _admit(request: Request) -> Response | None:
    """Note the caller on the request and return None, or return the refusal."""
    services = services_of(request)
    credentials = credentials_of(request)
    principal = await _authenticate(services, credentials)
    decision = decide(principal, request.url.path)
    if decision == "allowed" and principal is not None and credentials is not None:
        if _is_forged(request, services, credentials):
            return await _refuse(services, request, principal, 403, "the page that sent this is not one of ours")
        request.state.caller = Caller(principal, credentials.way, purpose_of(request))
        return None
    if decision == "forbidden":
        return await _refuse(services, request, principal, 403, "you may not do this; ask an administrator")
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        await _record_refusal(services, request, None, 401)
        return login_page(request, services.settings, wanted=request.url.path, status=401)
    return await _refuse(services, request, None, 401, "log in, or send a valid bearer token")


async def _authenticate(services: Services, credentials: Credentials | None) -> Principal | None:
    if credentials is None:
        return None
    return await services.read(partial(credentials.authenticate, limits=services.session_limits))


def _is_forged(request: Request, services: Services, credentials: Credentials) -> bool:
    """Return whether a foreign page made a browser send this with the user's cookie."""
    is_reading = request.method in _SAFE_METHODS
    return credentials.way == "session" and not is_reading and is_foreign(request, services.settings)


async def _refuse(
    services: Services, request: Request, principal: Principal | None, status: int, text: str
) -> Response:
    await _record_refusal(services, request, principal, status)
    headers = {"WWW-Authenticate": 'Bearer realm="wholechart"'} if status == 401 else {}
    return refusal(status, text, headers=headers)


async def _record_refusal(services: Services, request: Request, principal: Principal | None, status: int) -> None:
    """Put a refusal on record; of the path, only what is known to name no person."""
    found = _RESOURCE_PATH.fullmatch(request.url.path)
    is_resource = found is not None and found[1] in RESOURCE_TYPES
    detail: dict[str, Any] = {"status": status, "method": request.method, "address": address_of(request)}
    event = AuditEvent(
        principal_id=None if principal is None else principal.principal_id,
        action="request",
        resource_type=found[1] if found is not None and is_resource else None,
        resource_id=found[2] if found is not None and is_resource else None,
        outcome="refused",
        purpose=purpose_of(request),
        detail=detail,
    )
    await asyncio.wrap_future(services.audit.write(event))
