"""One location: what is known of it, hours, rooms, devices and departments, and who keeps its patients and visits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, model_validator

from ehr_pm.organisation import ownership, repository, service
from ehr_pm.organisation.models import Location
from ehr_pm.organisation.schemas import (
    Hours,
    LocationDetails,
    Masters,
    NewDepartment,
    NewRoom,
    hours_do_not_overlap,
)
from ehr_pm.rows import get
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import ChangedError, Difference, ProblemsError, Typed, differences, told, typed
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_core.access import Subject
from hub_core.errors import ConflictError, NotFoundError

router = APIRouter(route_class=PageRoute)

_LABELS: Final = {
    "name": "Name",
    "chart_group_id": "Shares charts with",
    "place_of_service": "Place of service",
    "npi": "NPI",
    "clia": "CLIA number",
    "phone": "Telephone",
    "address_line": "Street",
    "city": "City",
    "state": "State",
    "postal_code": "ZIP code",
    "sensitivity": "A programme under 42 CFR Part 2",
}
_PARTS: Final = ("", "-2")
"""A day may be open twice: before and after noon."""


class _Hours(BaseModel):
    hours: tuple[Hours, ...]

    @model_validator(mode="after")
    def _do_not_overlap(self) -> _Hours:
        if not hours_do_not_overlap(self.hours):
            raise ValueError("its hours overlap")
        return self


@router.get("/work/locations/{location_id}")
async def show_location(request: Request, location_id: UUID) -> Response:
    """Show a location."""
    return await at_desk(request, partial(_show, location_id=location_id))


@router.post("/work/locations/{location_id}/{what}")
async def change(request: Request, location_id: UUID, what: str) -> Response:
    """Change something of a location, or show why not."""
    fields = await typed(request)

    def work(desk: Desk) -> None:
        if what not in _CHANGES:
            raise NotFoundError("there is nothing like that to change")
        _CHANGES[what](desk, _mine(desk, location_id), fields)

    shown = partial(_show, location_id=location_id, what=what)
    try:
        await at_desk(request, work)
    except ProblemsError as error:
        return await at_desk(request, partial(shown, fields=fields, problems=error.problems, status=422))
    except ChangedError:
        return await at_desk(request, partial(_show_both, location_id=location_id, fields=fields))
    except ConflictError as error:
        problems = {"": f"{str(error).capitalize()}."}
        return await at_desk(request, partial(shown, fields=fields, problems=problems, status=409))
    return led_on(f"/work/locations/{location_id}")


def _change_details(desk: Desk, row: Location, fields: Typed) -> None:
    if fields["version"] != str(row.version):
        raise ChangedError("somebody else changed this location meanwhile")
    service.change_location(desk.doing, row, told(LocationDetails, fields.given(*_LABELS)))


def _change_hours(desk: Desk, row: Location, fields: Typed) -> None:
    named = [
        {"weekday": day, "opens": fields[f"opens-{day}{part}"], "closes": fields[f"closes-{day}{part}"]}
        for day in range(1, 8)
        for part in _PARTS
        if fields[f"opens-{day}{part}"] or fields[f"closes-{day}{part}"]
    ]
    try:
        hours = told(_Hours, {"hours": named}).hours
    except ProblemsError:
        raise ProblemsError({"hours": "Each day opens before it closes, and its two parts do not overlap."}) from None
    service.set_hours(desk.doing, row, hours)


def _add_room(desk: Desk, row: Location, fields: Typed) -> None:
    values: dict[str, Any] = fields.given("kind", "name", "capacity")
    service.add_room(desk.doing, told(NewRoom, values | {"location_id": row.location_id}))


def _close_room(desk: Desk, row: Location, fields: Typed) -> None:
    rooms = repository.rooms(desk.session, row.location_id)
    room = next((each for each in rooms if str(each.room_id) == fields["room"]), None)
    if room is None:
        raise NotFoundError("there is no such room here")
    service.close_room(desk.doing, room.room_id)


def _add_department(desk: Desk, row: Location, fields: Typed) -> None:
    values: dict[str, Any] = fields.given("name")
    service.add_department(desk.doing, told(NewDepartment, values | {"location_id": row.location_id}))


def _set_masters(desk: Desk, row: Location, fields: Typed) -> None:
    values: dict[str, Any] = fields.given("patients_from", "schedule_from")
    masters = told(Masters, values | {"flow_is_ours": bool(fields["flow_is_ours"])}, {"": "schedule_from"})
    ownership.set_masters(desk.doing, row, masters)


def _close(desk: Desk, row: Location, fields: Typed) -> None:
    if fields["sure"] != row.key:
        raise ProblemsError({"sure": f"Type {row.key} to close it."})
    service.close_location(desk.doing, row)


_CHANGES: Final[Mapping[str, Callable[[Desk, Location, Typed], None]]] = {
    "details": _change_details,
    "hours": _change_hours,
    "rooms": _add_room,
    "close-room": _close_room,
    "departments": _add_department,
    "masters": _set_masters,
    "close": _close,
}


def _mine(desk: Desk, location_id: UUID) -> Location:
    row = get(desk.session, Location, location_id, "location")
    desk.require("organisation.write", Subject(frozenset({row.key})))
    return row


def _known(row: Location) -> Typed:
    """Return what is known of a location as its form would say it."""
    values = {name: [str(value)] for name in _LABELS if (value := getattr(row, name)) is not None}
    for day in range(1, 8):
        spans = [each for each in row.hours if each.weekday == day]
        for part, span in zip(_PARTS, spans, strict=False):
            values |= {f"opens-{day}{part}": [f"{span.opens:%H:%M}"], f"closes-{day}{part}": [f"{span.closes:%H:%M}"]}
    values |= {name: [value] for name in ("patients_from", "schedule_from") if (value := getattr(row, name))}
    return Typed({**values, "version": [str(row.version)], "flow_is_ours": ["yes"] if row.flow_is_ours else []})


def _show_both(desk: Desk, *, location_id: UUID, fields: Typed) -> Response:
    """Show what was typed beside what somebody else has kept meanwhile."""
    row = _mine(desk, location_id)
    both = differences(fields, _known(row), _LABELS)
    mine = fields.but(version=str(row.version))
    return _show(desk, location_id=location_id, what="details", fields=mine, conflict=both, status=409)


def _show(
    desk: Desk,
    *,
    location_id: UUID,
    what: str = "",
    fields: Typed | None = None,
    problems: dict[str, str] | None = None,
    conflict: list[Difference] | None = None,
    status: int = 200,
) -> Response:
    row = get(desk.session, Location, location_id, "location")
    desk.require("organisation.read", Subject(frozenset({row.key})))
    desk.doing.noted("location.read", resource_type="Location", resource_id=str(location_id), location=row.key)
    known = _known(row)
    return page(
        desk,
        "location.html",
        status=status,
        location=row,
        known=fields if what == "details" and fields else known,
        hours=fields if what == "hours" and fields else known,
        masters=fields if what == "masters" and fields else known,
        fields=fields or Typed({}),
        groups=[(each.chart_group_id, each.name) for each in repository.chart_groups(desk.session)],
        rooms=repository.rooms(desk.session, location_id),
        departments=repository.departments(desk.session, location_id),
        may_write=desk.may("organisation.write", Subject(frozenset({row.key}))),
        what=what,
        problems=problems or {},
        conflict=conflict or [],
    )
