"""Check-in: who the patient is, who pays and what they agree to is confirmed, and then they have arrived.

What the payer says is shown, or that it is not known; it never keeps anybody from being checked in.
"""

from __future__ import annotations

from functools import partial
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ehr_pm.patients import repository as patients
from ehr_pm.patients import service as registration
from ehr_pm.patients.models import Consent, Patient
from ehr_pm.patients.schemas import NewConsent
from ehr_pm.scheduling import service
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import NOTHING_TYPED, ProblemsError, Typed, told, typed
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_api.workspace.patient import consents, payments
from hub_api.workspace.reach import known, note_read, visit_for
from hub_core.errors import ConflictError

router = APIRouter(route_class=PageRoute)

_NOTICE: Final = "privacy-notice"
_ASKED: Final = ("treatment", _NOTICE)
"""Consents without which nobody is seen, or which everybody is to be given (45 CFR 164.520(c)(2))."""
_CONFIRMED: Final = {
    "demographics": "Go through name, address and telephone with the patient.",
    "coverage": "Look at the card, or note that the patient pays.",
}


@router.get("/work/appointments/{appointment_id}/check-in")
async def show_check_in(request: Request, appointment_id: UUID) -> Response:
    """Show what is to be confirmed."""
    return await at_desk(request, partial(_show, appointment_id=appointment_id))


@router.post("/work/appointments/{appointment_id}/check-in")
async def check_in(request: Request, appointment_id: UUID) -> Response:
    """Check the patient in, or show what is still to be confirmed."""
    fields = await typed(request)
    try:
        on = await at_desk(request, partial(_check_in, appointment_id=appointment_id, fields=fields))
    except ProblemsError as error:
        problems, status = error.problems, 422
    except ConflictError as error:
        problems, status = {"": f"{str(error).capitalize()}."}, 409
    else:
        return led_on(f"/work?day={on}")
    return await at_desk(
        request, partial(_show, appointment_id=appointment_id, fields=fields, problems=problems, status=status)
    )


def _check_in(desk: Desk, *, appointment_id: UUID, fields: Typed) -> str:
    visit = visit_for(desk, appointment_id, "appointment.write")
    patient = patients.get(desk.session, visit.patient_id)
    desk.require("patient.write", known(desk, patient))
    settled = _settled(desk, patient)
    problems = {name: words for name, words in _CONFIRMED.items() if not fields[name]}
    for kind in _ASKED:
        if kind not in settled and fields[kind] not in ("given", "refused"):
            problems[kind] = "Note what the patient said."
    if problems:
        raise ProblemsError(problems)
    for kind in _ASKED:
        if fields[kind] in ("given", "refused"):
            new = told(NewConsent, {"kind": kind, "state": fields[kind], "effective_on": desk.today})
            registration.record_consent(desk.doing, patient, new)
    desk.doing.noted(
        "patient.confirm",
        resource_type="Patient",
        resource_id=str(patient.patient_id),
        patient_id=patient.patient_id,
        location=visit.location.key,
        confirmed=" ".join(_CONFIRMED),
    )
    return service.arrive(desk.doing, appointment_id).local_start.date().isoformat()


def _settled(desk: Desk, patient: Patient) -> dict[str, Consent]:
    """Return the consents that need not be asked for today: given and not run out; or a notice once refused."""
    return {
        kind: row
        for kind, row in consents(desk.session, patient.patient_id).items()
        if (row.state == "given" and (row.expires_on is None or row.expires_on >= desk.today))
        or (row.state == "refused" and kind == _NOTICE)
    }


def _show(
    desk: Desk,
    *,
    appointment_id: UUID,
    fields: Typed = NOTHING_TYPED,
    problems: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    visit = visit_for(desk, appointment_id, "appointment.write")
    patient = patients.get(desk.session, visit.patient_id)
    subject = known(desk, patient)
    desk.require("patient.read", subject)
    note_read(desk, patient)
    on = visit.local_start.date()
    held = payments(desk.session, patient.patient_id) if desk.may("coverage.read", subject) else []
    return page(
        desk,
        "check_in.html",
        status=status,
        visit=visit,
        patient=patient,
        payments=[each for each in held if each.holds_on(on)],
        asked=_ASKED,
        consents=_settled(desk, patient),
        may_cover=desk.may("coverage.write", subject),
        fields=fields,
        problems=problems or {},
    )
