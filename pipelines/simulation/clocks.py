"""What the clocks of a place show at an instant. Zones are asked once an hour of UTC, because asking takes long.

Many million times are written: who writes them looks the hour up by its number and adds minutes and seconds.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo

from pipelines.simulation.facts import fact

TWO_DIGITS = tuple(f"{number:02d}" for number in range(60))
"""How minutes and seconds are written."""


@fact(frozen=True, slots=True)
class Hour:
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


class Hours(dict[int, Hour]):
    """The hours of one zone by their numbers: days since the first of the calendar times 24, and hours, in UTC."""

    def __init__(self, zone: ZoneInfo) -> None:
        """Show the time of `zone`."""
        super().__init__()
        self._zone = zone

    def __missing__(self, number: int) -> Hour:
        """Ask the zone about an hour nobody has asked for."""
        day, hour_of_day = divmod(number, 24)
        moment = datetime.combine(date.fromordinal(day), time(hour_of_day), UTC)
        local = moment.astimezone(self._zone)
        written = local.isoformat(timespec="hours")
        hour, offset = written[:13], written[13:]
        basic = hour.replace("-", "").replace("T", "")
        found = Hour(local.date(), basic, hour, offset.replace(":", ""), offset, bool(local.fold))
        self[number] = found
        return found


class Clock:
    """The clocks of one zone, which is whole hours from UTC."""

    def __init__(self, zone: ZoneInfo) -> None:
        """Show the time of `zone`."""
        self.hours = Hours(zone)

    def hour(self, moment: datetime) -> Hour:
        """Return the local hour of a moment, which is in UTC."""
        return self.hours[moment.toordinal() * 24 + moment.hour]

    def day(self, moment: datetime) -> date:
        """Return the local day of a moment, which is in UTC."""
        return self.hours[moment.toordinal() * 24 + moment.hour].day

    def written(self, moment: datetime) -> str:
        """Return a moment, which is in UTC, to the second as ISO 8601 and FHIR write it, with the offset."""
        hour = self.hours[moment.toordinal() * 24 + moment.hour]
        return f"{hour.extended}:{TWO_DIGITS[moment.minute]}:{TWO_DIGITS[moment.second]}{hour.extended_offset}"


@cache
def clock(zone: ZoneInfo) -> Clock:
    """Return the clock of a zone, one for all who look at it."""
    return Clock(zone)
