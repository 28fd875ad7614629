"""How the group is run, for programs: organizations, locations with hours and rooms, departments, payers."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from ehr_pm.acts import Act
from ehr_pm.organisation import repository, service
from ehr_pm.organisation.models import Location, Organization, Room
from ehr_pm.organisation.schemas import (
    Hours,
    Name,
    NewDepartment,
    NewLocation,
    NewOrganization,
    NewPayer,
    NewRoom,
    hours_do_not_overlap,
)
from ehr_pm.rows import get as get_row
from hub_api.practice.answers import answer, as_json, refuse_stale
from hub_api.security.caller import caller_of
from hub_api.security.permission import require
from hub_api.services import services_of
from hub_core.access import Subject
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json

router = APIRouter(prefix="/api/practice", tags=["organisation"])

_WHOLE_GROUP: Final = Subject(frozenset())
"""What belongs to no one location is changed by whoever runs the whole group."""


class NewChartGroup(BaseModel):
    """Locations that will share their patients' charts."""

    model_config = ConfigDict(extra="forbid")

    name: Name


@router.get("/organizations")
async def list_organizations(request: Request) -> Response:
    """Answer the legal bodies of the group."""

    def work(doing: Act) -> Response:
        rows = doing.session.scalars(select(Organization).order_by(Organization.name))
        doing.noted("organization.read", resource_type="Organization")
        return answer([as_json(row) for row in rows])

    return await services_of(request).act(caller_of(request), work)


@router.post("/organizations", status_code=201)
async def add_organization(request: Request, told: NewOrganization) -> Response:
    """Add a legal body of the group."""

    def work(doing: Act) -> Response:
        require(request, "organisation.write", _WHOLE_GROUP)
        row = service.add_organization(doing, told)
        return answer(as_json(row), status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.post("/chart-groups", status_code=201)
async def add_chart_group(request: Request, told: NewChartGroup) -> Response:
    """Add a group of locations that share their patients' charts."""

    def work(doing: Act) -> Response:
        require(request, "organisation.write", _WHOLE_GROUP)
        row = service.add_chart_group(doing, told.name)
        return answer(as_json(row), status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.get("/locations")
async def list_locations(request: Request) -> Response:
    """Answer the places of care that are open."""

    def work(doing: Act) -> Response:
        rows = repository.locations(doing.session)
        doing.noted("location.read", resource_type="Location")
        return answer([_location(row) for row in rows])

    return await services_of(request).act(caller_of(request), work)


@router.post("/locations", status_code=201)
async def add_location(request: Request, told: NewLocation) -> Response:
    """Add a place of care."""

    def work(doing: Act) -> Response:
        require(request, "organisation.write", _WHOLE_GROUP)
        row = service.add_location(doing, told)
        return answer(_location(row), status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.get("/locations/{location_id}")
async def read_location(request: Request, location_id: UUID) -> Response:
    """Answer a place of care."""

    def work(doing: Act) -> Response:
        row = get_row(doing.session, Location, location_id, "location")
        doing.noted("location.read", resource_type="Location", resource_id=str(location_id), location=row.key)
        return answer(_location(row), version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.put("/locations/{location_id}/hours")
async def set_hours(
    request: Request, location_id: UUID, told: Annotated[list[Hours], Field(max_length=70)]
) -> Response:
    """Replace the opening hours of a location; If-Match must name the version that was read."""
    if not hours_do_not_overlap(told):
        raise UnreadableError("its hours overlap", code="value")

    def work(doing: Act) -> Response:
        row = _mine(request, doing, location_id)
        refuse_stale(request, row.version, is_required=True)
        service.set_hours(doing, row, told)
        return answer(_location(row), version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.post("/locations/{location_id}/close")
async def close_location(request: Request, location_id: UUID) -> Response:
    """Take a location out of use; If-Match must name the version that was read."""

    def work(doing: Act) -> Response:
        row = get_row(doing.session, Location, location_id, "location")
        require(request, "organisation.write", _WHOLE_GROUP)
        refuse_stale(request, row.version, is_required=True)
        service.close_location(doing, row)
        return answer(_location(row), version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.get("/locations/{location_id}/rooms")
async def list_rooms(request: Request, location_id: UUID) -> Response:
    """Answer the rooms and devices of a location that can be booked."""

    def work(doing: Act) -> Response:
        row = get_row(doing.session, Location, location_id, "location")
        doing.noted("room.read", resource_type="Location", resource_id=str(location_id), location=row.key)
        return answer([as_json(each) for each in repository.rooms(doing.session, location_id)])

    return await services_of(request).act(caller_of(request), work)


@router.post("/rooms", status_code=201)
async def add_room(request: Request, told: NewRoom) -> Response:
    """Add a room or a device that can be booked."""

    def work(doing: Act) -> Response:
        _mine(request, doing, told.location_id)
        row = service.add_room(doing, told)
        return answer(as_json(row), status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.post("/rooms/{room_id}/close")
async def close_room(request: Request, room_id: UUID) -> Response:
    """Take a room or device out of use; If-Match may name the version that was read."""

    def work(doing: Act) -> Response:
        row = get_row(doing.session, Room, room_id, "room")
        _mine(request, doing, row.location_id)
        refuse_stale(request, row.version)
        service.close_room(doing, room_id)
        return answer(as_json(row), version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.post("/departments", status_code=201)
async def add_department(request: Request, told: NewDepartment) -> Response:
    """Add a part of a location."""

    def work(doing: Act) -> Response:
        _mine(request, doing, told.location_id)
        row = service.add_department(doing, told)
        return answer(as_json(row), status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.get("/payers")
async def list_payers(request: Request) -> Response:
    """Answer the payers in use."""

    def work(doing: Act) -> Response:
        rows = repository.payers(doing.session)
        doing.noted("payer.read", resource_type="Organization")
        return answer([as_json(row) for row in rows])

    return await services_of(request).act(caller_of(request), work)


@router.post("/payers", status_code=201)
async def add_payer(request: Request, told: NewPayer) -> Response:
    """Add a payer."""

    def work(doing: Act) -> Response:
        require(request, "organisation.write", _WHOLE_GROUP)
        row = service.add_payer(doing, told)
        return answer(as_json(row), status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


def _mine(request: Request, doing: Act, location_id: UUID) -> Location:
    """Return a location the caller runs."""
    row = get_row(doing.session, Location, location_id, "location")
    require(request, "organisation.write", Subject(frozenset({row.key})))
    return row


def _location(row: Location) -> Json:
    hours = [
        {"weekday": each.weekday, "opens": each.opens.isoformat(), "closes": each.closes.isoformat()}
        for each in row.hours
    ]
    return as_json(row) | {"hours": hours}
