"""What the record knows of a patient from all sources: allergies for the banner, and the whole chart, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ehr_pm.patients import repository as patients
from ehr_pm.record import queries, search
from ehr_pm.record.scope import programmes_of
from ehr_pm.record.searching.criteria import IsAbout, Search
from hub_api.practice import charts
from hub_api.practice.lines import line, status
from hub_api.security.permission import RefusedError, scope
from hub_api.workspace import glass
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.pages import PageRoute, page
from hub_core.database import driver_connection
from hub_core.fhir.canonical import load_object

if TYPE_CHECKING:
    import psycopg

    from ehr_pm.patients.models import Patient
    from ehr_pm.record.queries import Membership

router = APIRouter(route_class=PageRoute)

_MOST_FACTS: Final = 300
_MOST_ALLERGIES: Final = 20
_ENDED: Final = frozenset({"inactive", "resolved", "refuted", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the chart."""

    on: str
    category: str
    title: str
    detail: str
    source: str
    location: str


@router.get("/work/patients/{patient_id}/chart")
async def show_chart(request: Request, patient_id: UUID) -> Response:
    """Show the whole chart of a patient."""
    return await at_desk(request, partial(_show, patient_id=patient_id))


def allergies(desk: Desk, patient: Patient) -> list[str]:
    """Return what a patient is known to be allergic to, in words, as far as the caller may see it."""
    about = tuple(str(each.patient_id) for each in _members(_driver(desk), patient.patient_id))
    asked = Search("AllergyIntolerance", (IsAbout(about or (str(patient.patient_id),)),))
    found = search.find(_driver(desk), asked, limit=_MOST_ALLERGIES, scope=scope(desk.request, "chart.read"))
    resources = [load_object(each.body) for each in found]
    return sorted({line(each).title for each in resources if status(each) not in _ENDED})


def _show(desk: Desk, *, patient_id: UUID) -> Response:
    patient = patients.get(desk.session, patient_id)
    connection = _driver(desk)
    members, hidden = _permitted(desk, patient, _members(connection, patient.patient_id))
    about = [each.patient_id for each in members]
    programmes = programmes_of(desk.caller.access, "chart.read")
    entries = queries.chart(connection, about, limit=_MOST_FACTS + 1, hidden=hidden, programmes=programmes)
    for each in members:
        desk.doing.noted(
            "chart.read",
            resource_type="Patient",
            resource_id=str(each.patient_id),
            patient_id=each.patient_id,
            location=each.location,
        )
    facts = sorted(map(_fact, map(charts.fact, entries[:_MOST_FACTS])), key=lambda each: each.on, reverse=True)
    return page(
        desk,
        "timeline.html",
        patient=patient,
        opened=glass.ends_at(desk, patient.patient_id)
        if patient.patient_id in desk.caller.access.broken_glass
        else None,
        years=[(year, list(group)) for year, group in groupby(facts, key=lambda each: each.on[:4])],
        count=len(facts),
        sources=sorted({each.source for each in facts}),
        is_cut=len(entries) > _MOST_FACTS,
    )


def _permitted(
    desk: Desk, patient: Patient, members: list[Membership]
) -> tuple[list[Membership], list[tuple[UUID, str]]]:
    """Return which records of a person somebody may see; a refusal names the patient whose page was asked for."""
    try:
        return charts.permitted(_driver(desk), desk.caller, members)
    except RefusedError as error:
        error.patient_id = patient.patient_id
        raise


def _fact(said: dict[str, Any]) -> Fact:
    on = str(said["date"] or said["recorded_at"])[:10]
    return Fact(on, said["category"], said["title"], said["detail"], said["source"], said["location"] or "")


def _members(connection: psycopg.Connection[Any], patient_id: UUID) -> list[Membership]:
    return queries.members(connection, queries.persons_of(connection, [patient_id], limit=1))


def _driver(desk: Desk) -> psycopg.Connection[Any]:
    """Return the connection of the act, to read the record in the same transaction."""
    return driver_connection(desk.session.connection())
