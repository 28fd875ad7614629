"""The first time: somebody invited to the portal chooses a password with the code they were given, and is in."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from hub_api.login.pages import NAMES_ITSELF, templates
from hub_api.login.session import led_in
from hub_api.security.caller import address_of
from hub_api.security.origin import is_foreign
from hub_api.services import services_of
from hub_core.audit import AuditEvent, record
from hub_core.invitations import redeem
from hub_core.login_attempts import forget_attempts, seconds_to_wait
from hub_core.principals import open_session, reason_against, set_password

if TYPE_CHECKING:
    import psycopg

router = APIRouter(include_in_schema=False)

_WRONG: Final = "Name and code do not match, or the code was used or is too old. Ask the practice for another."


@router.get("/welcome")
async def show_welcome() -> HTMLResponse:
    """Show the form."""
    return _page()


@router.post("/welcome")
async def take_up(
    request: Request,
    name: str = Form(max_length=200),
    code: str = Form(max_length=100),
    password: str = Form(max_length=2000),
    again: str = Form(max_length=2000),
) -> Response:
    """Keep the password of whoever brings a right code, open a session, and lead to what they may see."""
    services, address = services_of(request), address_of(request)
    if is_foreign(request, services.settings):
        return _page(403, "Please fill in the form on this page.")
    wrong = reason_against(name, code, password) or ("The two passwords differ." if password != again else None)
    if wrong:
        return _page(400, wrong, name)
    wait = await services.query(lambda connection: seconds_to_wait(connection, name, address))
    if wait:
        event = AuditEvent(None, "portal.enter", outcome="refused", detail={"address": address, "by": "throttled"})
        await asyncio.wrap_future(services.audit.write(event))
        page = _page(429, "Too many tries. Please wait a while.", name)
        page.headers["Retry-After"] = str(wait)
        return page
    secret = await services.check_password(partial(_enter, name=name, code=code, password=password, address=address))
    return _page(401, _WRONG, name) if secret is None else led_in(request, "/my", secret)


def _enter(connection: psycopg.Connection[Any], *, name: str, code: str, password: str, address: str) -> str | None:
    """Return the secret of a new session, its audit event in the same transaction, or None for a wrong code."""
    principal = redeem(connection, name, code)
    outcome = AuditEvent(
        None if principal is None else principal.principal_id,
        "portal.enter",
        outcome="refused" if principal is None else "success",
        detail={"address": address, "by": "code"},
    )
    record(connection, outcome)
    if principal is None:
        return None
    set_password(connection, principal.name, password)
    forget_attempts(connection, name, address)
    return open_session(connection, principal)


def _page(status: int = 200, problem: str = "", name: str = "") -> HTMLResponse:
    text = templates().get_template("welcome.html").render(problem=problem, name=name)
    return HTMLResponse(text, status, NAMES_ITSELF)
