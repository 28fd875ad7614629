"""The whole chart of a person: every resource of every patient record that is them, newest first, with its source."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ehr_pm.record import queries
from ehr_pm.record.scope import hidden_kinds, places_of, programmes_of
from hub_api.practice.lines import Line, line, status
from hub_api.practice.people import person
from hub_api.security.caller import Caller, caller_of
from hub_api.security.permission import require_any
from hub_api.services import services_of
from hub_core.access import Subject, decide
from hub_core.audit import AuditEvent
from hub_core.clock import instant, now
from hub_core.errors import NotFoundError
from hub_core.fhir.canonical import Json, dumps, load_object
from hub_core.fhir.registry import clinical_date

if TYPE_CHECKING:
    import psycopg

    from ehr_pm.record.queries import ChartEntry, Membership

router = APIRouter(prefix="/api/people", tags=["people"])
_log = logging.getLogger(__name__)

_MOST_FACTS: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Chart:
    """A person's chart as read in one transaction."""

    person_id: UUID
    members: list[Membership]
    entries: list[ChartEntry]


@router.get("/{person_id}/chart")
async def read_chart(request: Request, person_id: UUID) -> Response:
    """Answer the whole chart of a person."""
    services, caller = services_of(request), caller_of(request)

    def read(connection: psycopg.Connection[Any]) -> _Chart:
        surviving = queries.surviving_person(connection, person_id)
        members = queries.members(connection, [surviving]) if surviving else []
        if surviving is None or not members:
            raise NotFoundError("no such person")
        shown, hidden = permitted(connection, caller, members)
        patients = [member.patient_id for member in shown]
        programmes = programmes_of(caller.access, "chart.read")
        entries = queries.chart(connection, patients, limit=_MOST_FACTS + 1, hidden=hidden, programmes=programmes)
        return _Chart(surviving, shown, entries)

    as_of = now()
    chart = await services.query(read)
    await asyncio.wrap_future(
        services.audit.write(
            *(
                AuditEvent(
                    caller.principal.principal_id,
                    "chart.read",
                    "Patient",
                    str(member.patient_id),
                    member.patient_id,
                    purpose=caller.purpose,
                    location=member.location,
                    detail={"person_id": str(chart.person_id)},
                )
                for member in chart.members
            )
        )
    )
    return Response(_render(chart, instant(as_of)), media_type="application/json")


def permitted(
    connection: psycopg.Connection[Any], caller: Caller, members: list[Membership]
) -> tuple[list[Membership], list[tuple[UUID, str]]]:
    """Return the patient records of a person that a caller may see, and which of their sensitive records they may not.

    Raises:
        RefusedError: if they may see none.
    """
    shown: list[Membership] = []
    hidden: list[tuple[UUID, str]] = []
    places = places_of(connection, caller.access, members[0].patient_id)
    for member in members:
        subject = Subject(places, member.patient_id, member.sensitivity, member.location)
        if decide(caller.access, "chart.read", subject).is_allowed:
            shown.append(member)
            hidden += [(member.patient_id, kind) for kind in hidden_kinds(caller.access, "chart.read", subject)]
    if not shown:
        require_any(caller, ("chart.read",), Subject(places, members[0].patient_id, members[0].sensitivity))
    return shown, hidden


def _render(chart: _Chart, as_of: str) -> bytes:
    described = person(chart.person_id, chart.members)
    patients = described.pop("patients")
    facts = [fact(entry) for entry in chart.entries[:_MOST_FACTS]]
    facts.sort(key=lambda each: each["date"] or each["recorded_at"], reverse=True)
    return dumps(
        {
            "person": described,
            "patients": patients,
            "facts": facts,
            "is_complete": len(chart.entries) <= _MOST_FACTS,
            "as_of": as_of,
        }
    )


def fact(entry: ChartEntry) -> Json:
    """Return a resource as a line of the chart, with where it came from."""
    resource = load_object(entry.body)
    shown = _line(resource)
    return {
        "resource_type": entry.resource_type,
        "resource_id": str(entry.resource_id),
        "version": entry.version,
        "date": _date(entry, resource),
        "category": shown.category,
        "title": shown.title,
        "detail": shown.detail,
        "status": status(resource),
        "source": entry.source,
        "location": entry.location,
        "feed": entry.feed,
        "message_id": None if entry.message_id is None else str(entry.message_id),
        "received_at": None if entry.received_at is None else instant(entry.received_at),
        "recorded_at": instant(entry.recorded_at),
    }


def _date(entry: ChartEntry, resource: Json) -> str | None:
    """Return when it happened, as the source wrote it; a birth is no event of the chart."""
    if entry.resource_type in ("Patient", "RelatedPerson"):
        return None if entry.event_at is None else instant(entry.event_at)
    return clinical_date(resource) or (None if entry.event_at is None else instant(entry.event_at))


def _line(resource: Json) -> Line:
    """Return the line of a resource, or its bare type when it is not shaped as R4 says: one must not hide the rest."""
    try:
        return line(resource)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        _log.warning("a %s has a shape the chart cannot show: %s", resource["resourceType"], type(error).__name__)
        return Line("Other", resource["resourceType"])
