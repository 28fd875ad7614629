"""`POST /ingest/{feed}`: messages over HTTP, 202 once they are durable."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hub_api.fhir.outcome import FHIR_JSON, issue, outcome
from hub_api.ingest.acknowledgement import accept, reject
from hub_api.ingest.intake import Taken, feed_named, take
from hub_api.security.caller import caller_of
from hub_api.security.permission import require
from hub_api.services import services_of
from hub_core.access import Subject
from hub_core.audit import AuditEvent
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import dumps
from hub_core.fhir.releases import release_of

if TYPE_CHECKING:
    from connectors.connector import Refusal

router = APIRouter(prefix="/ingest", tags=["ingest"])

HL7_TYPE: Final = "application/hl7-v2"
"""Content type of HL7 v2 over HTTP; who sends it is answered by acknowledgements."""


@router.post("/{feed}", status_code=202)
async def ingest(request: Request, feed: str) -> Response:
    """Store the messages in the body; one stored before is answered again with the id it has."""
    services, caller = services_of(request), caller_of(request)
    destination = feed_named(services, feed)
    require(request, "message.write", Subject(frozenset([destination.location] if destination.location else [])))
    async with services.deliveries:
        body = await request.body()
        if not body.strip():
            raise UnreadableError("the body is empty", code="required")
        taken = await take(services, destination, body, release_of(request.headers.get("content-type", "")))
    detail = {"feed": feed, "messages": len(taken.messages), "refused": len(taken.refusals)}
    event = AuditEvent(caller.principal.principal_id, "message.ingest", location=destination.location, detail=detail)
    await asyncio.wrap_future(services.audit.write(event))
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == HL7_TYPE:
        return _acknowledgement(taken, body)
    if not taken.messages:
        return Response(dumps(outcome(*map(_issue, taken.refusals))), 422, media_type=FHIR_JSON)
    return Response(dumps(_receipt(taken)), 202, media_type="application/json")


def _acknowledgement(taken: Taken, body: bytes) -> Response:
    if not taken.messages:
        answer = reject(body, [refusal.issue for refusal in taken.refusals])
        return Response(answer, 422, media_type=HL7_TYPE)
    return Response(b"".join(accept(arrival.body) for arrival, _ in taken.messages), 202, media_type=HL7_TYPE)


def _receipt(taken: Taken) -> dict[str, object]:
    return {
        "messages": [
            {"message_id": str(stored.message_id), "is_duplicate": stored.duplicate, "kind": arrival.kind}
            for arrival, stored in taken.messages
        ],
        "refused": [{"position": each.position, "reason": each.issue.text} for each in taken.refusals],
    }


def _issue(refusal: Refusal) -> dict[str, object]:
    found = refusal.issue
    return issue(found.severity, found.code, f"record {refusal.position}: {found.text}", found.location)
