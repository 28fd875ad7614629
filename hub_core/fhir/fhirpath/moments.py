"""Dates, dates with times and times of day as exact as they are written: `2024-03`, `2024-03-05T10:30-05:00`, `14:30`.

FHIRPath 2.0, 6.1 and 6.2: two are compared part by part, and where one of them does not say the next part, the answer
is not known. Seconds and milliseconds are one part. Both with a zone, they are compared in UTC; one with a zone and one
without cannot be compared once hours are asked for.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Literal, TypeAlias

_ZONE = r"(?P<zone>Z|[+-]\d\d:\d\d)?"
_CLOCK = r"(?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d(?:\.\d{1,9})?))?)?"
_DATE = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?", re.ASCII)
_DATE_TIME = re.compile(rf"{_DATE.pattern}(?:T(?:{_CLOCK}{_ZONE})?)?", re.ASCII)
_TIME = re.compile(_CLOCK, re.ASCII)
_PARTS = ("year", "month", "day", "hour", "minute", "second")
_FIRST: tuple[Decimal | int, ...] = (1, 1, 1, 0, 0, 0)
"""What is taken where a part is not known."""
_COARSE = {3: 86400, 4: 3600, 5: 60}
"""Seconds of the last part that is known, by how many are."""
_LIMITS = {"month": (1, 12), "day": (1, 31), "hour": (0, 23), "minute": (0, 59)}

MomentKind: TypeAlias = Literal["date", "dateTime", "time"]


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, a date with a time, or a time of day; the parts that are known, from the greatest on."""

    kind: MomentKind
    parts: tuple[Decimal | int, ...]
    """Year, month, day, hour, minute and second; of a time of day from the hour on."""
    zone: int | None = None
    """Minutes before UTC."""
    text: str = ""

    def __str__(self) -> str:
        """Return it as FHIR writes it."""
        return self.text or _written(self)

    @property
    def digits(self) -> int:
        """Return how many digits are written (`precision()`): 4 for a year, 17 for milliseconds with a date."""
        date, _, clock = str(self).partition("T")
        return sum(map(str.isdigit, date + re.split("[Z+-]", clock)[0]))


def read(text: object, kind: MomentKind) -> Moment | None:
    """Return what the text says; None if it is no date, no date with a time or no time of day."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    pattern = _TIME if kind == "time" else _DATE if kind == "date" else _DATE_TIME
    match = pattern.fullmatch(text)
    if match is None:
        return None
    found = match.groupdict()
    parts: list[Decimal | int] = []
    for name in _PARTS:
        if (part := found.get(name)) is not None:
            low, high = _LIMITS.get(name, (0, 9999))
            number = Decimal(part) if name == "second" else int(part)
            if not low <= number <= high or (name == "second" and number >= 61):
                return None
            parts.append(number)
    moment = Moment(kind, tuple(parts), _offset(found.get("zone")), text.removesuffix("T"))
    return moment if kind == "time" or _is_day(moment) else None


def compare(left: Moment, right: Moment) -> int | None:
    """Return below 0, 0 or above 0 as left is before, at or after right; None if that is not known."""
    if (left.kind == "time") != (right.kind == "time"):
        return None
    a, b = left.parts, right.parts
    if left.zone is not None and right.zone is not None:
        a, b = in_utc(left), in_utc(right)
    hour = 0 if left.kind == "time" else 3
    has_one_zone = (left.zone is None) != (right.zone is None)
    for place, (x, y) in enumerate(zip(a, b, strict=False)):
        if place >= hour and has_one_zone:
            return None
        if x != y:
            return -1 if x < y else 1
    return 0 if len(a) == len(b) else None


def in_utc(moment: Moment) -> tuple[Decimal | int, ...]:
    """Return the parts in UTC, as many as are known; as they are where nothing tells the zone."""
    if not moment.zone or len(moment.parts) < 5:
        return moment.parts
    year, month, day, hour, minute = (int(part) for part in moment.parts[:5])
    try:
        shifted = datetime(year, month, day, hour, minute, tzinfo=UTC) - timedelta(minutes=moment.zone)
    except (ValueError, OverflowError):
        return moment.parts
    return (shifted.year, shifted.month, shifted.day, shifted.hour, shifted.minute, *moment.parts[5:])


def add(moment: Moment, amount: Decimal, unit: str) -> Moment | None:
    """Return the moment so much later, as exact as it was; None where that is outside the calendar.

    Below the last part that is known, whole units count only: a year and 25 months is two years later. Of years down to
    minutes, fractions are left out (FHIRPath 2.0, 6.8).
    """
    if abs(amount) > 10**15:
        return None
    if unit != "second" and unit != "millisecond":
        amount = Decimal(int(amount))
    moved = _add_clock(moment, amount, unit) if moment.kind == "time" else _add_date(moment, amount, unit)
    return None if moved is None else replace(moved, text="")


def _add_clock(moment: Moment, amount: Decimal, unit: str) -> Moment | None:
    seconds = _in_seconds(amount, unit)
    if seconds is None:
        return None
    coarse = _COARSE.get(len(moment.parts) + 3)
    if coarse is not None:
        seconds = int(seconds / coarse) * Decimal(coarse)
    hour, minute, second = map(Decimal, moment.parts + _FIRST[len(moment.parts) + 3 :])
    total = (hour * 3600 + minute * 60 + second + seconds) % 86400
    moved = (int(total // 3600), int(total % 3600 // 60), total % 60)
    return replace(moment, parts=moved[: len(moment.parts)])


def _add_date(moment: Moment, amount: Decimal, unit: str) -> Moment | None:
    known = len(moment.parts)
    months = int(amount) * {"year": 12, "month": 1}.get(unit, 0)
    seconds = Decimal(0) if months or unit in ("year", "month") else _in_seconds(amount, unit)
    if seconds is None:
        return None
    if known < 3 and not months:
        months, seconds = int(seconds / 86400 / 30), Decimal(0)
    if known == 1:
        months = int(Decimal(months) / 12) * 12
    if known in _COARSE:
        seconds = int(seconds / _COARSE[known]) * Decimal(_COARSE[known])
    parts = moment.parts + _FIRST[known:]
    year, month = divmod(int(parts[0]) * 12 + int(parts[1]) - 1 + months, 12)
    if not 1 <= year <= 9999:
        return None
    total = Decimal(parts[5]) + seconds
    whole = int(total // 1)
    day = min(int(parts[2]), monthrange(year, month + 1)[1])
    first = datetime(year, month + 1, day, int(parts[3]), int(parts[4]), tzinfo=UTC)
    try:
        later = first + timedelta(seconds=whole)
    except OverflowError:
        return None
    moved = (later.year, later.month, later.day, later.hour, later.minute, later.second + (total - whole))
    return replace(moment, parts=moved[:known])


def _in_seconds(amount: Decimal, unit: str) -> Decimal | None:
    factor = {"week": 604800, "day": 86400, "hour": 3600, "minute": 60, "second": 1}.get(unit)
    if unit == "millisecond":
        return amount / 1000
    return None if factor is None else amount * factor


def _is_day(moment: Moment) -> bool:
    if not moment.parts or moment.parts[0] == 0:
        return False
    return len(moment.parts) < 3 or int(moment.parts[2]) <= monthrange(int(moment.parts[0]), int(moment.parts[1]))[1]


def _offset(zone: str | None) -> int | None:
    if zone is None or zone == "Z":
        return None if zone is None else 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:])
    return -minutes if zone[0] == "-" else minutes


def _written(moment: Moment) -> str:
    parts = moment.parts if moment.kind == "time" else moment.parts[3:]
    clock = ":".join(f"{int(part):02}" if place < 2 else _seconds(part) for place, part in enumerate(parts))
    if moment.kind == "time":
        return clock
    year, *rest = moment.parts[:3]
    date = "-".join([f"{int(year):04}", *(f"{int(part):02}" for part in rest)])
    return f"{date}T{clock}{_zone(moment.zone)}" if clock else date


def _seconds(second: Decimal | int) -> str:
    whole, point, fraction = format(Decimal(second), "f").partition(".")
    return whole.zfill(2) + point + fraction


def _zone(zone: int | None) -> str:
    if zone is None:
        return ""
    return "Z" if zone == 0 else datetime(1, 1, 2, tzinfo=timezone(timedelta(minutes=zone))).isoformat()[-6:]
