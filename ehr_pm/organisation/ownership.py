"""Who is master of the patients and of the schedule at a location: we, or a source whose feeds we receive.

Where another source is master, what it says becomes rows (`patients.receiving`, `scheduling.receiving`), and nobody
changes them here: two masters of one thing are none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, text

from ehr_pm.organisation import fhir
from ehr_pm.organisation.models import Location
from hub_core.errors import ConflictError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from ehr_pm.acts import Act
    from ehr_pm.organisation.schemas import Masters

_FLOW = frozenset({"arrived", "roomed", "in_visit", "checked_out", "noshow"})
"""Steps that may stay ours where another source schedules."""


class MasteredElsewhereError(ConflictError):
    """Another source is master of this; it is changed there."""


def set_masters(doing: Act, location: Location, told: Masters) -> None:
    """Say who is master at a location; what a new master said before is caught up with.

    Rows that were ours stay ours: they are given up or merged by people.
    """
    doing.change(location, **told.model_dump())
    for source in sorted({told.patients_from, told.schedule_from} - {None}, key=str):
        doing.session.execute(
            text(
                "INSERT INTO catching_up (location_id, source) VALUES (:location, :source)"
                " ON CONFLICT (location_id, source) DO UPDATE SET resource_key = 0"
            ),
            {"location": location.location_id, "source": source},
        )
    doing.done(
        "location.set_masters",
        fhir.location(location),
        location=location.key,
        patients=told.patients_from or "own",
        schedule=told.schedule_from or "own",
    )


def refuse_patients(location: Location) -> None:
    """Make sure that patients are registered by us at a location.

    Raises:
        MasteredElsewhereError: if another source keeps them.
    """
    if location.patients_from is not None:
        raise MasteredElsewhereError(f"patients of {location.name} are kept in {location.patients_from}; do it there")


def refuse_schedule(location: Location) -> None:
    """Make sure that visits are booked by us at a location.

    Raises:
        MasteredElsewhereError: if another source schedules them.
    """
    if location.schedule_from is not None:
        raise MasteredElsewhereError(f"visits at {location.name} are booked in {location.schedule_from}; do it there")


def refuse_received(received_from: str | None, what: str) -> None:
    """Make sure that a row is ours to change.

    Raises:
        MasteredElsewhereError: if another source is its master.
    """
    if received_from is not None:
        raise MasteredElsewhereError(f"this {what} is kept in {received_from}; change it there")


def refuse_step(location: Location, received_from: str | None, status: str) -> None:
    """Make sure that a visit may take a step here: one that another source schedules only through the day's flow.

    What a source scheduled that is master here no longer is seen to here as well.

    Raises:
        MasteredElsewhereError: if the source must say it.
    """
    is_followed_here = location.flow_is_ours or location.schedule_from is None
    if not (is_followed_here and status in _FLOW):
        refuse_received(received_from, "visit")


@dataclass(frozen=True, slots=True)
class Mastered:
    """Where other sources are masters, and of what."""

    locations: tuple[Location, ...]

    @property
    def sources(self) -> list[str]:
        """Return the sources that are master of anything."""
        found = {source for each in self.locations for source in (each.patients_from, each.schedule_from) if source}
        return sorted(found)

    def of_patients(self, source: str, key: str | None) -> Location | None:
        """Return the location whose patients `source` keeps, when it speaks of the location `key`."""
        return _place((each for each in self.locations if each.patients_from == source), key)

    def of_schedule(self, source: str, key: str | None) -> Location | None:
        """Return the location whose visits `source` schedules, when it speaks of the location `key`."""
        return _place((each for each in self.locations if each.schedule_from == source), key)


def mastered(session: Session) -> Mastered:
    """Return where other sources are masters."""
    query = select(Location).where(Location.patients_from.is_not(None) | Location.schedule_from.is_not(None))
    return Mastered(tuple(session.scalars(query.order_by(Location.key))))


def _place(locations: Iterable[Location], key: str | None) -> Location | None:
    """Return the one of these locations that is meant; a feed that names none means the only one there is."""
    found = [each for each in locations if key in (None, each.key)]
    return found[0] if len(found) == 1 else None
