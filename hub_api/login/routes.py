"""Coming in and going out: the log-in form, the session it opens, and its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from hub_api.login.pages import FOLDER, home_page, login_page
from hub_api.login.session import led_in
from hub_api.security.caller import SESSION_COOKIE, address_of, caller_of
from hub_api.security.origin import is_foreign, safe_destination
from hub_api.services import services_of
from hub_core.access import ACTIONS, holds, is_of_portal, scope_of
from hub_core.audit import AuditEvent, Outcome, record
from hub_core.login_attempts import forget_attempts, seconds_to_wait
from hub_core.principals import (
    Principal,
    authenticate_password,
    close_session,
    must_change_password,
    open_session,
    reason_against,
    set_password,
)
from hub_core.second_factor import is_shown

if TYPE_CHECKING:
    import psycopg

    from hub_core.keyring import Keyring

router = APIRouter(include_in_schema=False)

_ASSETS: Final = {
    "hub.css": "text/css",
    "mark.svg": "image/svg+xml",
    "workspace.css": "text/css",
    "calendar.css": "text/css",
    "workspace.js": "text/javascript",
    "htmx.min.js": "text/javascript",
}
_KEPT: Final = {"Cache-Control": "public, max-age=3600"}
"""Unlike everything else, these say nothing about anybody; pages name them by what is in them."""


@router.get("/login")
async def show_login(request: Request, next: str | None = None) -> HTMLResponse:
    """Show the log-in form."""
    return login_page(request, services_of(request).settings, wanted=next)


@router.post("/login")
async def log_in(
    request: Request,
    name: str = Form(max_length=200),
    password: str = Form(max_length=1024),
    code: str = Form(default="", max_length=20),
    new_password: str = Form(default="", max_length=2000),
    next: str = Form(default="/", max_length=2000),
) -> Response:
    """Open a session for a right name and password, and a code where one is needed, and lead on."""
    services = services_of(request)
    if is_foreign(request, services.settings):
        return login_page(request, services.settings, wanted=None, status=403, problem="Please log in on this page.")
    address = address_of(request)
    wait = await services.query(lambda connection: seconds_to_wait(connection, name, address))
    if wait:
        await asyncio.wrap_future(services.audit.write(_login_event(None, address, "throttled")))
        page = login_page(
            request, services.settings, wanted=next, status=429, problem="Too many tries. Please wait a while."
        )
        page.headers["Retry-After"] = str(wait)
        return page
    attempt = _Attempt(name, password, code, new_password, address)
    opened = await services.check_password(partial(_open, attempt=attempt, keyring=services.keyring))
    if opened.secret is None:
        return login_page(
            request,
            services.settings,
            wanted=next,
            status=400 if opened.must_change else 401,
            problem=opened.problem,
            must_change=opened.must_change,
            name=name if opened.must_change else "",
        )
    return led_in(request, safe_destination(next, request, services.settings), opened.secret)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What somebody brings who wants to come in."""

    name: str
    password: str
    code: str
    new_password: str
    address: str


@dataclass(frozen=True, slots=True)
class _Opened:
    """The secret of a new session, or why there is none."""

    secret: str | None = None
    problem: str = ""
    must_change: bool = False


_WRONG: Final = _Opened(problem="Name, password and code do not match.")
"""One answer to everything wrong, so that a guess learns nothing."""


def _open(connection: psycopg.Connection[Any], *, attempt: _Attempt, keyring: Keyring) -> _Opened:
    """Return a new session, its audit event in the same transaction, or what is missing for one."""
    principal = authenticate_password(connection, attempt.name, attempt.password)
    if principal is None:
        record(connection, _login_event(None, attempt.address, "password"))
        return _WRONG
    must_change = must_change_password(connection, principal)
    if must_change and not attempt.new_password:
        record(connection, _login_event(principal, attempt.address, "first password", "refused"))
        return _Opened(problem="Please choose a password of your own.", must_change=True)
    reason = reason_against(principal.name, attempt.password, attempt.new_password) if attempt.new_password else None
    if reason is not None:
        record(connection, _login_event(principal, attempt.address, "new password", "refused"))
        return _Opened(problem=reason, must_change=True)
    if not is_shown(connection, principal.principal_id, attempt.code, keyring):
        record(connection, _login_event(principal, attempt.address, "code", "refused"))
        return _Opened(problem=_WRONG.problem, must_change=must_change)
    if attempt.new_password:
        set_password(connection, principal.name, attempt.new_password)
        record(connection, AuditEvent(principal.principal_id, "password.change", detail={"address": attempt.address}))
    record(connection, _login_event(principal, attempt.address, "password"))
    forget_attempts(connection, attempt.name, attempt.address)
    return _Opened(open_session(connection, principal))


def _login_event(principal: Principal | None, address: str, reason: str, outcome: Outcome | None = None) -> AuditEvent:
    return AuditEvent(
        principal_id=None if principal is None else principal.principal_id,
        action="session.open",
        outcome=outcome or ("refused" if principal is None else "success"),
        detail={"address": address, "by": reason},
    )


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """End the session, if there is one, and show the log-in form."""
    services = services_of(request)
    principal = caller_of(request).principal
    secret = request.cookies.get(SESSION_COOKIE, "")

    def close(connection: psycopg.Connection[Any]) -> None:
        close_session(connection, secret)
        record(connection, AuditEvent(principal.principal_id, "session.close"))

    await services.query(close)
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(SESSION_COOKIE)
    return answer


@router.get("/")
async def show_home(request: Request) -> Response:
    """Show the way to everything; who sees a record in the portal is led to it."""
    if is_of_portal(caller_of(request).access):
        return RedirectResponse("/my", 303)
    return home_page(request, services_of(request).settings, caller_of(request).principal)


@router.get("/api/session")
async def show_session(request: Request) -> JSONResponse:
    """Say who the caller is and what they may do; the dashboards ask this before they show anything."""
    caller = caller_of(request)
    principal, access = caller.principal, caller.access
    reports = scope_of(access, "report.read").locations
    return JSONResponse(
        {
            "principal_id": str(principal.principal_id),
            "name": principal.name,
            "kind": principal.kind,
            "is_administrator": principal.is_administrator,
            "roles": [
                {"role": grant.role, "locations": None if grant.locations is None else sorted(grant.locations)}
                for grant in access.grants
            ],
            "actions": [] if is_of_portal(access) else [action for action in ACTIONS if holds(access, action)],
            "report_locations": None if reports is None else sorted(reports),
        }
    )


@router.get("/static/{name}")
async def show_asset(name: str) -> Response:
    """Return a style sheet, a script or the mark; there are no others."""
    if name not in _ASSETS:
        return Response(status_code=404)
    return Response((FOLDER / "static" / name).read_bytes(), media_type=_ASSETS[name], headers=_KEPT)


@router.get("/favicon.ico")
async def show_icon() -> Response:
    """Return the mark where browsers look for an icon by themselves."""
    return await show_asset("mark.svg")
