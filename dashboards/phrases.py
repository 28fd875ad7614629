"""Numbers, times and ages in the words people read on a page."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_CENTS_MATTER_BELOW = 1_000_000
_FULL_DATE = len("2026-01-31")


def count(number: int) -> str:
    """Return a whole number with thousands marked."""
    return f"{number:,}"


def dollars(amount: Decimal | None) -> str:
    """Return an amount of money; cents are left out from a million on, where they only cost room."""
    if amount is None:
        return "–"
    sign = "-" if amount < 0 else ""
    size = abs(amount)
    return f"{sign}${size:,.0f}" if size >= _CENTS_MATTER_BELOW else f"{sign}${size:,.2f}"


def cents(amount: Decimal) -> str:
    """Return an amount of money to the cent, as it stands in a column of amounts."""
    return f"{'-' if amount < 0 else ''}${abs(amount):,.2f}"


def share(part: int | Decimal, whole: int | Decimal) -> str:
    """Return what part of the whole this is, in percent; a dash when there is no whole."""
    if not whole:
        return "–"
    return f"{100 * part / whole:.1f}%"


def span(length: timedelta) -> str:
    """Return a length of time in its largest fitting unit."""
    seconds = max(0, int(length.total_seconds()))
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return plural(seconds // size, name)
    return plural(seconds, "second")


def ago(moment: datetime | None, now: datetime) -> str:
    """Return how long ago something happened."""
    if moment is None:
        return "never"
    return f"{span(now - moment)} ago" if now - moment >= timedelta(seconds=1) else "just now"


def clock_time(moment: datetime | None, zone: str | None) -> str:
    """Return a moment on the reader's own clock, its zone named; UTC when the zone is not known."""
    if moment is None:
        return "–"
    return moment.astimezone(_zone(zone)).strftime("%d %b %Y, %H:%M %Z")


def age(birth_date: str | None, today: date) -> str:
    """Return an age in the unit used for it: days, weeks, months, then years; FHIR partial dates give about as much."""
    if not birth_date:
        return "age unknown"
    if len(birth_date) < _FULL_DATE:
        return f"about {plural(max(0, today.year - int(birth_date[:4])), 'year')}"
    born = date.fromisoformat(birth_date[:_FULL_DATE])
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    months = 12 * (today.year - born.year) + today.month - born.month - (today.day < born.day)
    days = (today - born).days
    if years >= 2:
        return plural(years, "year")
    if months >= 3:
        return plural(months, "month")
    return plural(days // 7, "week") if days >= 14 else plural(max(0, days), "day")


def plural(number: int, unit: str) -> str:
    """Return a number of things, the word for them in the plural unless it is one."""
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
