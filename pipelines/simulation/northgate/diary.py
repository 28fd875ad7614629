"""The appointment book of one clinician of northgate: free times on the clock on the wall, none given twice."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from pipelines.simulation.northgate.place import CLOSED_ON, ENDS, MINUTES, OPENS, SESSIONS

_SLOT: Final = timedelta(minutes=20)
_SATURDAY: Final = 6
DAYS: Final = tuple(
    day
    for day in (OPENS + timedelta(days=number) for number in range((ENDS - OPENS).days + 1))
    if day.isoweekday() < _SATURDAY and day != CLOSED_ON
)
"""The days of the month on which northgate sees patients."""


class Diary:
    """What is free and what is taken."""

    def __init__(self, random: Random) -> None:
        """Begin with an empty book."""
        self._random = random
        self._taken: set[datetime] = set()

    def take(self, days: list[date], visit_type: str) -> datetime | None:
        """Return a free time on the first of these days that has one; None where all are full."""
        for day in days:
            free = [start for start in _starts(day, visit_type) if self._taken.isdisjoint(_slots(start, visit_type))]
            if free:
                start = self._random.choice(free)
                self._taken.update(_slots(start, visit_type))
                return start
        return None


def _starts(day: date, visit_type: str) -> list[datetime]:
    """Return every time of a day at which a visit of this kind could begin and be over in time."""
    found = []
    for opens, closes in SESSIONS:
        start = datetime.combine(day, opens)
        while start + timedelta(minutes=MINUTES[visit_type]) <= datetime.combine(day, closes):
            found.append(start)
            start += _SLOT
    return found


def _slots(start: datetime, visit_type: str) -> list[datetime]:
    return [start + number * _SLOT for number in range(-(-MINUTES[visit_type] // 20))]
