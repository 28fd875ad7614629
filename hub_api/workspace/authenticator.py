"""Setting up a second factor: a secret for an authenticator, kept once a code of it and the password are shown."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hub_api.security.caller import address_of
from hub_api.services import services_of
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import ProblemsError, Typed, typed
from hub_api.workspace.pages import PageRoute, page
from hub_core import second_factor
from hub_core.database import driver_connection
from hub_core.errors import AccessDeniedError
from hub_core.login_attempts import forget_attempts, seconds_to_wait
from hub_core.principals import authenticate_password

router = APIRouter(route_class=PageRoute)


@router.get("/work/second-factor")
async def show_secret(request: Request) -> Response:
    """Show a new secret; it counts once a code of it has been shown."""
    return await at_desk(request, partial(_show, secret=second_factor.new_secret()))


@router.post("/work/second-factor")
async def enrol(request: Request) -> Response:
    """Ask for codes of this secret at every log-in from now on, or show why not."""
    fields = await typed(request)
    try:
        await at_desk(request, partial(_enrol, fields=fields, address=address_of(request)))
    except ProblemsError as error:
        return await at_desk(request, partial(_show, secret=fields["secret"], problems=error.problems, status=422))
    return await at_desk(request, partial(_show, secret="", is_done=True))


def _enrol(desk: Desk, *, fields: Typed, address: str) -> None:
    if desk.caller.way != "session":
        raise AccessDeniedError("only a person who is logged in does this")
    driver, caller = driver_connection(desk.session.connection()), desk.caller.principal
    if seconds_to_wait(driver, caller.name, address):
        raise ProblemsError({"password": "Too many tries; wait a while."})
    if authenticate_password(driver, caller.name, fields["password"]) is None:
        raise ProblemsError({"password": "This is not your password."})
    keyring = services_of(desk.request).keyring
    if not second_factor.enrol(driver, caller.principal_id, fields["secret"], fields["code"], keyring):
        raise ProblemsError({"code": "This is not a code of the secret; look at the clock of the authenticator."})
    forget_attempts(driver, caller.name, address)
    desk.doing.noted("second_factor.enrol", subject=str(caller.principal_id))


def _show(
    desk: Desk, *, secret: str, is_done: bool = False, problems: dict[str, str] | None = None, status: int = 200
) -> Response:
    name = desk.caller.principal.name
    return page(
        desk,
        "second_factor.html",
        status=status,
        secret=secret,
        groups=[secret[at : at + 4] for at in range(0, len(secret), 4)],
        address=second_factor.address_of(secret, name) if secret else "",
        is_done=is_done,
        problems=problems or {},
    )
