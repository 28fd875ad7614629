"""People who work here and their roles: who may do what where; adding somebody, and ending a role."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ehr_pm.users import repository, service
from ehr_pm.users.models import RoleAssignment, Staff
from ehr_pm.users.schemas import NewStaff
from hub_api.security.over import require_giving
from hub_api.security.permission import visible
from hub_api.workspace import words
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import NOTHING_TYPED, ProblemsError, Typed, told, typed
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_core.errors import ConflictError

router = APIRouter(route_class=PageRoute)

GIVEN: Final = tuple(
    (role, words.ROLES[role].capitalize())
    for role in ("front_desk", "medical_assistant", "clinician", "biller", "manager", "analyst", "privacy_officer")
)
"""Roles the page gives; an administrator is made through the interface for programs, by an administrator."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who works here, with the roles they hold or will hold."""

    staff: Staff
    roles: tuple[RoleAssignment, ...]


@router.get("/work/users")
async def show_people(request: Request) -> Response:
    """Show who works where the caller may see it."""
    return await at_desk(request, _show)


@router.post("/work/users")
async def add_person(request: Request) -> Response:
    """Add a person; their first password is shown this once."""
    fields = await typed(request)
    try:
        name, password = await at_desk(request, partial(_add, fields=fields))
    except ProblemsError as error:
        return await at_desk(request, partial(_show, fields=fields, problems=error.problems, status=422))
    except ConflictError as error:
        problems = {"name": f"{str(error).capitalize()}."}
        return await at_desk(request, partial(_show, fields=fields, problems=problems, status=409))
    return await at_desk(request, partial(_show, added=(name, password)))


@router.post("/work/roles/{assignment_id}/end")
async def end_role(request: Request, assignment_id: UUID) -> Response:
    """Take a role away."""

    def end(desk: Desk) -> UUID:
        row = repository.get_role(desk.session, assignment_id)
        require_giving(desk.caller, row.principal_id, None if row.location is None else row.location.key)
        service.end_role(desk.doing, row)
        return row.principal_id

    return led_on(f"/work/users/{await at_desk(request, end)}")


def seen(desk: Desk) -> list[Colleague]:
    """Return who works where the caller may see it; who has no role yet is seen by all who see people."""
    places = visible(desk.request, "user.read")
    held = repository.roles_of_all(desk.session, desk.doing.moment)
    everybody = (Colleague(row, tuple(held.get(row.principal_id, []))) for row in repository.staff(desk.session))
    return [
        Colleague(each.staff, tuple(role for role in each.roles if _is_at(role, places)))
        for each in everybody
        if not each.roles or any(_is_at(role, places) for role in each.roles)
    ]


def _is_at(role: RoleAssignment, places: frozenset[str] | None) -> bool:
    return places is None or (role.location is not None and role.location.key in places)


def _add(desk: Desk, *, fields: Typed) -> tuple[str, str]:
    desk.require("user.write")
    row, password = service.add_staff(desk.doing, told(NewStaff, fields.given("name", "family", "given", "npi")))
    return row.principal.name, password


def _show(
    desk: Desk,
    *,
    fields: Typed = NOTHING_TYPED,
    problems: dict[str, str] | None = None,
    added: tuple[str, str] | None = None,
    status: int = 200,
) -> Response:
    desk.require("user.read")
    people = seen(desk)
    desk.doing.noted("staff.read", resource_type="Practitioner", people=str(len(people)))
    return page(
        desk,
        "people.html",
        status=status,
        people=people,
        may_write=desk.holds("user.write"),
        may_audit=desk.holds("audit.read"),
        fields=fields,
        problems=problems or {},
        added=added,
    )
