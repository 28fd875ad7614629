"""The outermost boundary of a request: its body has a limit, and no error shows or logs what was in it."""

from __future__ import annotations

import logging
import re
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastapi import HTTPException
from starlette.datastructures import Headers

from hub_api.fhir.outcome import refusal
from hub_core.group_commit import is_lost_database

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)

FORM_BYTES: Final = 256 * 1024
"""Largest body of anything that is neither a message nor FHIR: log-ins, searches."""
IMAGE_BYTES: Final = 5 * 1024 * 1024 + 1024
"""Largest image of an insurance card; one a little larger is told so by who keeps it."""
FHIR_BYTES: Final = 16 * 1024 * 1024
"""Largest resource or Bundle written by FHIR; what is larger is a message, and has the ingest's way."""
INGEST_PATH: Final = "/ingest/"
_CARD_PATH: Final = re.compile(r"(/api/practice|/work)/coverages/[0-9a-f-]{36}/cards/(front|back)")

_FHIR_PATH: Final = re.compile(r"/fhir(/|/[A-Za-z]+(/[A-Za-z0-9.-]+)?)?")


class Boundary:
    """ASGI middleware that limits bodies and turns an unforeseen error into an answer of one line."""

    def __init__(self, app: ASGIApp, *, message_bytes: int) -> None:
        """Guard `app`; a message may have `message_bytes`."""
        self._app = app
        self._message_bytes = message_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with a limited body, and answer what went wrong."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_at(scope["path"])
        has_started = False

        async def watched_send(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            _refuse_announced(scope, limit)
            await self._app(scope, _limited(receive, limit), watched_send)
        except HTTPException as error:
            if not has_started:
                await refusal(error.status_code, error.detail)(scope, receive, send)
        except Exception as error:
            _log.error("%s at %s", type(error).__name__, _place(error))
            if not has_started:
                await _explain(error)(scope, receive, send)

    def _limit_at(self, path: str) -> int:
        if path.startswith(INGEST_PATH):
            return self._message_bytes
        if _FHIR_PATH.fullmatch(path):
            return FHIR_BYTES
        return IMAGE_BYTES if _CARD_PATH.fullmatch(path) else FORM_BYTES


def _explain(error: Exception) -> Response:
    if is_lost_database(error):
        return refusal(503, "the database does not answer; try again", headers={"Retry-After": "2"})
    return refusal(500, "something went wrong here; the log says where")


def _refuse_announced(scope: Scope, limit: int) -> None:
    """Refuse a body that says of itself that it is too large, before any of it is read."""
    length = Headers(scope=scope).get("content-length", "0")
    if length.isdigit() and int(length[:20]) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"the body is larger than {limit:,} bytes")


def _limited(receive: Receive, limit: int) -> Receive:
    """Return a receiver that stops reading once a body is too large."""
    taken = 0

    async def limited_receive() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise _too_large(limit)
        return message

    return limited_receive


def _place(error: Exception) -> str:
    """Return where an error was raised, as file and line, innermost last."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
