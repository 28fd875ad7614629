"""What can be offered to those on the waitlist: for each, the first openings in which they would come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, NaiveDatetime
from sqlalchemy import select
from sqlalchemy.orm import Session

from ehr_pm.patients.models import Patient
from ehr_pm.scheduling import repository
from ehr_pm.scheduling.models import Bookable, VisitType, WaitlistEntry
from ehr_pm.scheduling.openings import Calendar
from ehr_pm.scheduling.walltime import day_span, to_local

AHEAD: Final = 14
"""Days in which openings are looked for."""
MOST: Final = 3
"""Openings offered to one."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A time somebody could have."""

    start: datetime
    """What the clock on the wall shows."""
    bookable: Bookable

    @property
    def value(self) -> str:
        """Return what a form sends for it."""
        return f"{self.start.isoformat(timespec='minutes')} {self.bookable.bookable_id}"


class Chosen(BaseModel):
    """The offer that somebody takes, as a form says it."""

    model_config = ConfigDict(frozen=True)

    start: NaiveDatetime
    bookable_id: UUID


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who waits, and what could be offered to them."""

    entry: WaitlistEntry
    patient: Patient
    visit_type: VisitType
    offers: tuple[Offer, ...]


def waiting(
    session: Session, location_id: UUID, clinicians: Sequence[Bookable], zone: ZoneInfo, moment: datetime
) -> list[Waiting]:
    """Return who waits at a location, the most urgent first, in as many statements however many they are.

    Args:
        session: where to look.
        location_id: the location.
        clinicians: who could see them, with their rules.
        zone: of the location.
        moment: now.
    """
    query = (
        select(WaitlistEntry, Patient, VisitType)
        .join(Patient, Patient.patient_id == WaitlistEntry.patient_id)
        .join(VisitType, VisitType.visit_type_id == WaitlistEntry.visit_type_id)
        .where(WaitlistEntry.location_id == location_id, WaitlistEntry.state == "waiting")
        .order_by(WaitlistEntry.priority, WaitlistEntry.created_at)
        .limit(100)
    )
    today = to_local(moment, zone).date()
    days = [today + timedelta(days=number) for number in range(AHEAD)]
    window = (day_span(days[0], zone)[0], day_span(days[-1], zone)[1])
    known = repository.calendars(session, clinicians, window, zone)
    return [
        Waiting(entry, patient, kind, tuple(_offers(entry, kind, clinicians, known, days, moment)))
        for entry, patient, kind in session.execute(query)
    ]


def _offers(
    entry: WaitlistEntry,
    kind: VisitType,
    clinicians: Sequence[Bookable],
    known: dict[UUID, Calendar],
    days: Sequence[date],
    moment: datetime,
) -> list[Offer]:
    wanted = [each for each in clinicians if entry.bookable_id in (None, each.bookable_id)]
    fitting = [day for day in days if entry.not_before <= day <= entry.not_after]
    found = [
        offer for each in wanted for offer in islice(_of(each, known[each.bookable_id], kind, fitting, moment), MOST)
    ]
    return sorted(found, key=lambda offer: (offer.start, offer.bookable.name))[:MOST]


def _of(
    bookable: Bookable, calendar: Calendar, kind: VisitType, days: Sequence[date], moment: datetime
) -> Iterator[Offer]:
    before = timedelta(minutes=kind.minutes_before)
    lasting = before + timedelta(minutes=kind.minutes + kind.minutes_after)
    for begins, ends in calendar.free_hours(days, kind.visit_type_id):
        start = begins
        while start + lasting <= ends:
            if start + before > moment and calendar.free_lane((start, start + lasting)):
                yield Offer(to_local(start + before, calendar.zone), bookable)
            start += lasting
