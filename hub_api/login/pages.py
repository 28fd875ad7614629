"""The pages a person sees before and after coming in."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

from hub_api.security.origin import dashboards_origin, safe_destination

if TYPE_CHECKING:
    from starlette.requests import Request

    from hub_core.principals import Principal
    from hub_core.settings import Settings

FOLDER: Final = Path(__file__).parent.parent

NAMES_ITSELF: Final = {"Referrer-Policy": "same-origin"}
"""Under `no-referrer` browsers send a page's forms with `Origin: null`, which is how a foreign page looks."""


def login_page(
    request: Request,
    settings: Settings,
    *,
    wanted: str | None,
    status: int = 200,
    problem: str = "",
    must_change: bool = False,
    name: str = "",
) -> HTMLResponse:
    """Return the log-in form, which leads on to `wanted` where that is an address of ours.

    Args:
        request: what is answered.
        settings: of the installation.
        wanted: where somebody wanted to go.
        status: the HTTP status.
        problem: what went wrong before.
        must_change: whether a new password is asked for too.
        name: who tries, where that is known.
    """
    destination = safe_destination(wanted, request, settings)
    text = (
        templates()
        .get_template("login.html")
        .render(
            destination=destination,
            problem=problem,
            must_change=must_change,
            name=name,
            is_known_outside=settings.oidc_issuer is not None,
        )
    )
    # Browsers hold a form's redirects to the same rule as the form, and the dashboards are another origin.
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none';"
        f" form-action 'self' {dashboards_origin(request, settings)}"
    )
    return HTMLResponse(text, status, {"Content-Security-Policy": policy, **NAMES_ITSELF})


def home_page(request: Request, settings: Settings, principal: Principal) -> HTMLResponse:
    """Return the page that leads to everything else."""
    text = (
        templates()
        .get_template("home.html")
        .render(name=principal.name, dashboards=dashboards_origin(request, settings))
    )
    return HTMLResponse(text, headers=NAMES_ITSELF)


@cache
def templates() -> Environment:
    """Return the templates, read once."""
    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
