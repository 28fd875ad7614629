"""The answer to somebody who came in: the session's cookie, and where they wanted to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from hub_api.security.caller import SESSION_COOKIE
from hub_api.services import services_of

if TYPE_CHECKING:
    from starlette.requests import Request


def led_in(request: Request, destination: str, secret: str) -> RedirectResponse:
    """Return the answer that gives a browser its session and leads on to an address of ours."""
    answer = RedirectResponse(destination, status_code=303)
    answer.set_cookie(
        SESSION_COOKIE,
        secret,
        max_age=int(services_of(request).session_limits.absolute.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer
