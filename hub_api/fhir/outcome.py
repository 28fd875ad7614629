"""Refusals in FHIR's words: an OperationOutcome with the right status (R4 section 3.1.0.1.9)."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from hub_core.errors import (
    AccessDeniedError,
    ConflictError,
    DatabaseUnavailableError,
    NotFoundError,
    TooLargeError,
    UnreadableError,
    WholechartError,
)
from hub_core.fhir.canonical import Json, dumps

FHIR_JSON = "application/fhir+json"

_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    410: "deleted",
    413: "too-long",
    422: "processing",
    429: "throttled",
    500: "exception",
    503: "transient",
}
_STATUSES: tuple[tuple[type[WholechartError], int], ...] = (
    (TooLargeError, 413),
    (UnreadableError, 400),
    (NotFoundError, 404),
    (AccessDeniedError, 403),
    (ConflictError, 409),
    (DatabaseUnavailableError, 503),
)


def status_of(error: WholechartError) -> int:
    """Return the HTTP status that says what an error of ours says."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def issue(severity: str, code: str, text: str, expression: str = "") -> Json:
    """Return one issue of an OperationOutcome."""
    found: Json = {"severity": severity, "code": code, "details": {"text": text}}
    if expression:
        found["expression"] = [expression]
    return found


def outcome(*issues: Json) -> Json:
    """Return an OperationOutcome."""
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def refusal(status: int, text: str, *, code: str | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer that says why there is no other."""
    body = outcome(issue("error", code or _CODES.get(status, "processing"), text))
    return Response(dumps(body), status, dict(headers or {}), FHIR_JSON)
