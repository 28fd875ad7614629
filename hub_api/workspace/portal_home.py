"""What a patient, or somebody they let, sees of a record: visits, coverage, the whole chart, and who looked at it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select

from ehr_pm.patients.models import Patient
from ehr_pm.record import queries
from ehr_pm.record.scope import programmes_of
from ehr_pm.scheduling.models import Appointment
from ehr_pm.users import portal
from ehr_pm.users.models import PrincipalRow, Staff
from hub_api.practice import charts
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.pages import PageRoute, page
from hub_api.workspace.patient import payments
from hub_api.workspace.reach import note_read
from hub_core.access import Subject
from hub_core.auditing import questions
from hub_core.auditing.accounting import PURPOSES, accounting
from hub_core.database import driver_connection
from hub_core.errors import NotFoundError

if TYPE_CHECKING:
    import psycopg

router = APIRouter(route_class=PageRoute)

_MOST_FACTS: Final = 300
_MOST_VISITS: Final = 50
_MOST_LOOKS: Final = 200


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the chart."""

    on: str
    category: str
    title: str
    detail: str
    source: str


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody who had the record before them on a day, and how often."""

    on: date
    who: str
    where: str
    is_emergency: bool
    times: int


@router.get("/my")
async def show_first(request: Request) -> Response:
    """Show the record of whoever is logged in, or of the first person who lets them."""
    return await at_desk(request, _show)


@router.get("/my/{patient_id}")
async def show_one(request: Request, patient_id: UUID) -> Response:
    """Show the record of one of those whom somebody may see."""
    return await at_desk(request, partial(_show, patient_id=patient_id))


def _show(desk: Desk, patient_id: UUID | None = None) -> Response:
    everybody = _seen(desk)
    chosen = next((each for each in everybody if patient_id in (None, each.patient_id)), None)
    if chosen is None:
        desk.require("patient.read", Subject(frozenset(), patient_id))
        raise NotFoundError("there is nobody whose record you see here")
    subject = Subject(frozenset(), chosen.patient_id, chosen.sensitivity)
    desk.require("chart.read", subject)
    note_read(desk, chosen)
    records = _records(desk, chosen.patient_id)
    facts = _facts(desk, chosen.patient_id)
    is_own = desk.may("disclosure.read", subject)
    return page(
        desk,
        "my.html",
        patient=chosen,
        others=[each for each in everybody if each is not chosen],
        visits=_visits(desk, chosen) if desk.may("schedule.read", subject) else None,
        payments=payments(desk.session, chosen.patient_id) if desk.may("coverage.read", subject) else None,
        years=[(year, list(group)) for year, group in groupby(facts, key=lambda each: each.on[:4])],
        looks=_looks(desk, records) if is_own else None,
        purposes=PURPOSES,
        given=accounting(_driver(desk), records, desk.doing.moment) if is_own else None,
        readers=_readers(desk, chosen) if is_own else None,
    )


def _seen(desk: Desk) -> list[Patient]:
    """Return the patients somebody sees by an account of the portal, themselves first."""
    grants = [grant for grant in desk.caller.access.grants if grant.patient_ids]
    ids = {each: grant.role == "patient" for grant in grants for each in grant.patient_ids}
    query = select(Patient).where(Patient.patient_id.in_(ids), Patient.merged_into.is_(None))
    return sorted(desk.session.scalars(query), key=lambda row: (not ids[row.patient_id], row.given, row.family))


def _records(desk: Desk, patient_id: UUID) -> list[UUID]:
    """Return all patient records of the person, from whatever source, that the caller may see."""
    connection = _driver(desk)
    members = queries.members(connection, queries.persons_of(connection, [patient_id], limit=1))
    return [each.patient_id for each in charts.permitted(connection, desk.caller, members)[0]] if members else []


def _facts(desk: Desk, patient_id: UUID) -> list[Fact]:
    """Return the whole chart, the newest first, and put on record that it was read."""
    connection = _driver(desk)
    members = queries.members(connection, queries.persons_of(connection, [patient_id], limit=1))
    if not members:
        return []
    shown, hidden = charts.permitted(connection, desk.caller, members)
    about = [each.patient_id for each in shown]
    programmes = programmes_of(desk.caller.access, "chart.read")
    entries = queries.chart(connection, about, limit=_MOST_FACTS, hidden=hidden, programmes=programmes)
    for each in shown:
        desk.doing.noted(
            "chart.read",
            resource_type="Patient",
            resource_id=str(each.patient_id),
            patient_id=each.patient_id,
            location=each.location,
        )
    return sorted(map(_fact, map(charts.fact, entries)), key=lambda each: each.on, reverse=True)


def _fact(said: dict[str, Any]) -> Fact:
    on = str(said["date"] or said["recorded_at"])[:10]
    return Fact(on, said["category"], said["title"], said["detail"], said["source"])


def _visits(desk: Desk, patient: Patient) -> list[Appointment]:
    query = select(Appointment).where(Appointment.patient_id == patient.patient_id, Appointment.status != "hold")
    return list(desk.session.scalars(query.order_by(Appointment.starts_at.desc()).limit(_MOST_VISITS)))


def _looks(desk: Desk, records: list[UUID]) -> list[Look]:
    """Return who had the record before them, each day said once; people by their own names."""
    events = [
        each
        for each in questions.about_patients(_driver(desk), records, before=desk.doing.moment, limit=_MOST_LOOKS)
        if each.outcome == "success" and each.principal_id != desk.caller.principal.principal_id
    ]
    staff = select(Staff).where(Staff.principal_id.in_({each.principal_id for each in events}))
    names = {row.principal_id: f"{row.given} {row.family}" for row in desk.session.scalars(staff)}
    counted: Counter[tuple[date, str, str, bool]] = Counter()
    for each in events:
        who = names.get(each.principal_id) if each.principal_id else "the practice's own system"
        is_emergency = each.purpose == "BTG" or each.action == "glass.break"
        counted[each.recorded_at.date(), who or each.principal or "", each.location or "", is_emergency] += 1
    return [Look(*key, times) for key, times in counted.items()]


def _readers(desk: Desk, patient: Patient) -> list[tuple[str, date | None]]:
    """Return who else sees the record in the portal, and until when."""
    own = desk.caller.principal.principal_id
    rows = [each for each in portal.links(desk.doing, patient.patient_id) if each.principal_id != own]
    names = select(PrincipalRow.principal_id, PrincipalRow.name).where(
        PrincipalRow.principal_id.in_([each.principal_id for each in rows])
    )
    named = {row.principal_id: row.name for row in desk.session.execute(names)}
    return [(named[each.principal_id], each.valid_to.date() if each.valid_to else None) for each in rows]


def _driver(desk: Desk) -> psycopg.Connection[Any]:
    return driver_connection(desk.session.connection())
