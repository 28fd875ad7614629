"""One person who works here: who they are, their licences and supervisor, every role with its dates, and their keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from ehr_pm.organisation.models import Location
from ehr_pm.rows import get
from ehr_pm.scheduling.walltime import to_instant
from ehr_pm.users import repository, service
from ehr_pm.users.models import Staff
from ehr_pm.users.schemas import NewRole, StaffDetails
from hub_api.security.over import require_giving, require_over
from hub_api.workspace import words
from hub_api.workspace.colleagues import GIVEN, seen
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import ChangedError, Difference, ProblemsError, Typed, differences, told, typed
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_core.database import driver_connection
from hub_core.errors import ConflictError, NotFoundError

router = APIRouter(route_class=PageRoute)

_LICENCES: Final = range(4)
_FIELDS: Final = ("family", "given", "npi", "taxonomy", "supervisor_id")
_LABELS: Final = {
    "family": "Family name",
    "given": "Given name",
    "npi": "NPI",
    "taxonomy": "Taxonomy",
    "supervisor_id": "Supervisor",
    **{
        f"{part}-{number}": f"Licence {number + 1}, {said}"
        for number in _LICENCES
        for part, said in (("licence-state", "state"), ("licence-number", "number"), ("licence-expires", "until"))
    },
}


class _Dates(BaseModel):
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@router.get("/work/users/{principal_id}")
async def show_colleague(request: Request, principal_id: UUID) -> Response:
    """Show somebody who works here."""
    return await at_desk(request, partial(_show, principal_id=principal_id))


@router.post("/work/users/{principal_id}/{what}")
async def change(request: Request, principal_id: UUID, what: str) -> Response:
    """Change something of somebody who works here, or show why not."""
    fields = await typed(request)

    def work(desk: Desk) -> str | None:
        if what not in _CHANGES:
            raise NotFoundError("there is nothing like that to change")
        get(desk.session, Staff, principal_id, "person")
        return _CHANGES[what](desk, principal_id, fields)

    shown = partial(_show, principal_id=principal_id, what=what)
    try:
        password = await at_desk(request, work)
    except ProblemsError as error:
        return await at_desk(request, partial(shown, fields=fields, problems=error.problems, status=422))
    except ChangedError:
        return await at_desk(request, partial(_show_both, principal_id=principal_id, fields=fields))
    except ConflictError as error:
        problems = {"": f"{str(error).capitalize()}."}
        return await at_desk(request, partial(shown, fields=fields, problems=problems, status=409))
    if password is not None:
        return await at_desk(request, partial(_show, principal_id=principal_id, password=password))
    return led_on(f"/work/users/{principal_id}")


def _change_details(desk: Desk, principal_id: UUID, fields: Typed) -> None:
    _require_over(desk, principal_id)
    row = get(desk.session, Staff, principal_id, "person")
    if fields["version"] != str(row.version):
        raise ChangedError("somebody else changed this person meanwhile")
    named = [_licence(fields, number) for number in _LICENCES]
    values: dict[str, Any] = fields.given(*_FIELDS)
    numbers = [number for number, each in zip(_LICENCES, named, strict=True) if each]
    parts = (("state", "licence-state"), ("number", "licence-number"), ("expires_on", "licence-expires"))
    names = {
        f"licences.{place}.{theirs}": f"{ours}-{number}"
        for place, number in enumerate(numbers)
        for theirs, ours in parts
    }
    details = told(StaffDetails, values | {"licences": [each for each in named if each]}, names)
    service.change_staff(desk.doing, row, details)


def _licence(fields: Typed, number: int) -> dict[str, str]:
    parts = {"state": "licence-state", "number": "licence-number", "expires_on": "licence-expires"}
    return {name: said for name, field in parts.items() if (said := fields[f"{field}-{number}"])}


def _give_role(desk: Desk, principal_id: UUID, fields: Typed) -> None:
    """Give a role from the beginning of a day until the end of another, on the clock of where the giver works."""
    dates = told(_Dates, fields.given("valid_from", "valid_to"))
    values: dict[str, Any] = fields.given("role", "location_id")
    if dates.valid_from is not None:
        values["valid_from"] = _midnight(desk, dates.valid_from)
    if dates.valid_to is not None:
        values["valid_to"] = _midnight(desk, dates.valid_to + timedelta(days=1))
    new = told(NewRole, values, {"": "valid_to"})
    key = None if new.location_id is None else get(desk.session, Location, new.location_id, "location").key
    require_giving(desk.caller, principal_id, key)
    service.give_role(desk.doing, principal_id, new)


def _midnight(desk: Desk, day: datetime) -> datetime:
    """Return when a day begins; of one that is today already, now."""
    local = datetime.combine(day.date(), time())
    return (
        max(to_instant(local, desk.here.zone), desk.doing.moment)
        if day.date() == desk.today
        else to_instant(local, desk.here.zone)
    )


def _reset_password(desk: Desk, principal_id: UUID, _: Typed) -> str:
    _require_over(desk, principal_id)
    return service.reset_password(desk.doing, principal_id)


def _forget_second_factor(desk: Desk, principal_id: UUID, _: Typed) -> None:
    _require_over(desk, principal_id)
    service.forget_second_factor(desk.doing, principal_id)


def _deactivate(desk: Desk, principal_id: UUID, _: Typed) -> None:
    _require_over(desk, principal_id)
    service.deactivate(desk.doing, principal_id)


_CHANGES: Final[Mapping[str, Callable[[Desk, UUID, Typed], str | None]]] = {
    "details": _change_details,
    "roles": _give_role,
    "password": _reset_password,
    "second-factor": _forget_second_factor,
    "deactivate": _deactivate,
}


def _require_over(desk: Desk, principal_id: UUID) -> None:
    require_over(desk.caller, driver_connection(desk.session.connection()), principal_id)


def _known(row: Staff) -> Typed:
    """Return what is known of somebody as their form would say it."""
    values = {name: [str(value)] for name in _FIELDS if (value := getattr(row, name)) is not None}
    for number, each in zip(_LICENCES, row.licences, strict=False):
        values |= {f"licence-state-{number}": [each.state], f"licence-number-{number}": [each.number]}
        values[f"licence-expires-{number}"] = [str(each.expires_on or "")]
    return Typed({**values, "version": [str(row.version)]})


def _show_both(desk: Desk, *, principal_id: UUID, fields: Typed) -> Response:
    """Show what was typed beside what somebody else has kept meanwhile."""
    _require_over(desk, principal_id)
    row = get(desk.session, Staff, principal_id, "person")
    both = differences(fields, _known(row), _LABELS)
    mine = fields.but(version=str(row.version))
    return _show(desk, principal_id=principal_id, what="details", fields=mine, conflict=both, status=409)


def _show(
    desk: Desk,
    *,
    principal_id: UUID,
    what: str = "",
    fields: Typed | None = None,
    problems: dict[str, str] | None = None,
    conflict: list[Difference] | None = None,
    password: str = "",
    status: int = 200,
) -> Response:
    desk.require("user.read")
    everybody = [each.staff for each in seen(desk)]
    row = next((each for each in everybody if each.principal_id == principal_id), None)
    if row is None:
        raise NotFoundError("there is nobody like that where your role reaches")
    desk.doing.noted("staff.read", resource_type="Practitioner", resource_id=str(row.practitioner_id))
    return page(
        desk,
        "colleague.html",
        status=status,
        staff=row,
        roles=repository.roles(desk.session, principal_id),
        known=fields if what == "details" and fields else _known(row),
        licences=_LICENCES,
        supervisors=[(each.principal_id, f"{each.family}, {each.given}") for each in everybody if each is not row],
        given=[(role, words.ROLES[role].capitalize()) for role, _ in GIVEN],
        places=[(place.location_id, place.name) for place in desk.places],
        may_write=desk.holds("user.write"),
        may_audit=desk.holds("audit.read"),
        what=what,
        fields=fields or Typed({}),
        problems=problems or {},
        conflict=conflict or [],
        password=password,
    )
