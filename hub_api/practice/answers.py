"""How the practice answers programs: rows as JSON, their versions as ETags, and who may be told what."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from fastapi import HTTPException
from fastapi.responses import Response
from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import Range

from ehr_pm.patients import repository as patients
from hub_api.security.permission import require
from hub_core.access import Action, Subject
from hub_core.clock import instant
from hub_core.errors import ConflictError
from hub_core.fhir.canonical import Json, dumps

if TYPE_CHECKING:
    from starlette.requests import Request

    from ehr_pm.acts import Act
    from ehr_pm.patients.models import Patient
    from ehr_pm.rows import Row

_SIGNATURE: Final = frozenset({"created_at", "created_by", "changed_at", "changed_by"})


def answer(content: Any, *, status: int = 200, version: int | None = None) -> Response:
    """Return JSON, with the version of what it says where that has one."""
    headers = {} if version is None else {"ETag": f'"{version}"'}
    return Response(dumps(content), status, headers, "application/json")


def as_json(row: Row, *without: str) -> Json:
    """Return the columns of a row but who signed it and those left out, by their names."""
    names = (each.key for each in inspect(type(row)).column_attrs)
    kept = (name for name in names if name not in _SIGNATURE and name not in without)
    return {name.rstrip("_"): _plain(getattr(row, name)) for name in kept}


def refuse_stale(request: Request, version: int, *, is_required: bool = False) -> None:
    """Make sure that a caller who says which version they have read (If-Match) has read the last one.

    Raises:
        ConflictError: if somebody changed it since.
        HTTPException: 428, if the caller must say it and does not (RFC 6585 section 3).
    """
    told = request.headers.get("if-match")
    if told is None and is_required:
        raise HTTPException(428, "say with If-Match which version you have read")
    if told is not None and told.strip().removeprefix("W/").strip('"') != str(version):
        raise ConflictError("somebody else changed this since you read it; read it again")


def subject_of(doing: Act, patient: Patient) -> Subject:
    """Return a patient as what an action is about: theirs is what belongs to any location that knows them."""
    known = patients.known_at(doing.session, patient)
    return Subject(known, patient.patient_id, patient.sensitivity, patient.home_location.key)


def patient_for(request: Request, doing: Act, patient_id: UUID, action: Action) -> Patient:
    """Return a patient, or the one they were merged into, for an action.

    Raises:
        NotFoundError: if there is none.
        RefusedError: if the caller may not do this.
    """
    row = patients.get(doing.session, patient_id)
    require(request, action, subject_of(doing, row))
    return row


def note_read(
    doing: Act, action: str, patient: Patient, resource_type: str = "Patient", row_id: UUID | None = None
) -> None:
    """Put on record that something of a patient was read; it is durable before the answer leaves."""
    doing.noted(
        action,
        resource_type=resource_type,
        resource_id=str(row_id or patient.patient_id),
        patient_id=patient.patient_id,
        location=patient.home_location.key,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat() if value.tzinfo is None else instant(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Range):
        return {"from": _plain(value.lower), "before": _plain(value.upper)}
    return [_plain(each) for each in value] if isinstance(value, list) else value
