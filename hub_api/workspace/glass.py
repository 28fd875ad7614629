"""Breaking the glass: a chart closed to somebody, opened for an hour with a reason; and looking at it afterwards.

45 CFR 164.312(a)(2)(ii) asks for a way in in emergencies. It is never the quiet way in: whoever takes it says why, is
told that it ends and will be reviewed, and what they read meanwhile is shown to whoever reviews it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from ehr_pm.patients import repository as patients
from ehr_pm.patients.models import Patient
from ehr_pm.record import queries
from ehr_pm.record.scope import known_at
from ehr_pm.rows import get
from ehr_pm.users import repository, service
from ehr_pm.users.models import BrokenGlass, PrincipalRow
from ehr_pm.users.schemas import Emergency, Review
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import NOTHING_TYPED, ProblemsError, Typed, told, typed
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_core.access import Subject
from hub_core.auditing import searching
from hub_core.database import driver_connection
from hub_core.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    import psycopg

router = APIRouter(route_class=PageRoute)

_MOST_SEEN: Final = 500
"""Events shown of what somebody read while a chart was open."""
_NOBODY: Final = "Nobody is registered like this; look at the number, or at every letter of the name."


class _Named(BaseModel):
    """The patient whose chart was refused a moment ago."""

    patient: UUID


class _Sought(BaseModel):
    """Whom to open the chart of: by number, or by the whole name and the date of birth."""

    model_config = ConfigDict(frozen=True)

    number: str = Field(default="", max_length=100)
    family: str = Field(default="", max_length=100)
    given: str = Field(default="", max_length=100)
    birth_date: date | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A chart that was opened, as whoever reviews it sees it."""

    row: BrokenGlass
    who: str
    patient: Patient | None
    """None where the patient is of another source."""
    seen: tuple[tuple[str, int], ...]
    """What was done with the person's records meanwhile, and how often."""
    is_own: bool
    """Whether the reviewer opened it themselves; then somebody else reviews it."""


@router.get("/work/emergency")
async def show_emergency(request: Request, patient: UUID | None = None) -> Response:
    """Show what opening a chart in an emergency takes."""
    return await at_desk(request, partial(_show, patient_id=patient))


@router.post("/work/emergency")
async def open_chart(request: Request) -> Response:
    """Open a chart, and lead to it."""
    fields = await typed(request)
    try:
        patient_id = await at_desk(request, partial(_open, fields=fields))
    except ProblemsError as error:
        return await at_desk(request, partial(_show, fields=fields, problems=error.problems))
    return led_on(f"/work/patients/{patient_id}/chart")


@router.get("/work/emergencies")
async def show_opened(request: Request) -> Response:
    """Show the charts that were opened and nobody has looked at yet."""
    return await at_desk(request, _show_opened)


@router.post("/work/emergencies/{grant_id}/review")
async def review(request: Request, grant_id: UUID) -> Response:
    """Keep what the reviewer found."""
    fields = await typed(request)
    try:
        await at_desk(request, partial(_review, grant_id=grant_id, fields=fields))
    except ProblemsError as error:
        problem = next(iter(error.problems.values()))
        return await at_desk(request, partial(_show_opened, problem=problem, status=422))
    except ConflictError as error:
        return await at_desk(request, partial(_show_opened, problem=f"{str(error).capitalize()}.", status=409))
    return led_on("/work/emergencies")


def ends_at(desk: Desk, patient_id: UUID) -> BrokenGlass | None:
    """Return by which opening somebody sees a chart now, if by one: of any record of the person."""
    mine = repository.open_glass(desk.session, desk.caller.principal.principal_id, desk.doing.moment)
    ours = set(_records_of(_driver(desk), patient_id))
    return next((row for row in mine if row.patient_id in ours), None)


def _show(
    desk: Desk,
    *,
    patient_id: UUID | None = None,
    fields: Typed = NOTHING_TYPED,
    problems: dict[str, str] | None = None,
) -> Response:
    desk.require("glass.break")
    asked = fields["patient"] or (str(patient_id) if patient_id else "")
    minutes = int(service.GLASS_STAYS_BROKEN.total_seconds()) // 60
    status = 422 if problems else 200
    return page(
        desk, "emergency.html", status=status, asked=asked, minutes=minutes, fields=fields, problems=problems or {}
    )


def _open(desk: Desk, *, fields: Typed) -> UUID:
    patient = _sought(desk, fields)
    new = told(Emergency, {"patient_id": patient.patient_id, "reason": fields["reason"]})
    desk.require("glass.break")
    service.break_glass(desk.doing, new, None if desk.place is None else desk.place.key)
    return patient.patient_id


def _sought(desk: Desk, fields: Typed) -> Patient:
    """Return the one patient a form names; it neither lists nor completes: whoever is meant must be known.

    Raises:
        ProblemsError: if it names none, or several.
    """
    if fields["patient"]:
        return patients.get(desk.session, told(_Named, {"patient": fields["patient"]}).patient)
    sought = told(_Sought, fields.given("number", "family", "given", "birth_date"))
    if sought.number:
        found = patients.find(desk.session, name=None, birth_date=None, number=sought.number, locations=None)
    elif sought.family and sought.given and sought.birth_date:
        named = f"{sought.family} {sought.given}"
        alike = patients.find(desk.session, name=named, birth_date=sought.birth_date, number=None, locations=None)
        whole = (sought.family.casefold(), sought.given.casefold())
        found = [each for each in alike if (each.family.casefold(), each.given.casefold()) == whole]
    else:
        raise ProblemsError({"number": "Give the record number, or the whole name and the date of birth."})
    if len(found) > 1:
        raise ProblemsError({"number": "Several are registered like this; give the record number."})
    if not found:
        raise ProblemsError({"number": _NOBODY})
    return found[0]


def _show_opened(desk: Desk, *, problem: str = "", status: int = 200) -> Response:
    desk.require("glass.review")
    rows = [row for row in repository.unreviewed_glass(desk.session) if desk.may("glass.review", _subject(desk, row))]
    for row in rows:
        desk.doing.noted("glass.read", patient_id=row.patient_id, grant_id=str(row.grant_id))
    if not rows:
        desk.doing.noted("glass.read")
    opened = [_opened(desk, row) for row in rows]
    return page(desk, "emergencies.html", status=status, opened=opened, problem=problem)


def _review(desk: Desk, *, grant_id: UUID, fields: Typed) -> None:
    row = get(desk.session, BrokenGlass, grant_id, "opened chart")
    desk.require("glass.review", _subject(desk, row))
    values = {"finding": fields["finding"], **fields.given("note")}
    service.review_glass(desk.doing, row, told(Review, values))


def _opened(desk: Desk, row: BrokenGlass) -> Opened:
    wanted = searching.Wanted(
        patient_ids=_records_of(_driver(desk), row.patient_id),
        principal_ids=[row.principal_id],
        since=row.granted_at,
        until=row.expires_at,
    )
    events = searching.find(_driver(desk), wanted, limit=_MOST_SEEN)
    seen = Counter(each.action for each in events if each.action != "glass.break")
    who = desk.session.get_one(PrincipalRow, row.principal_id).name
    is_own = row.principal_id == desk.caller.principal.principal_id
    return Opened(row, who, _registered(desk, row.patient_id), tuple(sorted(seen.items())), is_own)


def _registered(desk: Desk, patient_id: UUID) -> Patient | None:
    try:
        return patients.get(desk.session, patient_id)
    except NotFoundError:
        return None


def _subject(desk: Desk, row: BrokenGlass) -> Subject:
    """Return the patient as what a review is about: everybody's where they are known."""
    return Subject(known_at(_driver(desk), row.patient_id), row.patient_id)


def _records_of(connection: psycopg.Connection[Any], patient_id: UUID) -> list[UUID]:
    """Return the patient records of whoever a patient is."""
    members = queries.members(connection, queries.persons_of(connection, [patient_id], limit=1))
    return [patient_id, *(each.patient_id for each in members)]


def _driver(desk: Desk) -> psycopg.Connection[Any]:
    return driver_connection(desk.session.connection())
