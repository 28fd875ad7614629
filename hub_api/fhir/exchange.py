"""What every FHIR interaction does alike: check what is asked for, put the reading on record, answer in FHIR JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import Response

from ehr_pm.record.scope import subject_of
from hub_api.fhir.outcome import FHIR_JSON
from hub_api.security.caller import Caller, caller_of
from hub_api.security.permission import require_any
from hub_api.security.policy import actions_for
from hub_api.services import services_of
from hub_core.access import decide
from hub_core.audit import AuditEvent
from hub_core.errors import NotFoundError, UnreadableError
from hub_core.fhir.registry import RESOURCE_TYPES
from hub_core.fhir.releases import is_ours

if TYPE_CHECKING:
    import psycopg
    from starlette.requests import Request

    from ehr_pm.record.queries import Found
    from ehr_pm.record.scope import Placed
    from hub_api.fhir.bundles import Shown
    from hub_core.settings import Settings

_JSON_TYPES: Final = frozenset(
    {"application/fhir+json", "application/json", "application/json+fhir", "application/*", "text/json", "json", "*/*"}
)


def base_of(request: Request, settings: Settings) -> str:
    """Return the address of the FHIR server, as the caller reaches it."""
    root = settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
    return f"{root.rstrip('/')}/fhir"


def require_json(request: Request) -> None:
    """Refuse a request that wants another format than JSON, or another release than R4.

    Raises:
        HTTPException: 406.
    """
    wanted = request.query_params.get("_format") or request.headers.get("accept") or "*/*"
    parts = wanted.replace(" json", "+json").split(",")
    if not any(part.partition(";")[0].strip().lower() in _JSON_TYPES and is_ours(part) for part in parts):
        raise HTTPException(406, "answers come as application/fhir+json of FHIR 4.0 only")


def type_of(request: Request) -> str:
    """Return the resource type in the address.

    Raises:
        NotFoundError: if R4 has no such type.
    """
    name: str = request.path_params["resource_type"]
    if name not in RESOURCE_TYPES:
        raise NotFoundError("FHIR R4 has no such resource type")
    return name


def id_of(request: Request) -> UUID:
    """Return the resource id in the address.

    Raises:
        NotFoundError: if it cannot be one of ours: all of them are UUIDs.
    """
    try:
        return UUID(request.path_params["resource_id"])
    except ValueError as error:
        raise NotFoundError("no such resource") from error


def is_strict(request: Request) -> bool:
    """Return whether the caller wants to be refused rather than misunderstood (R4 section 3.1.1.4.8)."""
    return "handling=strict" in request.headers.get("prefer", "").replace(" ", "")


async def put_on_record(
    request: Request,
    action: str,
    resource_type: str | None,
    shown: Iterable[Shown],
    *,
    resource_id: UUID | str | None = None,
) -> None:
    """Return once it is durable who was shown what: one event per patient, or one for no patient.

    Args:
        request: who asked.
        action: for what.
        resource_type: of which type; None for any.
        shown: what they were shown.
        resource_id: of which resource, where one was asked for.
    """
    services, caller = services_of(request), caller_of(request)
    by_patient: dict[UUID | None, list[Shown]] = {}
    for found in shown:
        by_patient.setdefault(found.patient_id, []).append(found)
    events = [
        AuditEvent(
            principal_id=caller.principal.principal_id,
            action=action,
            resource_type=resource_type or _only_type(resources),
            resource_id=str(resource_id) if resource_id else _only_id(resources),
            patient_id=patient_id,
            purpose=caller.purpose,
            location=resources[0].location if resources else None,
            detail={"resources": len(resources)},
        )
        for patient_id, resources in (by_patient or {None: []}).items()
    ]
    await asyncio.wrap_future(services.audit.write(*events))


def permitted(connection: psycopg.Connection[Any], caller: Caller, found: Iterable[Placed]) -> None:
    """Return if a caller may read versions of a resource.

    Raises:
        RefusedError: if not.
    """
    asked: set[tuple[UUID | None, str | None]] = set()
    for each in found:
        about = (each.patient_id, each.sensitivity)
        if about not in asked:
            asked.add(about)
            subject = subject_of(connection, caller.access, each)
            require_any(caller, actions_for(each.resource_type), subject)


def closed_versions(connection: psycopg.Connection[Any], caller: Caller, found: list[Found]) -> set[int]:
    """Return the versions of a resource that were more sensitive than it is now, where the caller may not read them."""
    open_kinds: dict[tuple[UUID | None, str | None], bool] = {}
    for each in found:
        about = (each.patient_id, each.sensitivity)
        if about not in open_kinds:
            subject = subject_of(connection, caller.access, each)
            actions = actions_for(each.resource_type)
            open_kinds[about] = any(decide(caller.access, action, subject).is_allowed for action in actions)
    return {each.version for each in found if not open_kinds[each.patient_id, each.sensitivity]}


def _only_type(resources: list[Shown]) -> str | None:
    return resources[0].resource_type if len(resources) == 1 else None


def _only_id(resources: list[Shown]) -> str | None:
    return str(resources[0].resource_id) if len(resources) == 1 else None


def fhir_response(body: bytes, headers: dict[str, str] | None = None) -> Response:
    """Return an answer of FHIR JSON."""
    return Response(body, headers=headers, media_type=FHIR_JSON)


def as_number(text: str, location: str) -> int:
    """Return a whole number a caller wrote.

    Raises:
        UnreadableError: if it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise UnreadableError("a whole number was expected", location=location, code="value")
    return int(text)
