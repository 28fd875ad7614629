"""The addresses of the FHIR server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from hub_api.fhir import audit_events
from hub_api.fhir.capability import capabilities
from hub_api.fhir.everything import everything
from hub_api.fhir.histories import read_system_history, read_type_history
from hub_api.fhir.outcome import OutcomeError
from hub_api.fhir.reading import read, read_history, read_version
from hub_api.fhir.searching import search_by_address, search_by_form
from hub_api.fhir.submitting import submit
from hub_api.fhir.writing import create, delete, delete_matching, patch, patch_matching, update, update_matching
from hub_api.services import services_of

Answer: TypeAlias = Callable[[Request], Awaitable[Response]]


async def refuse_whole(request: Request) -> Response:
    """Refuse to search all types at once.

    Raises:
        OutcomeError: always.
    """
    raise OutcomeError(405, "one type is searched at a time", code="not-supported")


def _few(answer: Answer) -> Answer:
    """Let only so many bodies be in memory at the same time."""

    async def answer_when_there_is_room(request: Request) -> Response:
        async with services_of(request).deliveries:
            return await answer(request)

    return answer_when_there_is_room


_RESOURCE = "/{resource_type}/{resource_id}"

fhir_base = Route("/fhir", _few(submit), methods=["POST"])
"""Where Bundles go; a mount answers below its address only."""

fhir_mount = Mount(
    "/fhir",
    routes=[
        Route("/metadata", capabilities),
        Route("/", refuse_whole),
        Route("/", _few(submit), methods=["POST"]),
        Route("/_history", read_system_history),
        Route("/AuditEvent", audit_events.search_by_address),
        Route("/AuditEvent/_search", audit_events.search_by_form, methods=["POST"]),
        Route("/AuditEvent/{resource_id}", audit_events.read),
        Route("/{resource_type}", search_by_address),
        Route("/{resource_type}", _few(create), methods=["POST"]),
        Route("/{resource_type}", _few(update_matching), methods=["PUT"]),
        Route("/{resource_type}", delete_matching, methods=["DELETE"]),
        Route("/{resource_type}", _few(patch_matching), methods=["PATCH"]),
        Route("/{resource_type}/_search", search_by_form, methods=["POST"]),
        Route("/{resource_type}/_history", read_type_history),
        Route("/Patient/{resource_id}/$everything", everything, methods=["GET", "POST"]),
        Route(f"{_RESOURCE}/_history", read_history),
        Route(f"{_RESOURCE}/_history/{{version}}", read_version),
        Route(_RESOURCE, read),
        Route(_RESOURCE, _few(update), methods=["PUT"]),
        Route(_RESOURCE, delete, methods=["DELETE"]),
        Route(_RESOURCE, _few(patch), methods=["PATCH"]),
    ],
)
