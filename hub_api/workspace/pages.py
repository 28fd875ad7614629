"""How a page of the workspace is made: templates, its headers, and a page for each way it can go wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import Response

from hub_api.fhir.outcome import status_of
from hub_api.login.pages import FOLDER
from hub_api.security.caller import caller_of
from hub_api.security.permission import RefusedError, record_refusal
from hub_api.services import services_of
from hub_api.workspace import words
from hub_api.workspace.doings import DOINGS, done
from hub_core import drafts
from hub_core.access import PERMISSIONS
from hub_core.errors import AccessDeniedError, WholechartError

if TYPE_CHECKING:
    from hub_api.workspace.desk import Desk

_HEADERS: Final = {
    # Scripts are files of ours only: none in a page, none made from text.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    # Under `no-referrer` browsers send a page's forms with `Origin: null`, which is how a foreign page looks.
    "Referrer-Policy": "same-origin",
}

_TITLES: Final = {
    403: "You may not see or do this",
    404: "This is not here",
    409: "This could not be done",
}


def page(desk: Desk, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page for somebody at their desk."""
    text = templates().get_template(f"workspace/{template}").render(desk=desk, **values)
    return HTMLResponse(text, status, _HEADERS)


def led_on(address: str) -> RedirectResponse:
    """Return the answer to a form that was taken: the page to see next."""
    return RedirectResponse(address, 303)


class PageRoute(APIRoute):
    """A route that answers what goes wrong with a page, and puts refusals on record."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, which never answers a person with JSON."""
        handle = super().get_route_handler()

        async def handle_with_pages(request: Request) -> Response:
            try:
                answer = await handle(request)
                if answer.status_code == HTTPStatus.SEE_OTHER:
                    await _forget_draft(request)
                return answer
            except AccessDeniedError as error:
                await record_refusal(request, 403, error)
                return _problem(403, str(error), _missing(error), _breakable(error))
            except WholechartError as error:
                return _problem(status_of(error), str(error))
            except RequestValidationError:
                return _problem(404, "the address is not one of a page")

        return handle_with_pages


async def _forget_draft(request: Request) -> None:
    """Forget the draft of a form that was taken; only now is what was typed safe elsewhere."""
    form = getattr(request.state, "draft", "")
    if form:
        who = caller_of(request).principal.principal_id
        await services_of(request).query(lambda connection: drafts.drop(connection, who, form))


def refusal_page(error: RefusedError) -> HTMLResponse:
    """Return the page that says what somebody lacks to go on."""
    return _problem(403, str(error), _missing(error), _breakable(error))


def _problem(status: int, text: str, missing: str = "", breakable: str = "") -> HTMLResponse:
    rendered = templates().get_template("workspace/problem.html")
    title = _TITLES.get(status, "This could not be read")
    return HTMLResponse(rendered.render(title=title, text=text, missing=missing, breakable=breakable), status, _HEADERS)


def _breakable(error: AccessDeniedError) -> str:
    """Return the patient whose chart breaking the glass would open; nothing where it would not."""
    return str(error.patient_id) if isinstance(error, RefusedError) and error.is_breakable else ""


def _missing(error: AccessDeniedError) -> str:
    """Return what would be needed, in words."""
    if not isinstance(error, RefusedError):
        return ""
    able = [words.ROLES[role] for role, actions in PERMISSIONS.items() if error.action in actions]
    return f"It needs leave to {words.action(error.action)}. Roles that have it: {', '.join(able)}."


@cache
def templates() -> Environment:
    """Return the templates, read once."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"asset": _asset, "done": done, "doings": DOINGS, "words": words}
    environment.filters |= {name: getattr(words, name) for name in ("day", "clock", "said", "placed")} | {"zip": zip}
    return environment


@cache
def _asset(name: str) -> str:
    """Return the address of a style sheet or script, other after every change of it."""
    seen = hashlib.sha256((FOLDER / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={seen}"
