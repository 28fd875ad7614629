"""Making a location's schedule: kinds of visits, who and what can be booked, weekly hours and their exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, NaiveDatetime
from sqlalchemy import func, select

from ehr_pm.organisation import repository as places
from ehr_pm.organisation.models import Location
from ehr_pm.rows import get
from ehr_pm.scheduling import calendar, setup
from ehr_pm.scheduling.models import Bookable, ScheduleException, ScheduleRule, VisitType
from ehr_pm.scheduling.schemas import NewBookable, NewException, NewRule, NewVisitType, VisitTypeDetails
from ehr_pm.scheduling.walltime import NonexistentTimeError, to_instant
from ehr_pm.users import repository as people
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import NOTHING_TYPED, ProblemsError, Typed, told, typed
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_api.workspace.reach import at
from hub_core.access import Subject
from hub_core.errors import ConflictError, NotFoundError

router = APIRouter(route_class=PageRoute)

_MINUTES: Final = ("minutes", "minutes_before", "minutes_after")


class _Stretch(BaseModel):
    starts_at: NaiveDatetime
    ends_at: NaiveDatetime


class _Day(BaseModel):
    last_day: date


@router.get("/work/schedule")
async def show_schedule(request: Request) -> Response:
    """Show what can be booked at a location, and when."""
    return await at_desk(request, _show)


@router.post("/work/schedule/{what}")
async def change(request: Request, what: str) -> Response:
    """Change something of the schedule, or show why not."""
    fields = await typed(request)

    def work(desk: Desk) -> None:
        if what not in _CHANGES:
            raise NotFoundError("there is nothing like that to change")
        desk.require("schedule.write", at(desk))
        _CHANGES[what](desk, fields)

    try:
        await at_desk(request, work)
    except ProblemsError as error:
        problems, status = error.problems, 422
    except (ConflictError, NonexistentTimeError) as error:
        problems, status = {"": f"{str(error).capitalize()}."}, 409
    else:
        return led_on("/work/schedule")
    return await at_desk(request, partial(_show, what=what, fields=fields, problems=problems, status=status))


def _add_visit_type(desk: Desk, fields: Typed) -> None:
    values: dict[str, Any] = fields.given("key", "name", *_MINUTES, "sensitivity")
    setup.add_visit_type(desk.doing, told(NewVisitType, values | {"is_telehealth": bool(fields["is_telehealth"])}))


def _change_visit_type(desk: Desk, fields: Typed) -> None:
    row = get(desk.session, VisitType, _id(fields["visit_type_id"]), "visit type")
    if fields["version"] != str(row.version):
        raise ConflictError("somebody else changed this visit type meanwhile; here is what it is now")
    values: dict[str, Any] = fields.given("name", *_MINUTES, "sensitivity")
    ticked = values | {"is_telehealth": bool(fields["is_telehealth"])}
    setup.change_visit_type(desk.doing, row, told(VisitTypeDetails, ticked))


def _add_bookable(desk: Desk, fields: Typed) -> None:
    """Let somebody who works here, or a room or device of the location, be booked."""
    kind, _, subject = fields["subject"].partition(" ")
    known = {value: name for value, name, _ in _subjects(desk)}
    if fields["subject"] not in known:
        raise ProblemsError({"subject": "Choose one of the list."})
    values = {
        "location_id": desk.here.location_id,
        "kind": kind,
        "subject_id": subject,
        "name": known[fields["subject"]],
        "lanes": fields["lanes"] or 1,
    }
    setup.add_bookable(desk.doing, told(NewBookable, values))


def _add_rule(desk: Desk, fields: Typed) -> None:
    bookable = _bookable(desk, _id(fields["bookable_id"]))
    days = fields.all("weekdays")
    if not days:
        raise ProblemsError({"weekdays": "Choose the days."})
    values: dict[str, Any] = fields.given("starts", "ends", "valid_from", "valid_to", "every_weeks")
    kinds = tuple(fields.all("visit_type_ids")) or None
    for day in days:
        rule = {"bookable_id": bookable.bookable_id, "weekday": day, "visit_type_ids": kinds, **values}
        setup.add_rule(desk.doing, told(NewRule, rule, {"": "ends"}))


def _end_rule(desk: Desk, fields: Typed) -> None:
    rule = get(desk.session, ScheduleRule, _id(fields["rule_id"]), "rule")
    _bookable(desk, rule.bookable_id)
    setup.end_rule(desk.doing, rule.rule_id, told(_Day, fields.given("last_day")).last_day)


def _add_exception(desk: Desk, fields: Typed) -> None:
    bookable = _bookable(desk, _id(fields["bookable_id"]))
    stretch = told(_Stretch, fields.given("starts_at", "ends_at"))
    values = {
        "bookable_id": bookable.bookable_id,
        "starts_at": to_instant(stretch.starts_at, desk.here.zone),
        "ends_at": to_instant(stretch.ends_at, desk.here.zone),
        "is_open": fields["is_open"] == "yes",
        "reason": fields["why"],
    }
    setup.add_exception(desk.doing, told(NewException, values, {"": "ends_at", "reason": "why"}))


def _take_back(desk: Desk, fields: Typed) -> None:
    row = get(desk.session, ScheduleException, _id(fields["exception_id"]), "exception")
    _bookable(desk, row.bookable_id)
    setup.take_back_exception(desk.doing, row.exception_id)


_CHANGES: Final[Mapping[str, Callable[[Desk, Typed], None]]] = {
    "visit-types": _add_visit_type,
    "change-visit-type": _change_visit_type,
    "bookables": _add_bookable,
    "rules": _add_rule,
    "end-rule": _end_rule,
    "exceptions": _add_exception,
    "take-back": _take_back,
}


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundError("there is nothing like that") from None


def _bookable(desk: Desk, bookable_id: UUID) -> Bookable:
    """Return something that can be booked at a location whose schedule the caller makes."""
    row = get(desk.session, Bookable, bookable_id, "practitioner, room or device")
    place = get(desk.session, Location, row.location_id, "location")
    desk.require("schedule.write", Subject(frozenset({place.key})))
    return row


def _subjects(desk: Desk) -> list[tuple[str, str, str]]:
    """Return who works at the location, and its rooms and devices, that cannot be booked yet."""
    taken = {each.subject_id for each in calendar.columns(desk.session, desk.here.location_id)}
    held = people.roles_of_all(desk.session, desk.doing.moment)
    here = [
        each
        for each in people.staff(desk.session)
        if any(
            role.role == "clinician" and _is_here(desk, role.location_id) for role in held.get(each.principal_id, [])
        )
    ]
    found = [
        (f"practitioner {each.practitioner_id}", f"{each.given} {each.family}", str(each.practitioner_id))
        for each in here
    ]
    rooms = places.rooms(desk.session, desk.here.location_id)
    found += [(f"{each.kind} {each.room_id}", each.name, str(each.room_id)) for each in rooms]
    return [each for each in found if UUID(each[2]) not in taken]


def _is_here(desk: Desk, location_id: UUID | None) -> bool:
    return location_id in (None, desk.here.location_id)


def _exceptions(desk: Desk, ids: Sequence[UUID]) -> dict[UUID, list[tuple[ScheduleException, datetime, datetime]]]:
    """Return the exceptions from today on, by what they are of, with the wall times between which they hold."""
    query = select(ScheduleException).where(
        ScheduleException.bookable_id.in_(ids), func.upper(ScheduleException.during) > desk.doing.moment
    )
    found: dict[UUID, list[tuple[ScheduleException, datetime, datetime]]] = {each: [] for each in ids}
    for row in desk.session.scalars(query.order_by(ScheduleException.during)):
        assert row.during.lower is not None and row.during.upper is not None  # noqa: S101, PT018 - bounded ranges only
        zone = desk.here.zone
        found[row.bookable_id].append((row, row.during.lower.astimezone(zone), row.during.upper.astimezone(zone)))
    return found


def _show(
    desk: Desk,
    *,
    what: str = "",
    fields: Typed = NOTHING_TYPED,
    problems: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    desk.require("schedule.read", at(desk))
    desk.doing.noted("schedule.read_rules", location=desk.here.key)
    things = calendar.columns(desk.session, desk.here.location_id)
    types = list(desk.session.scalars(select(VisitType).where(VisitType.is_active).order_by(VisitType.name)))
    may_write = desk.may("schedule.write", at(desk))
    return page(
        desk,
        "schedule.html",
        status=status,
        things=things,
        exceptions=_exceptions(desk, [each.bookable_id for each in things]),
        visit_types=types,
        kinds={each.visit_type_id: each.name for each in types},
        subjects=[(value, name) for value, name, _ in _subjects(desk)] if may_write else [],
        may_write=may_write,
        yesterday=desk.today - timedelta(days=1),
        what=what,
        fields=fields,
        problems=problems or {},
    )
