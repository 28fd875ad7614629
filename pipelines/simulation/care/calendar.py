"""The days of the simulated time: when the sites are open, and when a local hour is in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from pipelines.simulation.group import BEGINS, END_INSTANT, ENDS, PRACTICES
from pipelines.simulation.spans import minutes
from pipelines.simulation.world import Site

FIRST_DAY: Final = BEGINS.toordinal()
DAYS: Final = (ENDS - BEGINS).days + 1
AHEAD: Final = 56
"""How many days after the end appointments are already booked for."""
_KNOWN = DAYS + AHEAD + 40
_SUNDAY = 7
_SATURDAY = 6


def _holidays() -> frozenset[date]:
    """Return the days on which no practice is open: the six holidays that nearly every employer keeps."""
    days: set[date] = set()
    for year in range(BEGINS.year, ENDS.year + 2):
        days |= {date(year, 1, 1), date(year, 7, 4), date(year, 12, 25)}
        days.add(max(date(year, 5, day) for day in range(25, 32) if date(year, 5, day).isoweekday() == 1))
        days.add(min(date(year, 9, day) for day in range(1, 8) if date(year, 9, day).isoweekday() == 1))
        days.add(min(date(year, 11, day) for day in range(22, 29) if date(year, 11, day).isoweekday() == 4))
    return frozenset(days)


HOLIDAYS: Final = _holidays()


@cache
def _midnights(zone: ZoneInfo) -> tuple[datetime, ...]:
    return tuple(datetime.combine(BEGINS + timedelta(days=day), time(), zone).astimezone(UTC) for day in range(_KNOWN))


def _next_open(site: Site) -> tuple[int, ...]:
    """Return for every day the first day from it on that the site sees patients."""
    following = _KNOWN
    result = [following] * _KNOWN
    for day in reversed(range(_KNOWN)):
        on = BEGINS + timedelta(days=day)
        is_closed = on.isoweekday() == _SUNDAY or on in HOLIDAYS
        if not is_closed and (on.isoweekday() != _SATURDAY or site != "cardiology"):
            following = day
        result[day] = following
    return tuple(result)


_MIDNIGHT: Final[dict[Site, tuple[datetime, ...]]] = {
    site: _midnights(practice.zone) for site, practice in PRACTICES.items()
}
_OPEN: Final[dict[Site, tuple[int, ...]]] = {site: _next_open(site) for site in PRACTICES}
_MORNING = tuple(range(8 * 60, 12 * 60, 20))
_WHOLE_DAY = (*_MORNING, *range(13 * 60, 17 * 60, 20))
_SLOTS = tuple(
    _MORNING if (BEGINS + timedelta(days=day)).isoweekday() == _SATURDAY else _WHOLE_DAY for day in range(_KNOWN)
)
_SEASON = (26, 24, 18, 12, 9, 7, 6, 7, 11, 14, 18, 24)
_SEASON_DAYS: Final = tuple(
    day for day in range(DAYS) for _ in range(_SEASON[(BEGINS + timedelta(days=day)).month - 1])
)


def date_of(day: int) -> date:
    """Return the date of a day, counted from the first."""
    return date.fromordinal(FIRST_DAY + day)


def day_of(on: date) -> int:
    """Return the number of a date, counted from the first day."""
    return on.toordinal() - FIRST_DAY


def instant(site: Site, day: int, minute: int) -> datetime:
    """Return when it is `minute` minutes past midnight at a site."""
    return _MIDNIGHT[site][day] + minutes(minute)


def next_open(site: Site, day: int) -> int:
    """Return the first day from `day` on that a site sees patients by appointment."""
    return _OPEN[site][day]


def any_day(random: Random, *, is_seasonal: bool) -> int:
    """Return a day of the simulated time; what is catching comes in winter."""
    if is_seasonal:
        return _SEASON_DAYS[int(random.random() * len(_SEASON_DAYS))]
    return int(random.random() * DAYS)


def has_passed(moment: datetime) -> bool:
    """Tell whether a moment is within the simulated time."""
    return moment <= END_INSTANT


class Diary:
    """The appointment books of all clinicians of a chapter: nobody is promised to two patients at once."""

    def __init__(self) -> None:
        """Begin with empty books."""
        self._taken: set[tuple[str, int, int]] = set()

    def slot(self, random: Random, site: Site, clinician: str, day: int, length: int) -> tuple[int, int]:
        """Return the day and minute of a free appointment of up to 40 minutes, on that day or soon after."""
        while True:
            slots, taken = _SLOTS[day], self._taken
            for _ in range(6):
                minute = slots[int(random.random() * len(slots))]
                needed = ((clinician, day, minute), (clinician, day, minute + 20))[: 1 if length <= 20 else 2]
                if taken.isdisjoint(needed):
                    taken.update(needed)
                    return day, minute
            if day + 1 >= _KNOWN:
                return day, minute
            day = next_open(site, day + 1)
