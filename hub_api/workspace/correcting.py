"""Correcting who a patient is, where they live and how to reach them; what somebody else changed meanwhile is kept."""

from __future__ import annotations

from functools import partial
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ehr_pm.patients import service
from ehr_pm.patients.models import Patient, PatientAddress
from ehr_pm.patients.schemas import Address, Contact, Demographics
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import ChangedError, Difference, ProblemsError, Typed, differences, told, typed
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_api.workspace.reach import note_read, patient_for
from hub_api.workspace.registering import ADDRESS, CONTACTS, DEMOGRAPHICS, addresses, contacts, person
from hub_core.errors import ConflictError

router = APIRouter(route_class=PageRoute)

_LABELS: Final = {
    "family": "Family name",
    "given": "Given name",
    "middle": "Middle name",
    "suffix": "Suffix",
    "preferred_name": "Likes to be called",
    "birth_date": "Date of birth",
    "gender": "Gender",
    "birth_sex": "Sex at birth",
    "mobile": "Mobile telephone",
    "home": "Home telephone",
    "email": "E-mail",
    "may_text": "May be sent texts",
    "line": "Street",
    "city": "City",
    "state": "State",
    "postal_code": "ZIP code",
    "language": "Language",
    "needs_interpreter": "Needs an interpreter",
    "ethnicity": "Ethnicity",
    "races": "Race",
}
"""What is compared when two correct a patient at once."""


@router.get("/work/patients/{patient_id}/correct")
async def show_form(request: Request, patient_id: UUID, visit: UUID | None = None) -> Response:
    """Show what is known of a patient, to be corrected."""
    return await at_desk(request, partial(_show, patient_id=patient_id, visit=visit))


@router.post("/work/patients/{patient_id}/correct")
async def correct(request: Request, patient_id: UUID) -> Response:
    """Keep what was corrected, or show what is wrong with it."""
    fields = await typed(request)
    try:
        await at_desk(request, partial(_correct, patient_id=patient_id, fields=fields))
    except ProblemsError as error:
        return await at_desk(
            request, partial(_show, patient_id=patient_id, fields=fields, problems=error.problems, status=422)
        )
    except ChangedError:
        return await at_desk(request, partial(_show_both, patient_id=patient_id, fields=fields))
    except ConflictError as error:
        problems = {"": f"{str(error).capitalize()}."}
        return await at_desk(
            request, partial(_show, patient_id=patient_id, fields=fields, problems=problems, status=409)
        )
    return led_on(way_back(patient_id, fields["visit"], "corrected"))


def way_back(patient_id: UUID, visit: str, done: str) -> str:
    """Return where somebody came from: the check-in of a visit, or the patient's page."""
    try:
        return f"/work/appointments/{UUID(visit)}/check-in"
    except ValueError:
        return f"/work/patients/{patient_id}?done={done}"


def _correct(desk: Desk, *, patient_id: UUID, fields: Typed) -> None:
    patient, _ = patient_for(desk, patient_id, "patient.write")
    if fields["version"] != str(patient.version):
        raise ChangedError("somebody else changed this patient meanwhile")
    said = told(Demographics, {**person(fields), "deceased_on": patient.deceased_on})
    wanted = contacts(fields)
    reached = [told(Contact, each, {"value": each["kind"]}) for each in wanted]
    lives = [told(Address, each) for each in addresses(fields)]
    if _differs(patient, said):
        service.correct(desk.doing, patient, said)
    kept = [Contact(kind="work", value=each.value) for each in patient.contacts if each.kind == "work"]
    if {(e.kind, e.value, e.may_text) for e in patient.contacts} != {
        (e.kind, e.value, e.may_text) for e in (*reached, *kept)
    }:
        service.set_contacts(desk.doing, patient, [*reached, *kept])
    home = _home(patient)
    for each in lives:
        if home is None or any(getattr(home, name) != getattr(each, name) for name in ADDRESS):
            service.move(desk.doing, patient, each)


def _differs(patient: Patient, said: Demographics) -> bool:
    values = said.model_dump()
    return any(
        (tuple(getattr(patient, name)) if name == "races" else getattr(patient, name)) != value
        for name, value in values.items()
    )


def _home(patient: Patient) -> PatientAddress | None:
    return next((each for each in patient.addresses if each.use == "home" and each.valid_to is None), None)


def _show_both(desk: Desk, *, patient_id: UUID, fields: Typed) -> Response:
    """Show what was typed beside what somebody else has kept meanwhile; what is kept now is kept over theirs."""
    patient, _ = patient_for(desk, patient_id, "patient.write")
    theirs = _known(patient, None)
    both = differences(fields, theirs, _LABELS)
    mine = fields.but(version=str(patient.version))
    return _show(desk, patient_id=patient_id, fields=mine, conflict=both, status=409)


def _show(
    desk: Desk,
    *,
    patient_id: UUID,
    visit: UUID | None = None,
    fields: Typed | None = None,
    problems: dict[str, str] | None = None,
    conflict: list[Difference] | None = None,
    status: int = 200,
) -> Response:
    patient, _ = patient_for(desk, patient_id, "patient.write")
    note_read(desk, patient)
    shown = fields or _known(patient, visit)
    return page(
        desk,
        "correct.html",
        status=status,
        patient=patient,
        fields=shown,
        problems=problems or {},
        conflict=conflict or [],
    )


def _known(patient: Patient, visit: UUID | None) -> Typed:
    """Return what is known of a patient as their form would say it."""
    values = {name: [str(value)] for name in DEMOGRAPHICS if (value := getattr(patient, name)) is not None}
    values |= {each.kind: [each.value] for each in patient.contacts if each.kind in CONTACTS}
    if (home := _home(patient)) is not None:
        values |= {name: [getattr(home, name)] for name in ADDRESS}
    if any(each.may_text for each in patient.contacts):
        values["may_text"] = ["yes"]
    if patient.needs_interpreter:
        values["needs_interpreter"] = ["yes"]
    return Typed(
        {**values, "races": list(patient.races), "version": [str(patient.version)], "visit": [str(visit or "")]}
    )
