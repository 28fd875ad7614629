"""Registering a patient, and correcting who they are; those who look alike are shown before anybody is made twice."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ehr_pm.patients import repository, service
from ehr_pm.patients.repository import Candidate
from ehr_pm.patients.schemas import NewPatient
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import NOTHING_TYPED, ProblemsError, Typed, told, typed
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_api.workspace.reach import at, known

router = APIRouter(route_class=PageRoute)

DEMOGRAPHICS: Final = (
    "family",
    "given",
    "middle",
    "suffix",
    "preferred_name",
    "birth_date",
    "birth_sex",
    "gender",
    "ethnicity",
    "language",
)
ADDRESS: Final = ("line", "city", "state", "postal_code")
CONTACTS: Final = ("mobile", "home", "email")

_ELSEWHERE: Final = "those who look alike are where this role does not reach"
"""Stored as the reason where nobody could be shown: that there is somebody elsewhere is not for the desk to know."""


class _AlikeError(Exception):
    """Somebody who may be shown looks like this person."""

    def __init__(self, candidates: list[Candidate]) -> None:
        super().__init__(len(candidates))
        self.evidence = {each.patient.patient_id: each.evidence for each in candidates}


@router.get("/work/register")
async def show_form(request: Request) -> Response:
    """Show the form to register a patient."""
    return await at_desk(request, _show)


@router.post("/work/register")
async def register(request: Request) -> Response:
    """Register a patient, or show what is wrong, or who looks like them."""
    fields = await typed(request)
    try:
        patient_id = await at_desk(request, partial(_register, fields=fields))
    except ProblemsError as error:
        return await at_desk(request, partial(_show, fields=fields, problems=error.problems))
    except _AlikeError as alike:
        return await at_desk(request, partial(_show, fields=fields, alike=alike.evidence))
    return led_on(f"/work/patients/{patient_id}?done=registered")


def person(fields: Typed) -> dict[str, Any]:
    """Return who somebody is, as a form says it."""
    return {
        **fields.given(*DEMOGRAPHICS),
        "races": fields.all("races"),
        "needs_interpreter": bool(fields["needs_interpreter"]),
    }


def contacts(fields: Typed) -> list[dict[str, Any]]:
    """Return how somebody is reached, as a form says it; only a mobile can be sent texts."""
    may_text = bool(fields["may_text"])
    given = [(kind, fields[kind]) for kind in CONTACTS if fields[kind]]
    return [{"kind": kind, "value": value, "may_text": may_text and kind == "mobile"} for kind, value in given]


def addresses(fields: Typed) -> list[dict[str, str]]:
    """Return where somebody lives, as a form says it; an address begun is to be finished."""
    given = fields.given(*ADDRESS)
    return [given] if given else []


def contact_names(fields: Typed) -> dict[str, str]:
    """Return which field a contact came from, by its place in the schema."""
    given = [kind for kind in CONTACTS if fields[kind]]
    return {f"contacts.{number}.value": kind for number, kind in enumerate(given)}


def _register(desk: Desk, fields: Typed) -> UUID:
    desk.require("patient.write", at(desk))
    values = {
        **person(fields),
        "home_location_id": desk.here.location_id,
        "addresses": addresses(fields),
        "contacts": contacts(fields),
    }
    new = told(NewPatient, values, contact_names(fields))
    alike = repository.candidates(desk.session, new)
    shown = [each for each in alike if desk.may("patient.read", known(desk, each.patient))]
    reason = fields["despite"]
    if shown and len(reason) < 3:
        raise _AlikeError(shown)
    return service.register(desk.doing, new, despite=reason[:500] or (_ELSEWHERE if alike else None)).patient_id


def _show(
    desk: Desk,
    *,
    fields: Typed = NOTHING_TYPED,
    problems: dict[str, str] | None = None,
    alike: Mapping[UUID, tuple[str, ...]] | None = None,
) -> Response:
    desk.require("patient.write", at(desk))
    shown = [(repository.get(desk.session, patient_id), evidence) for patient_id, evidence in (alike or {}).items()]
    for patient, _ in shown:
        desk.doing.noted(
            "patient.candidate",
            resource_type="Patient",
            resource_id=str(patient.patient_id),
            patient_id=patient.patient_id,
            location=patient.home_location.key,
        )
    if shown and fields["despite"]:
        problems = {"despite": "A few words more are needed."}
    status = 409 if shown else 422 if problems else 200
    return page(desk, "register.html", status=status, fields=fields, problems=problems or {}, alike=shown)
