"""Reading the audit trail: who saw a patient, and what somebody did, as far as the reader's roles reach."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hub_api.security.permission import visible
from hub_api.workspace.colleagues import seen
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.pages import PageRoute, page
from hub_api.workspace.reach import patient_for
from hub_core.auditing import questions
from hub_core.auditing.questions import Seen
from hub_core.database import driver_connection
from hub_core.errors import NotFoundError

router = APIRouter(route_class=PageRoute)

_MOST: Final = 300


@router.get("/work/patients/{patient_id}/audit")
async def show_who_saw(request: Request, patient_id: UUID) -> Response:
    """Show who saw a patient, and who did what with their records."""
    return await at_desk(request, partial(_show_patient, patient_id=patient_id))


@router.get("/work/users/{principal_id}/audit")
async def show_what_they_did(request: Request, principal_id: UUID) -> Response:
    """Show what somebody did."""
    return await at_desk(request, partial(_show_person, principal_id=principal_id))


def _show_patient(desk: Desk, *, patient_id: UUID) -> Response:
    patient, _ = patient_for(desk, patient_id, "audit.read")
    connection = driver_connection(desk.session.connection())
    events = questions.about_patients(connection, [patient.patient_id], before=desk.doing.moment, limit=_MOST)
    desk.doing.noted(
        "audit.read", resource_type="Patient", resource_id=str(patient.patient_id), patient_id=patient.patient_id
    )
    return page(desk, "audit.html", title=f"Who saw patient {patient.mrn}", events=_within(desk, events), most=_MOST)


def _show_person(desk: Desk, *, principal_id: UUID) -> Response:
    desk.require("audit.read")
    name = next((each.staff.principal.name for each in seen(desk) if each.staff.principal_id == principal_id), None)
    if name is None:
        raise NotFoundError("there is nobody like that where your role reaches")
    connection = driver_connection(desk.session.connection())
    events = questions.by_principal(connection, principal_id, before=desk.doing.moment, limit=_MOST)
    desk.doing.noted("audit.read", resource_type="Practitioner", subject=str(principal_id))
    return page(desk, "audit.html", title=f"What {name} did", events=_within(desk, events), most=_MOST)


def _within(desk: Desk, events: Iterable[Seen]) -> list[Seen]:
    """Return the events of the locations that the reader's roles reach."""
    places = visible(desk.request, "audit.read")
    return [each for each in events if places is None or each.location in places]
