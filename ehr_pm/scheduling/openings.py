"""When something can be booked: its rules and exceptions, less what is taken. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import reduce
from typing import TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from ehr_pm.scheduling.walltime import span

Span: TypeAlias = tuple[datetime, datetime]
"""From an instant up to, not including, another."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Weekly hours in local wall time."""

    weekday: int
    """ISO: Monday is 1."""
    starts: time
    ends: time
    valid_from: date
    valid_to: date | None = None
    every_weeks: int = 1
    """Every so many weeks, counted from the week of `valid_from`."""
    visit_type_ids: frozenset[UUID] | None = None
    """What may be booked in these hours; None is everything."""

    def holds_on(self, day: date) -> bool:
        """Return whether the rule speaks of a day."""
        if day.isoweekday() != self.weekday or day < self.valid_from:
            return False
        if self.valid_to is not None and day > self.valid_to:
            return False
        weeks = (_monday(day) - _monday(self.valid_from)).days // 7
        return weeks % self.every_weeks == 0


@dataclass(frozen=True, slots=True)
class Taken:
    """A lane that is booked."""

    lane: int
    during: Span


@dataclass(frozen=True, slots=True)
class Calendar:
    """Everything known about one bookable in a stretch of time."""

    zone: ZoneInfo
    lanes: int
    rules: tuple[Rule, ...]
    opened: tuple[Span, ...] = ()
    closed: tuple[Span, ...] = ()
    taken: tuple[Taken, ...] = ()

    def open_hours(self, days: Iterable[date], visit_type_id: UUID | None) -> list[Span]:
        """Return when a visit type, or any, may be booked on some days, joined and in order; taken or not."""
        spans = [
            span(day, rule.starts, rule.ends, self.zone)
            for day in days
            for rule in self.rules
            if rule.holds_on(day) and _takes(rule, visit_type_id)
        ]
        return without(joined([*spans, *self.opened]), joined(self.closed))

    def free_hours(self, days: Iterable[date], visit_type_id: UUID | None = None) -> list[Span]:
        """Return when it is open and one of its lanes is free, in order."""
        lanes = range(1, self.lanes + 1)
        taken = (joined(each.during for each in self.taken if each.lane == lane) for lane in lanes)
        return without(self.open_hours(days, visit_type_id), reduce(shared, taken))

    def free_lane(self, during: Span) -> int | None:
        """Return the first lane that nothing takes in a stretch of time, if there is one."""
        busy = {each.lane for each in self.taken if overlap(each.during, during)}
        return next((lane for lane in range(1, self.lanes + 1) if lane not in busy), None)

    def override_lane(self, during: Span) -> int:
        """Return the first lane above the capacity that nothing takes."""
        busy = {each.lane for each in self.taken if overlap(each.during, during)}
        lane = self.lanes + 1
        while lane in busy:
            lane += 1
        return lane


def starts(
    calendars: Sequence[Calendar], days: Sequence[date], visit_type_id: UUID, lasting: timedelta, step: timedelta
) -> Iterator[datetime]:
    """Yield when a visit can start so that every calendar is open and free for as long as it lasts.

    Args:
        calendars: of all that the visit takes.
        days: local days, in order.
        visit_type_id: what is to be booked.
        lasting: with its buffers.
        step: starts lie so far apart, counted from when all have opened.
    """
    common = calendars[0].open_hours(days, visit_type_id)
    for calendar in calendars[1:]:
        common = shared(common, calendar.open_hours(days, visit_type_id))
    for opens, closes in common:
        start = opens
        while start + lasting <= closes:
            if all(calendar.free_lane((start, start + lasting)) for calendar in calendars):
                yield start
            start += step


def overlap(one: Span, other: Span) -> bool:
    """Return whether two spans have an instant in common."""
    return one[0] < other[1] and other[0] < one[1]


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return the union of spans, in order, none touching the next."""
    union: list[Span] = []
    for start, end in sorted(spans):
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(end, union[-1][1]))
        elif start < end:
            union.append((start, end))
    return union


def without(spans: Sequence[Span], closed: Sequence[Span]) -> list[Span]:
    """Return what is left of spans when others are taken out; both are in order and do not overlap themselves."""
    left: list[Span] = []
    for start, end in spans:
        for shut, reopened in closed:
            if overlap((start, end), (shut, reopened)):
                if start < shut:
                    left.append((start, shut))
                start = max(start, reopened)
        if start < end:
            left.append((start, end))
    return left


def shared(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Return the instants that are in both, in order."""
    return [(max(a[0], b[0]), min(a[1], b[1])) for a in one for b in other if overlap(a, b)]


def _takes(rule: Rule, visit_type_id: UUID | None) -> bool:
    return visit_type_id is None or rule.visit_type_ids is None or visit_type_id in rule.visit_type_ids


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
