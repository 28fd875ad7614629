"""The desk somebody works at: who they are, where they work now, and one act in which a page reads and writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import anyio.to_thread
from sqlalchemy import select

from ehr_pm.acts import Act, Actor, act
from ehr_pm.organisation.models import Location
from hub_api.security.caller import Caller, caller_of
from hub_api.security.permission import require, visible
from hub_api.services import services_of
from hub_core.access import NOTHING, Action, Subject, decide, holds
from hub_core.errors import NotFoundError

if TYPE_CHECKING:
    from fastapi import Request
    from sqlalchemy.orm import Session

T = TypeVar("T")

LOCATION_COOKIE = "wholechart_location"
"""Remembers at which location somebody works; a key of a location, nothing about patients."""


@dataclass(frozen=True, slots=True)
class Place:
    """A location somebody may work at."""

    location_id: UUID
    key: str
    name: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Desk:
    """What a page works with: one request of one person, in one act."""

    request: Request
    doing: Act
    places: tuple[Place, ...]
    place: Place | None
    """Where they work now; None when no role of theirs is held anywhere."""

    @property
    def caller(self) -> Caller:
        """Return who asks."""
        return caller_of(self.request)

    @property
    def session(self) -> Session:
        """Return the session in which the page reads."""
        return self.doing.session

    @property
    def here(self) -> Place:
        """Return where they work now.

        Raises:
            NotFoundError: if that is nowhere.
        """
        if self.place is None:
            raise NotFoundError("there is no location yet at which you could work")
        return self.place

    @property
    def now(self) -> datetime:
        """Return what the clock on the wall shows where they work."""
        return self.doing.moment.astimezone(self.here.zone)

    @property
    def today(self) -> date:
        """Return the day it is where they work."""
        return self.now.date()

    def require(self, action: Action, subject: Subject = NOTHING) -> None:
        """Return if they may do something.

        Raises:
            RefusedError: if not.
        """
        require(self.request, action, subject)

    def may(self, action: Action, subject: Subject = NOTHING) -> bool:
        """Return whether they may do something; what they may not is not offered."""
        return decide(self.caller.access, action, subject).is_allowed

    def holds(self, action: Action) -> bool:
        """Return whether they may do something anywhere."""
        return holds(self.caller.access, action)

    def place_of(self, location_id: UUID) -> Place:
        """Return a location among those they work at.

        Raises:
            NotFoundError: if it is not one of them.
        """
        found = next((place for place in self.places if place.location_id == location_id), None)
        if found is None:
            raise NotFoundError("there is no such location among those you work at")
        return found


async def at_desk(request: Request, work: Callable[[Desk], T]) -> T:
    """Return what `work` answers at the caller's desk, in one act on a thread; what it read is audited by then."""
    services, caller = services_of(request), caller_of(request)

    def run() -> T:
        with act(services.database, Actor(caller.principal.principal_id, None, caller.purpose)) as doing:
            places = _places(doing.session, visible(request, "schedule.read"))
            place = _chosen(places, request.query_params.get("location") or request.cookies.get(LOCATION_COOKIE))
            doing.actor = Actor(caller.principal.principal_id, None if place is None else place.key, caller.purpose)
            return work(Desk(request, doing, places, place))

    return await anyio.to_thread.run_sync(run, limiter=services.queries)


def _places(session: Session, keys: frozenset[str] | None) -> tuple[Place, ...]:
    columns = (Location.location_id, Location.key, Location.name, Location.zone)
    query = select(*columns).where(Location.is_active).order_by(Location.name)
    if keys is not None:
        query = query.where(Location.key.in_(keys))
    return tuple(Place(row.location_id, row.key, row.name, ZoneInfo(row.zone)) for row in session.execute(query))


def _chosen(places: tuple[Place, ...], key: str | None) -> Place | None:
    return next((place for place in places if place.key == key), places[0] if places else None)
