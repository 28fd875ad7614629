"""The addresses of the FHIR server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route

from hub_api.fhir import audit_events
from hub_api.fhir.capability import capabilities
from hub_api.fhir.everything import everything
from hub_api.fhir.reading import read, read_history, read_version
from hub_api.fhir.searching import search_by_address, search_by_form

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


async def refuse_writing(request: Request) -> Response:
    """Refuse what would change the record: it changes through feeds and, later, the practice's own pages."""
    raise HTTPException(405, "this server is read here, not written", {"Allow": "GET"})


_RESOURCE = "/{resource_type}/{resource_id}"

fhir_mount = Mount(
    "/fhir",
    routes=[
        Route("/metadata", capabilities),
        Route("/", refuse_writing, methods=["GET", "POST"]),
        Route("/AuditEvent", audit_events.search_by_address),
        Route("/AuditEvent/_search", audit_events.search_by_form, methods=["POST"]),
        Route("/AuditEvent/{resource_id}", audit_events.read),
        Route("/{resource_type}", search_by_address),
        Route("/{resource_type}", refuse_writing, methods=["POST", "PUT", "PATCH", "DELETE"]),
        Route("/{resource_type}/_search", search_by_form, methods=["POST"]),
        Route("/Patient/{resource_id}/$everything", everything, methods=["GET", "POST"]),
        Route(f"{_RESOURCE}/_history", read_history),
        Route(f"{_RESOURCE}/_history/{{version}}", read_version),
        Route(_RESOURCE, read),
        Route(_RESOURCE, refuse_writing, methods=["PUT", "PATCH", "DELETE"]),
    ],
)
