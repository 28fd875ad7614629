"""How the group is run: its legal bodies, locations, chart-sharing groups and payers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from ehr_pm.organisation import repository, service
from ehr_pm.organisation.schemas import Name, NewLocation, NewOrganization, NewPayer
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.forms import NOTHING_TYPED, ProblemsError, Typed, told, typed
from hub_api.workspace.pages import PageRoute, led_on, page
from hub_core.access import Subject
from hub_core.errors import ConflictError, NotFoundError

router = APIRouter(route_class=PageRoute)

WHOLE_GROUP: Final = Subject(frozenset())
"""What belongs to no one location is changed by whoever runs the whole group."""

Add: TypeAlias = Callable[[Desk, Typed], object]

_LOCATION: Final = (
    "key",
    "organization_id",
    "name",
    "zone",
    "chart_group_id",
    "place_of_service",
    "npi",
    "clia",
    "phone",
    "address_line",
    "city",
    "state",
    "postal_code",
)


class _Named(BaseModel):
    name: Name


def _add_payer(desk: Desk, fields: Typed) -> object:
    values: dict[str, Any] = fields.given("number", "name", "filing_indicator")
    ticks = ("answers_eligibility", "takes_claims", "sends_remittances")
    return service.add_payer(desk.doing, told(NewPayer, values | {each: bool(fields[each]) for each in ticks}))


_ADD: Final[dict[str, Add]] = {
    "organization": lambda desk, fields: service.add_organization(
        desk.doing, told(NewOrganization, fields.given("name", "npi", "tax_id"))
    ),
    "chart-group": lambda desk, fields: service.add_chart_group(desk.doing, told(_Named, fields.given("name")).name),
    "location": lambda desk, fields: service.add_location(desk.doing, told(NewLocation, fields.given(*_LOCATION))),
    "payer": _add_payer,
}


@router.get("/work/organisation")
async def show_organisation(request: Request) -> Response:
    """Show how the group is run."""
    return await at_desk(request, _show)


@router.post("/work/organisation/{kind}")
async def add(request: Request, kind: str) -> Response:
    """Add a legal body, a chart-sharing group, a location or a payer; or show why not."""
    fields = await typed(request)

    def work(desk: Desk) -> None:
        if kind not in _ADD:
            raise NotFoundError("there is nothing like that to add")
        desk.require("organisation.write", WHOLE_GROUP)
        _ADD[kind](desk, fields)

    try:
        await at_desk(request, work)
    except ProblemsError as error:
        problems, status = error.problems, 422
    except ConflictError as error:
        problems, status = {"": f"{str(error).capitalize()}."}, 409
    else:
        return led_on("/work/organisation")
    return await at_desk(request, partial(_show, kind=kind, fields=fields, problems=problems, status=status))


def _show(
    desk: Desk,
    *,
    kind: str = "",
    fields: Typed = NOTHING_TYPED,
    problems: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    desk.require("organisation.read")
    desk.doing.noted("organisation.read", resource_type="Location")
    return page(
        desk,
        "organisation.html",
        status=status,
        locations=repository.locations(desk.session, only_active=False),
        organizations=repository.organizations(desk.session),
        groups=repository.chart_groups(desk.session),
        payers=repository.payers(desk.session),
        may_write=desk.may("organisation.write", WHOLE_GROUP),
        kind=kind,
        fields=fields,
        problems=problems or {},
    )
