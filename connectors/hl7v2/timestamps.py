"""HL7 v2 times (DT, TM, TS, DTM: chapter 2A) to FHIR dates, dateTimes and instants, no more precise than they were.

A date stays a date, a year a year. A time needs a zone: the value's own offset, else that of MSH-7, else the zone of
the origin. A wall-clock time that a daylight-saving change skips is read with the offset before the change, one that
occurs twice as its first occurrence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub_core.errors import ConfigurationError

_TIMESTAMP = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,9}))?)?)?)?)?)?([+-]\d{4}|Z)?\Z", re.ASCII
)
_TIME = re.compile(r"(\d\d)(\d\d)?(?:(\d\d)(?:\.(\d{1,9}))?)?(?:[+-]\d{4}|Z)?\Z", re.ASCII)
_WIDEST_OFFSET = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class Clock:
    """How the times of one message are read."""

    zone: tzinfo
    """For times without an offset of their own."""

    def date(self, text: str) -> str | None:
        """Return a FHIR date (`2020`, `2020-05`, `2020-05-01`), or None where `text` is no time."""
        found = _TIMESTAMP.match(text)
        parsed = _moment(found, self.zone) if found else None
        return _date(found) if found and parsed else None

    def date_time(self, text: str) -> str | None:
        """Return a FHIR dateTime: a date of any precision, or a time to the second with its offset."""
        found = _TIMESTAMP.match(text)
        if not found or not (moment := _moment(found, self.zone)):
            return None
        if found[4] is None:
            return _date(found)
        fraction = f".{found[7]}" if found[7] else ""
        second = found[6] or "00"
        return f"{_date(found)}T{found[4]}:{found[5] or '00'}:{second}{fraction}{_offset(moment.utcoffset())}"

    def instant(self, text: str) -> str | None:
        """Return a FHIR instant, or None where `text` is no time of day."""
        said = self.date_time(text)
        return said if said and "T" in said else None

    def moment(self, text: str) -> datetime | None:
        """Return the point in time, UTC; the beginning of a day, month or year said no more precisely."""
        found = _TIMESTAMP.match(text)
        moment = _moment(found, self.zone) if found else None
        try:
            return moment.astimezone(UTC) if moment else None
        except OverflowError:  # the first or last day of the calendar, seen from another zone
            return None


def clock(header_time: str, zone: str) -> Clock:
    """Return the clock of a message whose MSH-7 is `header_time`, sent from IANA zone `zone`."""
    found = _TIMESTAMP.match(header_time)
    offset = _own_offset(found[8]) if found and found[8] else None
    return Clock(offset or zone_named(zone))


@lru_cache(maxsize=64)
def zone_named(name: str) -> tzinfo:
    """Return the IANA zone called `name`.

    Raises:
        ConfigurationError: if there is none.
    """
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(f"no such time zone: {name}") from error


def time_of_day(text: str) -> str | None:
    """Return a FHIR time of a TM value, or None where `text` is none; FHIR times have no zone."""
    found = _TIME.match(text)
    if not found or int(found[1]) > 23 or int(found[2] or 0) > 59 or int(found[3] or 0) > 59:
        return None
    fraction = f".{found[4]}" if found[4] else ""
    return f"{found[1]}:{found[2] or '00'}:{found[3] or '00'}{fraction}"


def _moment(found: re.Match[str], zone: tzinfo) -> datetime | None:
    year, month, day, hour, minute, second, _, offset = found.groups()
    if offset:
        own = _own_offset(offset)
        if own is None:
            return None
        zone = own
    try:
        return datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=zone
        )
    except ValueError:
        return None


def _own_offset(text: str) -> timezone | None:
    if text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    if offset > _WIDEST_OFFSET or int(text[3:5]) > 59:
        return None
    return timezone(-offset if text[0] == "-" else offset)


def _date(found: re.Match[str]) -> str:
    return "-".join(part for part in found.groups()[:3] if part)


@lru_cache(maxsize=1024)
def _offset(offset: timedelta | None) -> str:
    """Return an offset from UTC as FHIR writes it; a feed has two."""
    minutes = (offset or timedelta()) // timedelta(minutes=1)
    if minutes == 0:
        return "Z"
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
