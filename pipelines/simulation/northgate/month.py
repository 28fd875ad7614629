"""The month of northgate: who registers when, when they come, and what the desk gets wrong and puts right."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

from pipelines.simulation.northgate import attempts
from pipelines.simulation.northgate.desk import Desk, Outcome
from pipelines.simulation.northgate.diary import DAYS
from pipelines.simulation.northgate.facts import Booking, Month, Record
from pipelines.simulation.northgate.patients import Newcomer, newcomers
from pipelines.simulation.northgate.place import CLINICIANS
from pipelines.simulation.world import Chapter, Person

_MINUTE: Final = timedelta(minutes=1)
_REGISTERING_DAYS: Final = 10
"""So many days at the beginning see new patients; the others those who come again."""
_OUTCOMES: Final[tuple[tuple[float, Outcome], ...]] = ((0.15, "missed"), (0.25, "cancelled"), (1.0, "kept"))
_MOVED, _COMES_AGAIN, _COMES_LATER = 0.12, 0.45, 0.15
_LATER: Final = [date(2026, 12, day) for day in (1, 2, 3, 4, 7, 8, 9, 10, 11)]
"""Days after the month for which visits are booked already; by then the clocks have gone back."""
_EVERY_RECOGNISED, _EVERY_DOUBLE, _EVERY_TRIED = 7, 9, 8
"""Every so many records, or bookings, of a clinician."""


def month_of(chapter: Chapter, seed: int) -> Month:
    """Return the month of northgate with people of this chapter; the same numbers give the same month."""
    random = Random(f"{seed}:northgate")  # noqa: S311 - nothing is secret here
    persons = {each.person_id: each for each in chapter.persons}
    desks = [Desk(Random(random.random()), clinician) for clinician in CLINICIANS]  # noqa: S311
    households = newcomers(chapter, random)
    days = sorted(random.randrange(_REGISTERING_DAYS) for _ in households)
    for number, (day, household) in enumerate(zip(days, households, strict=True)):
        _Household(desks[number % len(desks)], persons).come(day, household)
    month = Month()
    for desk in desks:
        month.join(desk.month)
    month.intentions.sort(key=lambda each: (each.at, each.key))
    return month


class _Household:
    """Tells what a household does at northgate."""

    def __init__(self, desk: Desk, persons: dict[str, Person]) -> None:
        self._desk = desk
        self._persons = persons

    def come(self, day: int, household: list[Newcomer]) -> None:
        """Let a household register one after the other, come, and be confused with each other."""
        at = datetime.combine(DAYS[day], time(8, self._desk.random.randrange(60)))
        records = []
        for newcomer in household:
            records.append(self._register(at, day, newcomer))
            at += timedelta(minutes=20)
        alike = _alike(household)
        if alike is not None and not self._parted:
            self._mix_up(at + timedelta(hours=1), *(records[each] for each in alike))

    @property
    def _parted(self) -> bool:
        return any(not merge.is_standing for merge in self._desk.month.merges)

    def _register(self, at: datetime, day: int, newcomer: Newcomer) -> Record:
        """Register somebody and book their first visit, and others after it."""
        desk = self._desk
        record = desk.register(at, newcomer)
        desk.cover(at + _MINUTE, record, newcomer.policies, self._persons)
        last = self._visit(at + 2 * _MINUTE, record, "new", day + 1)
        count = len(desk.month.records)
        if count % _EVERY_RECOGNISED == 2:
            desk.recognise(datetime.combine(DAYS[day + 1], time(16, 10)), record)
        if count % _EVERY_DOUBLE == 3:
            self._register_again(newcomer, record, last)
        elif desk.random.random() < _COMES_AGAIN and last < len(DAYS) - 1:
            booked_at = datetime.combine(DAYS[last], time(17, desk.random.randrange(60)))
            self._visit(booked_at, record, "follow-up", last + 1)
        if desk.random.random() < _COMES_LATER:
            booked_at = datetime.combine(DAYS[-1], time(17, desk.random.randrange(60)))
            desk.book(booked_at, record, "annual", _LATER[desk.random.randrange(len(_LATER)) :])
        return record

    def _visit(self, at: datetime, record: Record, visit_type: str, first: int) -> int:
        """Book a visit from a day on, tell what becomes of it, and return the number of the day on which that was."""
        desk, random = self._desk, self._desk.random
        ahead = first + random.randrange(1 + max(0, min(5, len(DAYS) - 1 - first)))
        booking = desk.book(at, record, visit_type, list(DAYS[ahead:]))
        if booking is None:
            return len(DAYS) - 1
        self._try_in_vain(at, booking, record)
        day = DAYS.index(booking.starts.date())
        if random.random() < _MOVED and day < len(DAYS) - 2:
            moved = desk.move(at + 10 * _MINUTE, booking, record, list(DAYS[day + 1 :]))
            booking, day = (moved, DAYS.index(moved.starts.date())) if moved else (booking, day)
        draw = random.random()
        outcome = next(outcome for up_to, outcome in _OUTCOMES if draw < up_to)
        desk.follow(booking, at + 11 * _MINUTE, outcome)
        return day

    def _try_in_vain(self, at: datetime, booking: Booking, record: Record) -> None:
        """Try now and then what must be refused, while a booking is new."""
        desk, count = self._desk, len(self._desk.month.bookings)
        registered = [each.record_id for each in desk.month.records]
        if count % _EVERY_TRIED == 2 and record.record_id != registered[0]:
            attempts.try_what_is_taken(desk, at + _MINUTE, booking, desk.month.records[0])
        if count % _EVERY_TRIED == 3:
            attempts.try_all_else(desk, at + 2 * _MINUTE, booking, record)

    def _register_again(self, newcomer: Newcomer, first: Record, last: int) -> None:
        """Register somebody a second time, let them come so, and make one record of both."""
        desk = self._desk
        if last >= len(DAYS) - 4:
            return
        at = datetime.combine(DAYS[last + 1], time(16, 30))
        second = desk.register(at, newcomer, despite="says they have never been here")
        seen = self._visit(at + _MINUTE, second, "follow-up", last + 2)
        merged_at = datetime.combine(DAYS[min(seen + 1, len(DAYS) - 1)], time(18))
        desk.merge(merged_at, first, second, "the same person, registered twice", None)

    def _mix_up(self, at: datetime, one: Record, other: Record) -> None:
        """Take two of a household for one, and notice it half an hour later."""
        self._desk.merge(at, one, other, "taken for one person at the desk", at + 30 * _MINUTE)


def _alike(household: list[Newcomer]) -> tuple[int, int] | None:
    """Return the places of the two of a household who are most easily taken for each other, if it has two."""
    pairs = [(one, other) for other in range(len(household)) for one in range(other)]
    return max(pairs, key=lambda pair: _likeness(household[pair[0]], household[pair[1]]), default=None)


def _likeness(one: Newcomer, other: Newcomer) -> int:
    same = (getattr(one.stated, part) == getattr(other.stated, part) for part in ("birth_date", "given", "gender"))
    return sum(weight for weight, is_same in zip((4, 2, 1), same, strict=True) if is_same)
