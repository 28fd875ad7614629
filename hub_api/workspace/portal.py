"""Who sees a patient in the portal, for the front desk: invited with a code to hand over, and ended."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select

from ehr_pm.patients.models import Consent
from ehr_pm.patients.schemas import NewConsent
from ehr_pm.patients.service import record_consent
from ehr_pm.rows import get
from ehr_pm.users import portal
from ehr_pm.users.models import PortalLink, PrincipalRow
from ehr_pm.users.schemas import NewPortalUser
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import NOTHING_TYPED, ProblemsError, Typed, told, typed
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_api.workspace.reach import note_read, patient_for
from hub_core.errors import ConflictError

router = APIRouter(route_class=PageRoute)


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom a code is for, and the code, at the one moment it is known."""

    name: str
    code: str


@router.get("/work/patients/{patient_id}/portal")
async def show_portal(request: Request, patient_id: UUID) -> Response:
    """Show who sees a patient, and the form that invites somebody."""
    return await at_desk(request, partial(_show, patient_id=patient_id))


@router.post("/work/patients/{patient_id}/portal")
async def open_portal(request: Request, patient_id: UUID) -> Response:
    """Let somebody see a patient; the code is shown this once."""
    fields = await typed(request)
    show = partial(_show, patient_id=patient_id)
    try:
        invited = await at_desk(request, partial(_open, patient_id=patient_id, fields=fields))
    except ProblemsError as error:
        return await at_desk(request, partial(show, fields=fields, problems=error.problems, status=422))
    except ConflictError as error:
        problems = {"name": f"{str(error)[:1].upper()}{str(error)[1:]}."}
        return await at_desk(request, partial(show, fields=fields, problems=problems, status=409))
    return await at_desk(request, partial(show, invited=invited))


@router.post("/work/portal/{link_id}/invite")
async def invite(request: Request, link_id: UUID) -> Response:
    """Show another code for somebody who has lost the first, or the password."""

    def make(desk: Desk) -> Response:
        row = get(desk.session, PortalLink, link_id, "account of the portal")
        patient, _ = patient_for(desk, row.patient_id, "patient.write")
        code = portal.invite(desk.doing, row, patient)
        return _show(desk, patient_id=row.patient_id, invited=Invited(_name(desk, row), code))

    return await at_desk(request, make)


@router.post("/work/portal/{link_id}/end")
async def close_portal(request: Request, link_id: UUID) -> Response:
    """Let somebody see a patient no more."""

    def end(desk: Desk) -> UUID:
        row = get(desk.session, PortalLink, link_id, "account of the portal")
        patient, _ = patient_for(desk, row.patient_id, "patient.write")
        portal.close_portal(desk.doing, row, patient)
        return patient.patient_id

    return led_on(f"/work/patients/{await at_desk(request, end)}/portal")


def _open(desk: Desk, *, patient_id: UUID, fields: Typed) -> Invited | None:
    patient, _ = patient_for(desk, patient_id, "patient.write")
    said = fields.given("name", "relation", "has_account", "consent_id", "until")
    new = told(NewPortalUser, said)
    if fields["signed"] and new.relation != "self":
        given = NewConsent(kind="portal-access", state="given", effective_on=desk.today)
        new = told(NewPortalUser, said | {"consent_id": record_consent(desk.doing, patient, given).consent_id})
    _, code = portal.open_portal(desk.doing, patient, new)
    return None if code is None else Invited(new.name, code)


def _show(
    desk: Desk,
    *,
    patient_id: UUID,
    fields: Typed = NOTHING_TYPED,
    problems: dict[str, str] | None = None,
    invited: Invited | None = None,
    status: int = 200,
) -> Response:
    patient, _ = patient_for(desk, patient_id, "patient.write")
    note_read(desk, patient)
    consents = select(Consent).where(
        Consent.patient_id == patient.patient_id, Consent.kind == "portal-access", Consent.state == "given"
    )
    given = desk.session.scalars(consents.order_by(Consent.effective_on.desc()))
    return page(
        desk,
        "portal.html",
        status=status,
        patient=patient,
        readers=[(each, _name(desk, each)) for each in portal.links(desk.doing, patient.patient_id)],
        is_adult=portal.birthday(patient.birth_date, portal.OF_AGE) <= desk.doing.moment.date(),
        consents=[(each.consent_id, f"of {each.effective_on}") for each in given],
        fields=fields,
        problems=problems or {},
        invited=invited,
    )


def _name(desk: Desk, row: PortalLink) -> str:
    return get(desk.session, PrincipalRow, row.principal_id, "account").name
