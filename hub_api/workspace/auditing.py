"""Reading the audit trail: who saw a patient, and what somebody did, as far as the reader's roles reach.

Narrowed by days, outcome and what was done; page after page; and to take along as a table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from ehr_pm.record import queries
from hub_api.security.permission import visible
from hub_api.workspace.colleagues import seen
from hub_api.workspace.desk import Desk, at_desk
from hub_api.workspace.doings import done
from hub_api.workspace.exporting import table
from hub_api.workspace.pages import PageRoute, page
from hub_api.workspace.reach import patient_for
from hub_core.auditing import searching
from hub_core.auditing.searching import Place, Wanted
from hub_core.clock import instant
from hub_core.database import driver_connection
from hub_core.errors import NotFoundError

if TYPE_CHECKING:
    import psycopg

    from hub_core.auditing.questions import Seen

router = APIRouter(route_class=PageRoute)

_PAGE: Final = 100
_MOST_EXPORTED: Final = 20_000
_HEAD: Final = ("When (UTC)", "Who", "What", "Of what", "Patient", "Where", "Why", "Outcome")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a page of the trail is narrowed to, and where it goes on."""

    since: date | None = None
    until: date | None = None
    """The last day shown."""
    outcome: Literal["", "success", "refused", "failed"] = ""
    doing: Annotated[str, Query(max_length=60)] = ""
    """An action, as `chart.read`."""
    after_at: datetime | None = None
    after_id: UUID | None = None

    def narrow(self, wanted: Wanted) -> Wanted:
        """Return which events are wanted within these filters."""
        return replace(
            wanted,
            since=None if self.since is None else datetime.combine(self.since, time(), UTC),
            until=None if self.until is None else datetime.combine(self.until, time(), UTC) + timedelta(days=1),
            outcomes=[self.outcome] if self.outcome else None,
            actions=[self.doing] if self.doing else None,
        )

    @property
    def place(self) -> Place | None:
        """Return where the page before ended."""
        return Place(self.after_at, self.after_id) if self.after_at and self.after_id else None

    def address(self, **more: str) -> str:
        """Return the filters as the end of an address."""
        said = {"since": self.since, "until": self.until, "outcome": self.outcome, "doing": self.doing}
        kept = {name: str(value) for name, value in said.items() if value}
        return "?" + urlencode(kept | more) if kept or more else ""


_Filters = Annotated[Filters, Depends()]


@dataclass(frozen=True, slots=True)
class _Trail:
    """Whose trail is read."""

    title: str
    wanted: Wanted
    patient_id: UUID | None = None
    subject: str = ""


@router.get("/work/patients/{patient_id}/audit")
async def show_who_saw(request: Request, patient_id: UUID, filters: _Filters) -> Response:
    """Show who saw a patient, and who did what with their records."""
    return await at_desk(request, partial(_show, of=partial(_of_patient, patient_id=patient_id), filters=filters))


@router.get("/work/patients/{patient_id}/audit/table")
async def take_who_saw(request: Request, patient_id: UUID, filters: _Filters) -> Response:
    """Answer who saw a patient as a table of comma-separated values."""
    return await at_desk(request, partial(_take, of=partial(_of_patient, patient_id=patient_id), filters=filters))


@router.get("/work/users/{principal_id}/audit")
async def show_what_they_did(request: Request, principal_id: UUID, filters: _Filters) -> Response:
    """Show what somebody did."""
    return await at_desk(request, partial(_show, of=partial(_of_person, principal_id=principal_id), filters=filters))


@router.get("/work/users/{principal_id}/audit/table")
async def take_what_they_did(request: Request, principal_id: UUID, filters: _Filters) -> Response:
    """Answer what somebody did as a table of comma-separated values."""
    return await at_desk(request, partial(_take, of=partial(_of_person, principal_id=principal_id), filters=filters))


def _of_patient(desk: Desk, *, patient_id: UUID) -> _Trail:
    patient, _ = patient_for(desk, patient_id, "audit.read")
    connection = _driver(desk)
    members = queries.members(connection, queries.persons_of(connection, [patient.patient_id], limit=1))
    records = {patient.patient_id, *(each.patient_id for each in members)}
    # Whoever reads the trail of a patient sees who came from elsewhere: that is what it is for.
    return _Trail(f"Who saw patient {patient.mrn}", Wanted(patient_ids=sorted(records)), patient.patient_id)


def _of_person(desk: Desk, *, principal_id: UUID) -> _Trail:
    desk.require("audit.read")
    name = next((each.staff.principal.name for each in seen(desk) if each.staff.principal_id == principal_id), None)
    if name is None:
        raise NotFoundError("there is nobody like that where your role reaches")
    wanted = Wanted(principal_ids=[principal_id], places=visible(desk.request, "audit.read"))
    return _Trail(f"What {name} did", wanted, subject=str(principal_id))


def _show(desk: Desk, *, of: Callable[[Desk], _Trail], filters: Filters) -> Response:
    trail = of(desk)
    events = list(searching.find(_driver(desk), filters.narrow(trail.wanted), limit=_PAGE + 1, after=filters.place))
    _note(desk, trail, "audit.read", len(events[:_PAGE]))
    older = ""
    if len(events) > _PAGE:
        last = events[_PAGE - 1]
        older = filters.address(after_at=last.recorded_at.isoformat(), after_id=str(last.event_id))
    return page(
        desk,
        "audit.html",
        title=trail.title,
        events=events[:_PAGE],
        filters=filters,
        older=older,
        path=desk.request.url.path,
    )


def _take(desk: Desk, *, of: Callable[[Desk], _Trail], filters: Filters) -> Response:
    trail = of(desk)
    events = list(searching.find(_driver(desk), filters.narrow(trail.wanted), limit=_MOST_EXPORTED))
    _note(desk, trail, "audit.export", len(events))
    return table("audit-trail.csv", _HEAD, map(_cells, events))


def _cells(event: Seen) -> tuple[Any, ...]:
    what = f"{event.resource_type}/{event.resource_id}" if event.resource_id else event.resource_type
    who = event.principal or "the house itself"
    rest = (event.patient_id, event.location, event.purpose, event.outcome)
    return (instant(event.recorded_at), who, done(event.action), what, *rest)


def _note(desk: Desk, trail: _Trail, action: str, count: int) -> None:
    """Put on record that the trail was read, or taken along."""
    kind = "Patient" if trail.patient_id else "Practitioner"
    detail = {"events": str(count)} | ({"subject": trail.subject} if trail.subject else {})
    named = str(trail.patient_id) if trail.patient_id else None
    desk.doing.noted(action, resource_type=kind, resource_id=named, patient_id=trail.patient_id, **detail)


def _driver(desk: Desk) -> psycopg.Connection[Any]:
    return driver_connection(desk.session.connection())
