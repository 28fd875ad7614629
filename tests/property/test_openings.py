"""Openings: what they say is free is free at every minute, and what is free at every minute they say (minute sweep)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from ehr_pm.scheduling.openings import Calendar, Rule, Span, Taken, joined, starts, without

DAY = date(2026, 3, 3)
BEGIN = datetime(2026, 3, 3, tzinfo=UTC)
VISIT = UUID(int=1)
TEN = timedelta(minutes=10)

moments = st.integers(0, 60).map(lambda number: BEGIN + number * TEN)
spans = st.tuples(moments, moments).filter(lambda pair: pair[0] < pair[1])
lists = st.lists(spans, max_size=5)
hours = st.tuples(st.integers(0, 9), st.integers(1, 6)).map(lambda pair: (time(pair[0]), time(pair[0] + pair[1])))
calendars = st.builds(
    lambda rules, opened, closed, taken, lanes: Calendar(
        ZoneInfo("UTC"),
        lanes,
        tuple(Rule(DAY.isoweekday(), starts, ends, DAY) for starts, ends in rules),
        tuple(opened),
        tuple(closed),
        tuple(Taken(lane, during) for lane, during in taken if lane <= lanes),
    ),
    st.lists(hours, max_size=3),
    lists,
    lists,
    st.lists(st.tuples(st.integers(1, 3), spans), max_size=6),
    st.integers(1, 3),
)


def inside(moment: datetime, spans: list[Span]) -> bool:
    return any(begin <= moment < end for begin, end in spans)


def can_start(calendar: Calendar, start: datetime, lasting: timedelta) -> bool:
    """Say by looking at every minute whether a visit fits: open all along, and one lane free all along."""
    minutes = [start + timedelta(minutes=number) for number in range(int(lasting.total_seconds()) // 60)]
    rules = [
        (datetime.combine(DAY, rule.starts, UTC), datetime.combine(DAY, rule.ends, UTC)) for rule in calendar.rules
    ]
    is_open = all(
        inside(minute, [*rules, *calendar.opened]) and not inside(minute, list(calendar.closed)) for minute in minutes
    )
    lanes = range(1, calendar.lanes + 1)
    taken = {lane: [each.during for each in calendar.taken if each.lane == lane] for lane in lanes}
    return is_open and any(not any(inside(minute, taken[lane]) for minute in minutes) for lane in lanes)


@given(calendar=calendars, blocks=st.integers(1, 6))
def test_openings_are_what_a_sweep_over_every_minute_finds(calendar: Calendar, blocks: int) -> None:
    lasting = blocks * TEN
    found = set(starts([calendar], [DAY], VISIT, lasting, TEN))
    swept = {BEGIN + number * TEN for number in range(-6, 100) if can_start(calendar, BEGIN + number * TEN, lasting)}
    assert found == swept


@given(one=calendars, other=calendars)
def test_two_together_can_only_what_each_can(one: Calendar, other: Calendar) -> None:
    both = set(starts([one, other], [DAY], VISIT, 3 * TEN, TEN))
    assert both == set(starts([one], [DAY], VISIT, 3 * TEN, TEN)) & set(starts([other], [DAY], VISIT, 3 * TEN, TEN))


@given(one=lists, other=lists)
def test_what_is_taken_out_is_out_and_the_rest_is_left(one: list[Span], other: list[Span]) -> None:
    left = without(joined(one), joined(other))
    for number in range(61):
        moment = BEGIN + number * TEN
        assert inside(moment, left) == (inside(moment, one) and not inside(moment, other))
    assert left == joined(left)


@given(weeks=st.integers(1, 8), ahead=st.integers(0, 40))
def test_a_rule_every_so_many_weeks_counts_from_its_first(weeks: int, ahead: int) -> None:
    rule = Rule(DAY.isoweekday(), time(9), time(10), DAY, every_weeks=weeks)
    assert rule.holds_on(DAY + timedelta(weeks=ahead)) == (ahead % weeks == 0)


@given(calendar=calendars, blocks=st.integers(1, 6))
def test_free_hours_hold_every_visit_that_fits_and_no_minute_that_is_taken(calendar: Calendar, blocks: int) -> None:
    free = calendar.free_hours([DAY])
    assert free == joined(free)
    for number in range(-6, 100):
        minute = BEGIN + number * TEN
        assert inside(minute, free) == can_start(calendar, minute, TEN)
    for start in starts([calendar], [DAY], VISIT, blocks * TEN, TEN):
        assert all(inside(start + number * TEN, free) for number in range(blocks))
