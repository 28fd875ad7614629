"""The guard before every route: who asks is known, may go there, and a refusal is on record before it is spoken.

It stands in two places. Before the router it finds out who the caller is and what they may do (`Guard`), so that
strangers do not even learn which addresses there are. At each route it holds that against the route's rule (`guarded`),
so that the rule is that of the route which answers, never of one that looks like it.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import TYPE_CHECKING, Any, Final, cast

from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route

from ehr_pm.users.repository import access_of
from hub_api.fhir.outcome import refusal
from hub_api.login.pages import login_page
from hub_api.security.caller import Caller, Credentials, caller_of, credentials_of, place_of, purpose_of
from hub_api.security.origin import is_foreign
from hub_api.security.permission import RefusedError, record_refusal
from hub_api.security.policy import (
    READING,
    Rule,
    action_to_write,
    actions_to_ask_for,
    is_for_portals,
    is_public,
    rule_for,
)
from hub_api.services import Services, services_of
from hub_core.access import Access, Action, Decision, holds, is_of_portal
from hub_core.errors import AccessDeniedError

if TYPE_CHECKING:
    import psycopg
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from hub_core.principals import Principal

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """ASGI middleware that lets a request through with its caller, or answers it with 401 or 403."""

    def __init__(self, app: ASGIApp) -> None:
        """Guard `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Decide, then pass on or refuse."""
        if scope["type"] == "websocket":  # nothing here speaks it
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http" or is_public(scope["path"]):
            await self._app(scope, receive, send)
        else:
            request = Request(scope)
            answer = await _admit(request)
            await (answer or self._app)(scope, receive, send)


async def _admit(request: Request) -> Response | None:
    """Note the caller on the request and return None, or return the refusal."""
    services = services_of(request)
    credentials = credentials_of(request)
    known = await _authenticate(services, credentials)
    if known is not None and credentials is not None:
        principal, access = known
        place = place_of(request, access)
        request.state.caller = Caller(principal, credentials.way, purpose_of(request), access, place)
        if _is_forged(request, services, credentials):
            return await _refuse(request, 403, "the page that sent this is not one of ours")
        return None
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        await record_refusal(request, 401)
        return login_page(request, services.settings, wanted=request.url.path, status=401)
    return await _refuse(request, 401, "log in, or send a valid bearer token")


async def _authenticate(services: Services, credentials: Credentials | None) -> tuple[Principal, Access] | None:
    """Return who brings the credentials and what they may do, both read at this moment."""
    if credentials is None:
        return None
    limits = services.session_limits

    def look(connection: psycopg.Connection[Any]) -> tuple[Principal, Access] | None:
        principal = credentials.authenticate(connection, limits)
        return None if principal is None else (principal, access_of(connection, principal))

    return await services.read(look)


def _is_forged(request: Request, services: Services, credentials: Credentials) -> bool:
    """Return whether a foreign page made a browser send this with the user's cookie."""
    is_reading = request.method in _SAFE_METHODS
    return credentials.way == "session" and not is_reading and is_foreign(request, services.settings)


async def _refuse(request: Request, status: int, text: str) -> Response:
    await record_refusal(request, status)
    headers = {"WWW-Authenticate": 'Bearer realm="wholechart"'} if status == 401 else {}
    return refusal(status, text, headers=headers)


def guarded(routes: Iterable[BaseRoute], prefix: str = "") -> list[BaseRoute]:
    """Return copies of routes that answer only to whom the policy lets in."""
    return [_guarded(route, prefix) for route in routes]


def _guarded(route: BaseRoute, prefix: str) -> BaseRoute:
    guarded_route = copy(route)
    if isinstance(guarded_route, Mount) and guarded_route.routes:
        return Mount(guarded_route.path, routes=guarded(guarded_route.routes, prefix + guarded_route.path))
    if isinstance(guarded_route, Mount):
        guarded_route.app = _Door(guarded_route.app, f"{prefix}{guarded_route.path}/{{path}}")
    elif isinstance(guarded_route, Route):
        guarded_route.app = _Door(guarded_route.app, prefix + guarded_route.path)
    else:  # a kind of route whose rule cannot be looked up is nobody's
        return Mount("/closed", routes=[])
    return guarded_route


class _Door:
    """A route's application behind its rule."""

    def __init__(self, app: ASGIApp, template: str) -> None:
        self._app = app
        self._template = template

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on whom the rule lets in.

        Raises:
            AccessDeniedError: if the route has no rule, or the caller may nowhere do what it needs.
        """
        rule = rule_for(scope["method"], self._template)
        if rule is None:
            raise AccessDeniedError("this address has no rule in the policy, so nobody may use it")
        if rule != "public":
            access = caller_of(Request(scope)).access
            if is_of_portal(access) and not is_for_portals(scope["method"], self._template):
                raise AccessDeniedError("this is for those who work here")
            _check(access, rule, scope)
        await self._app(scope, receive, send)


def _check(access: Access, rule: Rule, scope: Scope) -> None:
    if rule == "authenticated":
        return
    needed = _needed(rule, scope["path_params"].get("resource_type", ""))
    if not any(holds(access, cast(Action, action)) for action in needed):
        raise RefusedError(Decision(False, "no role of yours allows this"), cast(Action, needed[0]))


def _needed(rule: Rule, resource_type: str) -> tuple[str, ...]:
    if rule == "by written type":
        return (action_to_write(resource_type) or "chart.write",)
    if rule == "by any type":
        return READING
    return actions_to_ask_for(resource_type) if rule == "by resource type" else (rule,)
