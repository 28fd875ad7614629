"""What is answered to who wrote: where it is, in which version, and as much of it as they want (R4 section 3.1.0.1)."""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast, get_args

from starlette.responses import Response

from hub_api.fhir.exchange import fhir_response
from hub_api.fhir.outcome import FHIR_JSON, issue, outcome
from hub_core.fhir.canonical import Json, dumps

if TYPE_CHECKING:
    from starlette.requests import Request

    from ehr_pm.record.queries import Found
    from hub_api.fhir.wishes import Done

Return: TypeAlias = Literal["minimal", "representation", "OperationOutcome"]

_STATUSES: Final = {"created": 201, "deleted": 204}
_TOLD: Final = {
    "created": "created",
    "updated": "updated",
    "deleted": "deleted",
    "unchanged": "nothing changed",
}


def wanted_return(request: Request, otherwise: Return) -> Return:
    """Return how much of what was written the caller wants back (`Prefer: return=...`)."""
    for part in request.headers.get("prefer", "").replace(",", ";").split(";"):
        name, _, value = part.strip().partition("=")
        if name == "return" and value in get_args(Return):
            return cast(Return, value)
    return otherwise


def status_of(done: Done) -> int:
    """Return the status that says what became of a wish."""
    return 204 if done.wish.resource is None else _STATUSES.get(done.verdict, 200)


def headers_of(base: str, found: Found) -> dict[str, str]:
    """Return where a version is, and which it is."""
    return {
        "Location": version_address(base, found),
        "ETag": f'W/"{found.version}"',
        "Last-Modified": format_datetime(found.recorded_at, usegmt=True),
    }


def version_address(base: str, found: Found) -> str:
    """Return the address of a version."""
    return f"{base}/{found.resource_type}/{found.resource_id}/_history/{found.version}"


def told(done: Done) -> Json:
    """Return an OperationOutcome of what was done."""
    return outcome(issue("information", "informational", _TOLD.get(done.verdict, done.verdict)))


def answer(request: Request, base: str, done: Done) -> Response:
    """Return the answer to one writing interaction."""
    status, found = status_of(done), done.found
    headers = {} if found is None else headers_of(base, found)
    if status == 204:
        headers.pop("Location", None)
    match wanted_return(request, "representation"):
        case "OperationOutcome":
            return Response(dumps(told(done)), 200 if status == 204 else status, headers, FHIR_JSON)
        case "representation" if found is not None and status != 204:
            shown = fhir_response(found.body.encode(), headers)
            shown.status_code = status
            return shown
    return Response(None, status, headers)
