"""What the clocks of a place show at an instant. Zones are asked once an hour of UTC, because asking takes long."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

TWO_DIGITS = tuple(f"{number:02d}" for number in range(60))
"""How minutes and seconds are written."""


class Hour(NamedTuple):
    """One hour of UTC as local clocks show it; all its times differ in minutes and seconds only."""

    day: date
    basic: str
    """Day and hour as HL7 v2 writes them: `2024013114`."""
    extended: str
    """Day and hour as FHIR writes them: `2024-01-31T14`."""
    basic_offset: str
    """From UTC: `-0600`."""
    extended_offset: str
    """From UTC: `-06:00`."""
    is_second: bool
    """Whether it is the second of two hours with the same local time, when clocks are set back."""


class Clock:
    """The clocks of one zone, which is whole hours from UTC."""

    def __init__(self, zone: ZoneInfo) -> None:
        """Show the time of `zone`."""
        self._zone = zone
        self._hours: dict[int, Hour] = {}

    def hour(self, moment: datetime) -> Hour:
        """Return the local hour of a moment, which is in UTC."""
        number = moment.toordinal() * 24 + moment.hour
        return self._hours.get(number) or self._ask(number, moment)

    def day(self, moment: datetime) -> date:
        """Return the local day of a moment, which is in UTC."""
        return self.hour(moment).day

    def _ask(self, number: int, moment: datetime) -> Hour:
        local = moment.astimezone(self._zone)
        written = local.isoformat(timespec="hours")
        hour, offset = written[:13], written[13:]
        basic = hour.replace("-", "").replace("T", "")
        found = Hour(local.date(), basic, hour, offset.replace(":", ""), offset, bool(local.fold))
        self._hours[number] = found
        return found


@cache
def clock(zone: ZoneInfo) -> Clock:
    """Return the clock of a zone, one for all who look at it."""
    return Clock(zone)
