"""The accounting of disclosures as a page to print: whom a patient's records were given to (45 CFR 164.528)."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hub_api.practice.disclosures import asked_of
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.pages import PageRoute, page
from hub_core.auditing.accounting import PURPOSES, accounting
from hub_core.database import driver_connection

router = APIRouter(route_class=PageRoute)


@router.get("/work/patients/{patient_id}/disclosures")
async def show_accounting(request: Request, patient_id: UUID) -> Response:
    """Show the accounting of a patient's disclosures in the last six years."""
    return await at_desk(request, partial(_show, patient_id=patient_id))


def _show(desk: Desk, *, patient_id: UUID) -> Response:
    asked = asked_of(desk.doing, desk.caller, patient_id, "disclosure.read")
    found = accounting(driver_connection(desk.session.connection()), asked.records, desk.doing.moment)
    desk.doing.noted(
        "disclosure.read", resource_type="Patient", resource_id=str(patient_id), patient_id=patient_id, form="page"
    )
    return page(desk, "disclosures.html", found=found, purposes=PURPOSES, on=desk.doing.moment.date())
