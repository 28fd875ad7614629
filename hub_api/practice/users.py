"""People who work here, for programs: who they are, what they may do where and until when, and their going."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from ehr_pm.acts import Act
from ehr_pm.organisation.models import Location
from ehr_pm.rows import get as get_row
from ehr_pm.users import repository, service
from ehr_pm.users.models import PrincipalRow, RoleAssignment, Staff
from ehr_pm.users.schemas import NewProgram, NewRole, NewStaff, StaffDetails
from hub_api.practice.answers import answer, as_json, refuse_stale
from hub_api.security.caller import Caller, address_of, caller_of
from hub_api.security.over import require_giving, require_over
from hub_api.security.permission import visible
from hub_api.services import services_of
from hub_core import second_factor
from hub_core.database import driver_connection
from hub_core.errors import AccessDeniedError, UnreadableError
from hub_core.fhir.canonical import Json
from hub_core.login_attempts import forget_attempts, seconds_to_wait
from hub_core.principals import authenticate_password

if TYPE_CHECKING:
    import psycopg

router = APIRouter(prefix="/api/practice", tags=["users"])


class Authenticator(BaseModel):
    """An authenticator that has taken a secret in, and the password of whoever holds it."""

    model_config = ConfigDict(extra="forbid")

    secret: str = Field(pattern=r"^[A-Z2-7]{32}$")
    code: str = Field(max_length=20)
    password: str = Field(max_length=1024)


@router.get("/staff")
async def list_staff(request: Request) -> Response:
    """Answer who works where the caller may see it, with the roles they hold or will hold."""
    places = visible(request, "user.read")

    def work(doing: Act) -> Response:
        held = repository.roles_of_all(doing.session, doing.moment)
        everybody = repository.staff(doing.session)
        shown = [row for row in everybody if _is_seen(held.get(row.principal_id, []), places)]
        doing.noted("staff.read", resource_type="Practitioner", people=str(len(shown)))
        return answer([_staff(row, held.get(row.principal_id, [])) for row in shown])

    return await services_of(request).act(caller_of(request), work)


@router.post("/staff", status_code=201)
async def add_staff(request: Request, told: NewStaff) -> Response:
    """Add a person who works here; the first password is answered once, and must be changed when they log in."""

    def work(doing: Act) -> Response:
        row, password = service.add_staff(doing, told)
        return answer(_staff(row, []) | {"password": password}, status=201, version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.get("/staff/{principal_id}")
async def read_staff(request: Request, principal_id: UUID) -> Response:
    """Answer a person who works here, with every role they held, hold or will hold."""
    places = visible(request, "user.read")

    def work(doing: Act) -> Response:
        row = get_row(doing.session, Staff, principal_id, "person")
        roles = repository.roles(doing.session, principal_id)
        if not _is_seen(roles, places):
            raise AccessDeniedError("they work elsewhere")
        doing.noted("staff.read", resource_type="Practitioner", resource_id=str(row.practitioner_id))
        return answer(_staff(row, roles), version=row.version)

    return await services_of(request).act(caller_of(request), work)


@router.put("/staff/{principal_id}")
async def change_staff(request: Request, principal_id: UUID, told: StaffDetails) -> Response:
    """Change what is known of a person who works here; If-Match must name the version that was read."""
    caller = caller_of(request)

    def work(doing: Act) -> Response:
        row = get_row(doing.session, Staff, principal_id, "person")
        require_over(caller, _driver(doing), principal_id)
        refuse_stale(request, row.version, is_required=True)
        service.change_staff(doing, row, told)
        return answer(_staff(row, repository.roles(doing.session, principal_id)), version=row.version)

    return await services_of(request).act(caller, work)


@router.post("/staff/{principal_id}/password")
async def reset_password(request: Request, principal_id: UUID) -> Response:
    """Answer a new first password of a person, whose sessions end."""
    caller = caller_of(request)

    def work(doing: Act) -> Response:
        get_row(doing.session, Staff, principal_id, "person")
        require_over(caller, _driver(doing), principal_id)
        return answer({"password": service.reset_password(doing, principal_id)})

    return await services_of(request).act(caller, work)


@router.post("/principals/{principal_id}/roles", status_code=201)
async def give_role(request: Request, principal_id: UUID, told: NewRole) -> Response:
    """Give somebody a role at a place the caller runs."""
    caller = caller_of(request)

    def work(doing: Act) -> Response:
        require_giving(caller, principal_id, _key(doing, told.location_id))
        row = service.give_role(doing, principal_id, told)
        return answer(_role(row), status=201, version=row.version)

    return await services_of(request).act(caller, work)


@router.post("/roles/{assignment_id}/end")
async def end_role(request: Request, assignment_id: UUID) -> Response:
    """Take a role away; If-Match may name the version that was read."""
    caller = caller_of(request)

    def work(doing: Act) -> Response:
        row = get_row(doing.session, RoleAssignment, assignment_id, "role")
        require_giving(caller, row.principal_id, None if row.location is None else row.location.key)
        refuse_stale(request, row.version)
        service.end_role(doing, row)
        return answer(_role(row), version=row.version)

    return await services_of(request).act(caller, work)


@router.post("/principals/{principal_id}/deactivate", status_code=204)
async def deactivate(request: Request, principal_id: UUID) -> Response:
    """End everything a person or program could come in by; their next request is refused."""
    caller = caller_of(request)

    def work(doing: Act) -> Response:
        get_row(doing.session, PrincipalRow, principal_id, "person or program")
        require_over(caller, _driver(doing), principal_id)
        service.deactivate(doing, principal_id)
        return Response(status_code=204)

    return await services_of(request).act(caller, work)


@router.post("/programs", status_code=201)
async def add_program(request: Request, told: NewProgram) -> Response:
    """Add a program with one role at one place; its token is answered once."""
    caller = caller_of(request)
    _refuse_programs(caller)

    def work(doing: Act) -> Response:
        require_giving(caller, UUID(int=0), _key(doing, told.location_id))
        issued = service.add_program(doing, told)
        told_once = {"principal_id": str(issued.principal_id), "token_id": str(issued.token_id), "token": issued.secret}
        return answer(told_once, status=201)

    return await services_of(request).act(caller, work)


@router.post("/second-factor")
async def propose_secret(request: Request) -> Response:
    """Answer a secret for the caller's authenticator; it counts once a code of it has been shown."""
    caller = caller_of(request)
    _refuse_programs(caller)
    secret = second_factor.new_secret()
    return answer({"secret": secret, "address": second_factor.address_of(secret, caller.principal.name)})


@router.put("/second-factor", status_code=204)
async def enrol(request: Request, told: Authenticator) -> Response:
    """Ask the caller for codes of this secret when they log in, from now on; their password shows that it is they."""
    services, caller = services_of(request), caller_of(request)
    _refuse_programs(caller)
    name, address = caller.principal.name, address_of(request)
    if await services.query(lambda connection: seconds_to_wait(connection, name, address)):
        raise AccessDeniedError("too many tries; wait a while")

    def work(doing: Act) -> Response:
        if authenticate_password(_driver(doing), name, told.password) is None:
            raise AccessDeniedError("this is not your password")
        if not second_factor.enrol(
            _driver(doing), caller.principal.principal_id, told.secret, told.code, services.keyring
        ):
            raise UnreadableError("this is not a code of the secret", location="code", code="value")
        forget_attempts(_driver(doing), name, address)
        doing.noted("second_factor.enrol", subject=str(caller.principal.principal_id))
        return Response(status_code=204)

    return await services.act(caller, work)


@router.delete("/principals/{principal_id}/second-factor", status_code=204)
async def forget_second_factor(request: Request, principal_id: UUID) -> Response:
    """Ask a person for no more codes, because their authenticator is lost."""
    caller = caller_of(request)

    def work(doing: Act) -> Response:
        require_over(caller, _driver(doing), principal_id)
        service.forget_second_factor(doing, principal_id)
        return Response(status_code=204)

    return await services_of(request).act(caller, work)


def _refuse_programs(caller: Caller) -> None:
    if caller.way != "session":
        raise AccessDeniedError("only a person who is logged in does this")


def _is_seen(roles: list[RoleAssignment], places: frozenset[str] | None) -> bool:
    """Return whether somebody with these roles works at one of these places, or nowhere yet."""
    if places is None or not roles:
        return True
    return any(role.location is not None and role.location.key in places for role in roles)


def _key(doing: Act, location_id: UUID | None) -> str | None:
    return None if location_id is None else get_row(doing.session, Location, location_id, "location").key


def _staff(row: Staff, roles: list[RoleAssignment]) -> Json:
    return as_json(row) | {
        "name": row.principal.name,
        "is_active": row.principal.disabled_at is None,
        "licences": [as_json(each, "principal_id") for each in row.licences],
        "roles": [_role(each) for each in roles],
    }


def _role(row: RoleAssignment) -> Json:
    return as_json(row) | {"location": None if row.location is None else row.location.key}


def _driver(doing: Act) -> psycopg.Connection[Any]:
    return driver_connection(doing.session.connection())
