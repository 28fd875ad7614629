"""Adding what pays for a patient's care, from the card they show."""

from __future__ import annotations

from functools import partial
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ehr_pm.coverage import service
from ehr_pm.coverage.schemas import NewCoverage
from ehr_pm.organisation.repository import payers
from hub_api.workspace.correcting import way_back
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import ProblemsError, Typed, told, typed
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_api.workspace.reach import note_read, patient_for
from hub_core.errors import ConflictError

router = APIRouter(route_class=PageRoute)

_FIELDS: Final = (
    "payer_id",
    "rank",
    "member_id",
    "group_number",
    "plan_name",
    "relationship",
    "subscriber_family",
    "subscriber_given",
    "subscriber_birth_date",
    "starts",
    "ends",
)
_NAMES: Final = {"": "subscriber_family"}
"""What the schema says of the coverage as a whole is about its subscriber."""


@router.get("/work/patients/{patient_id}/coverages")
async def show_form(request: Request, patient_id: UUID, visit: UUID | None = None) -> Response:
    """Show the form to add a coverage."""
    fields = Typed({"visit": [str(visit or "")]})
    return await at_desk(request, partial(_show, patient_id=patient_id, fields=fields))


@router.post("/work/patients/{patient_id}/coverages")
async def add_coverage(request: Request, patient_id: UUID) -> Response:
    """Add a coverage, or show why it cannot be."""
    fields = await typed(request)
    try:
        await at_desk(request, partial(_add, patient_id=patient_id, fields=fields))
    except ProblemsError as error:
        problems, status = error.problems, 422
    except ConflictError as error:
        problems, status = {"rank": f"{str(error).capitalize()}."}, 409
    else:
        return led_on(way_back(patient_id, fields["visit"], "covered"))
    return await at_desk(
        request, partial(_show, patient_id=patient_id, fields=fields, problems=problems, status=status)
    )


def _add(desk: Desk, *, patient_id: UUID, fields: Typed) -> None:
    patient, _ = patient_for(desk, patient_id, "coverage.write")
    service.add(desk.doing, patient, told(NewCoverage, fields.given(*_FIELDS), _NAMES))


def _show(
    desk: Desk, *, patient_id: UUID, fields: Typed, problems: dict[str, str] | None = None, status: int = 200
) -> Response:
    patient, _ = patient_for(desk, patient_id, "coverage.write")
    note_read(desk, patient)
    known = [(each.payer_id, each.name) for each in payers(desk.session)]
    return page(
        desk, "coverage.html", status=status, patient=patient, payers=known, fields=fields, problems=problems or {}
    )
