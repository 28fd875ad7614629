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
MOST_ISSUES = 20
"""Issues told at once: the first ones show a sender what is wrong."""

_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    410: "deleted",
    412: "conflict",
    413: "too-long",
    415: "not-supported",
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


class OutcomeError(WholechartError):
    """What was sent cannot be done, and each reason has its place.

    Args:
        status: HTTP status.
        text: what is wrong, in words a sender understands.
        code: FHIR issue type; that of the status, if none is given.
        expression: the element that is at fault.
    """

    def __init__(self, status: int, text: str, *, code: str | None = None, expression: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.issues = [issue("error", code or _CODES.get(status, "processing"), text, expression)]

    @classmethod
    def of(cls, status: int, issues: list[Json]) -> OutcomeError:
        """Return an error of several reasons."""
        error = cls(status, f"{len(issues)} things are wrong")
        error.issues = issues[:MOST_ISSUES]
        return error

    def within(self, place: str) -> OutcomeError:
        """Return the same error as one of an entry of a Bundle."""
        return OutcomeError.of(self.status, [_moved(each, place) for each in self.issues])


def _moved(told: Json, place: str) -> Json:
    resource_type, dot, element = told.get("expression", [""])[0].partition(".")
    inside = f"{place}.resource{dot}{element}" if resource_type else place
    return {**told, "expression": [inside]}


def outcome_of(error: WholechartError) -> tuple[int, Json]:
    """Return the status and the OperationOutcome that tell of an error raised on purpose."""
    if isinstance(error, OutcomeError):
        return error.status, outcome(*error.issues)
    status = status_of(error)
    code = error.code if isinstance(error, UnreadableError) else _CODES.get(status, "processing")
    return status, outcome(issue("error", code, str(error)))


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
