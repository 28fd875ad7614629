"""Finding people: by name, identifier and date of birth, each with all their patient records."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from ehr_pm.record import queries, search
from ehr_pm.record.searching.criteria import Criterion, Indexed, Interval, Search, Text, Token
from hub_api.practice.names import display_name
from hub_api.security.caller import Caller, caller_of
from hub_api.security.permission import scope
from hub_api.services import services_of
from hub_core.audit import AuditEvent
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json, dumps, load_object
from hub_core.fhir.search_values import interval

if TYPE_CHECKING:
    import psycopg

    from ehr_pm.record.queries import Membership

router = APIRouter(prefix="/api/people", tags=["people"])

_MOST_PEOPLE: Final = 50
_MOST_PATIENTS: Final = 400
"""Patient records looked at before they are joined to people; a search that finds more is too wide to read."""


class PeopleSearch(BaseModel):
    """Whom to find; everything given must fit."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, max_length=200, description="Beginnings of names, in any order.")
    identifier: str | None = Field(default=None, max_length=200, description="A medical record or member number.")
    birth_date: str | None = Field(default=None, max_length=10, description="2001-02-03, 2001-02 or 2001.")


@router.post("/search")
async def search_people(request: Request, wanted: PeopleSearch) -> Response:
    """Answer the people who fit, at most fifty."""
    services, caller = services_of(request), caller_of(request)
    criteria = tuple(_criteria(wanted))
    if not criteria:
        raise UnreadableError("give a name, an identifier or a date of birth", code="required")

    allowed = scope(request, "patient.read")

    def run(connection: psycopg.Connection[Any]) -> list[Membership]:
        patients = search.find(connection, Search("Patient", criteria), limit=_MOST_PATIENTS, scope=allowed)
        persons = queries.persons_of(connection, [found.resource_id for found in patients], limit=_MOST_PEOPLE)
        return queries.members(connection, persons, scope=allowed)

    members = await services.query(run)
    await asyncio.wrap_future(services.audit.write(*_events(caller, "people.search", members)))
    people = [person(person_id, list(group)) for person_id, group in groupby(members, lambda each: each.person_id)]
    people.sort(key=lambda found: (found["name"].casefold(), found["birth_date"] or ""))
    return Response(dumps(people), media_type="application/json")


def person(person_id: UUID, members: list[Membership]) -> Json:
    """Return a person with their patient records; said of them is what their fullest record says."""
    bodies = [load_object(member.body) for member in members]
    best = bodies[-1]
    return {
        "person_id": str(person_id),
        "name": display_name(best),
        "birth_date": _first(bodies, "birthDate"),
        "gender": _first(bodies, "gender"),
        "patients": [
            {
                "patient_id": str(member.patient_id),
                "source": member.source,
                "location": member.location,
                "identifiers": [
                    {"system": each.get("system"), "value": each["value"]}
                    for each in body.get("identifier", [])
                    if "value" in each
                ],
            }
            for member, body in zip(members, bodies, strict=True)
        ],
    }


def _first(bodies: list[Json], element: str) -> str | None:
    """Return an element of the fullest record that has it."""
    return next((body[element] for body in reversed(bodies) if isinstance(body.get(element), str)), None)


def _criteria(wanted: PeopleSearch) -> Iterator[Criterion]:
    for word in (wanted.name or "").replace(",", " ").split():
        yield Indexed("name", (Text(word),))
    if wanted.identifier and (number := wanted.identifier.strip()):
        system, bar, value = number.rpartition("|")
        yield Indexed("identifier", (Token(value, system or None, any_system=not bar),))
    if wanted.birth_date and (date := wanted.birth_date.strip()):
        span = interval(date)
        if span is None or "T" in date:
            raise UnreadableError("a date such as 2001-02-03 was expected", location="birth_date", code="value")
        yield Indexed("birthdate", (Interval("eq", *span),))


def _events(caller: Caller, action: str, members: Iterable[Membership]) -> list[AuditEvent]:
    """Return an audit event per patient shown, or one for none."""
    asked = (caller.principal.principal_id, action)
    shown = [
        AuditEvent(
            *asked, "Patient", str(each.patient_id), each.patient_id, purpose=caller.purpose, location=each.location
        )
        for each in members
    ]
    return shown or [AuditEvent(*asked, "Patient", purpose=caller.purpose, detail={"resources": 0})]
