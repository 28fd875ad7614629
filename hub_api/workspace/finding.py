"""Finding a patient by name, date of birth or number, among those of the locations somebody works at."""

from __future__ import annotations

from datetime import date
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from ehr_pm.patients import repository
from ehr_pm.patients.models import Patient
from hub_api.security.permission import visible
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import NOTHING_TYPED, ProblemsError, Typed, told, typed
from hub_api.workspace.pages import PageRoute, page
from hub_core.access import Subject

router = APIRouter(route_class=PageRoute)


class _Sought(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str | None = Field(default=None, max_length=200)
    birth_date: date | None = None
    number: str | None = Field(default=None, max_length=100)


@router.get("/work/find")
async def show_search(request: Request) -> Response:
    """Show the form to find a patient."""
    return await at_desk(request, _show)


@router.post("/work/find")
async def find_patients(request: Request) -> Response:
    """Show the patients who fit; what was sought never is in an address."""
    return await at_desk(request, partial(_find, fields=await typed(request)))


def _find(desk: Desk, fields: Typed) -> Response:
    desk.require("patient.read")
    given = fields.given("name", "birth_date", "number")
    if not given:
        return _show(desk, fields=fields, problems={"name": "Give a name, a date of birth or a number."})
    try:
        sought = told(_Sought, given)
    except ProblemsError as error:
        return _show(desk, fields=fields, problems=error.problems)
    found = repository.find(
        desk.session,
        name=sought.name,
        birth_date=sought.birth_date,
        number=sought.number,
        locations=visible(desk.request, "patient.read"),
    )
    known = repository.known_at_each(desk.session, found)
    found = [each for each in found if desk.may("patient.read", _subject(each, known))]
    for patient in found:
        desk.doing.noted(
            "patient.find",
            resource_type="Patient",
            resource_id=str(patient.patient_id),
            patient_id=patient.patient_id,
            location=patient.home_location.key,
        )
    if not found:
        desk.doing.noted("patient.find")
    return _show(desk, fields=fields, found=found)


def _subject(patient: Patient, known: dict[UUID, frozenset[str]]) -> Subject:
    place = patient.home_location.key
    return Subject(known[patient.patient_id], patient.patient_id, patient.sensitivity, place)


def _show(
    desk: Desk,
    *,
    fields: Typed = NOTHING_TYPED,
    found: list[Patient] | None = None,
    problems: dict[str, str] | None = None,
) -> Response:
    status = 422 if problems else 200
    return page(desk, "find.html", status=status, fields=fields, found=found, problems=problems or {})
