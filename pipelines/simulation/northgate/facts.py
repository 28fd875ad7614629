"""What is true at northgate when its month is over, and the intentions that make it so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.simulation.world import Demographics, Policy


@dataclass(frozen=True, slots=True)
class Intention:
    """One thing that somebody at northgate means to do, in words that any system understands."""

    key: str
    at: datetime
    """When, on the clock on the wall."""
    lane: str
    """The clinician whose patients it is about; what belongs to one clinician happens in order."""
    by: str
    do: str
    told: Mapping[str, object]
    refused: str = ""
    """Why it must not be done, where it is an attempt that a system has to refuse."""


@dataclass(slots=True)
class Record:
    """Somebody as northgate registered them; a person who was registered twice has two."""

    record_id: str
    person_id: str
    stated: Demographics
    exchange_number: str
    """The regional exchange's number, if they had it with them."""
    covered: list[tuple[datetime, Policy]] = field(default_factory=list)
    """What pays for them, and since when the desk knows."""
    merged_into: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """A policy as the desk wrote it down."""

    coverage_id: str
    policy: Policy


@dataclass(slots=True)
class Booking:
    """An appointment, and what became of it."""

    booking_id: str
    record_id: str
    clinician: str
    visit_type: str
    booked_at: datetime
    starts: datetime
    status: str = "booked"


@dataclass(slots=True)
class Merge:
    """Two records made one, and perhaps two again."""

    merge_id: str
    is_standing: bool = True


@dataclass(slots=True)
class Month:
    """All that happens at northgate."""

    intentions: list[Intention] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    coverages: list[Coverage] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)

    def join(self, other: Month) -> None:
        """Add another month of the same place."""
        for name in ("intentions", "records", "coverages", "bookings", "merges"):
            getattr(self, name).extend(getattr(other, name))
