"""Asking the one decision on behalf of a request, and putting a refusal on record before it is spoken."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from hub_api.security.caller import Caller, address_of, caller_of, purpose_of
from hub_api.services import services_of
from hub_core.access import NOTHING, Action, Decision, Scope, Subject, decide, scope_of, visible_locations
from hub_core.audit import AuditEvent
from hub_core.errors import AccessDeniedError
from hub_core.fhir.registry import RESOURCE_TYPES

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection, Request

_RESOURCE_PATH: Final = re.compile(r"/fhir/([A-Za-z]{1,40})(?:/([A-Za-z0-9.-]{1,64}))?(?:/.*)?")


class RefusedError(AccessDeniedError):
    """The decision was no.

    Args:
        decision: the decision.
        action: what was wanted.
        patient_id: of whom.
    """

    def __init__(self, decision: Decision, action: Action, patient_id: UUID | None = None) -> None:
        super().__init__(decision.reason)
        self.action = action
        self.patient_id = patient_id
        self.is_breakable = decision.is_breakable


def require(request: HTTPConnection, action: Action, subject: Subject = NOTHING) -> None:
    """Return if the caller may do something; in a thread or on the loop.

    Raises:
        RefusedError: if not; its answer is a 403, and audited with the patient.
    """
    require_any(caller_of(request), (action,), subject)


def require_any(caller: Caller, actions: Sequence[Action], subject: Subject) -> None:
    """Return if a caller may do one of several things, each of which would do.

    Raises:
        RefusedError: if none; it says of the last that could be had by breaking the glass, or else of the first.
    """
    decisions = [(decide(caller.access, action, subject), action) for action in actions]
    if not any(decision.is_allowed for decision, _ in decisions):
        told = next((each for each in reversed(decisions) if each[0].is_breakable), decisions[0])
        raise RefusedError(*told, subject.patient_id)


def visible(request: HTTPConnection, action: Action) -> frozenset[str] | None:
    """Return the keys of the locations whose data a list may show the caller; None is all of them."""
    return visible_locations(caller_of(request).access, action)


def scope(request: HTTPConnection, *actions: Action) -> Scope:
    """Return what of the record a list may show the caller, who needs one of these actions."""
    return scope_of(caller_of(request).access, *actions)


def _patient_named(request: Request) -> UUID | None:
    """Return the patient that the address of a route names, for who is turned away at its door."""
    names = request.path_params
    named = names.get("patient_id") or (names.get("resource_id") if _is_of_patient(request, names) else None)
    try:
        return UUID(str(named)) if named else None
    except ValueError:
        return None


def _is_of_patient(request: Request, names: Mapping[str, Any]) -> bool:
    return names.get("resource_type") == "Patient" or request.url.path.startswith("/fhir/Patient/")


async def record_refusal(request: Request, status: int, error: AccessDeniedError | None = None) -> None:
    """Put a refusal on record; of the path, only what is known to name no person."""
    found = _RESOURCE_PATH.fullmatch(request.url.path)
    is_resource = found is not None and found[1] in RESOURCE_TYPES
    caller = getattr(request.state, "caller", None)
    detail: dict[str, Any] = {"status": status, "method": request.method, "address": address_of(request)}
    refused = error if isinstance(error, RefusedError) else None
    if refused is not None:
        detail |= {"action": refused.action, "reason": str(refused)}
    event = AuditEvent(
        principal_id=None if caller is None else caller.principal.principal_id,
        action="request",
        resource_type=found[1] if found is not None and is_resource else None,
        resource_id=found[2] if found is not None and is_resource else None,
        patient_id=(None if refused is None else refused.patient_id) or _patient_named(request),
        outcome="refused",
        purpose=purpose_of(request),
        location=None if caller is None else caller.location,
        detail=detail,
    )
    await asyncio.wrap_future(services_of(request).audit.write(event))
