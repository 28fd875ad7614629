"""Data elements as FHIR writes them: money, quantities, dates and times."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from connectors.x12.transaction import Segment
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json

ZERO = Decimal(0)
CURRENCY = "USD"
"""HIPAA amounts are United States dollars unless CUR02 says otherwise, which no payer of a US group uses."""

_NUMBER = re.compile(r"-?(?:\d{1,18}(?:\.\d{0,12})?|\.\d{1,12})", re.ASCII)


def number(text: str) -> Decimal | None:
    """Return the decimal that an element of type R says, digit for digit; None if it says none."""
    stripped = text.strip()
    return Decimal(stripped) if _NUMBER.fullmatch(stripped) else None


def amount(segment: Segment, element: int) -> Decimal:
    """Return the amount in an element that may be absent: then zero.

    Raises:
        UnreadableError: with the place, if the element holds something that is not a number.
    """
    value = number(segment[element])
    if value is not None:
        return value
    if segment[element].strip():
        raise UnreadableError("this is not an amount", location=segment.place(element), code="value")
    return ZERO


def required_amount(segment: Segment, element: int) -> Decimal:
    """Return the amount in an element that must be there.

    Raises:
        UnreadableError: with the place, if it is absent or not a number.
    """
    value = number(segment[element])
    if value is not None:
        return value
    if segment[element].strip():
        raise UnreadableError("this is not an amount", location=segment.place(element), code="value")
    raise UnreadableError("the amount is missing", location=segment.place(element), code="required")


def money(value: Decimal) -> Json:
    """Return `value` as FHIR Money."""
    return {"value": value, "currency": CURRENCY}


def day(text: str) -> str | None:
    """Return the CCYYMMDD that `text` begins with as a FHIR date; None if it is no day of the calendar."""
    digits = text[:8]
    if len(digits) != 8 or not (digits.isdigit() and digits.isascii()):
        return None
    try:
        return date.fromisoformat(digits).isoformat()
    except ValueError:
        return None


def period(qualifier: str, text: str) -> Json:
    """Return the period a date element covers: RD8 is a range, D8 and DT a day; empty if it cannot be read."""
    if qualifier != "RD8":
        served = day(text)
        return {"start": served, "end": served} if served else {}
    first, _, last = text.partition("-")
    bounds = {"start": day(first.strip()), "end": day(last.strip())}
    return {name: value for name, value in bounds.items() if value}


def moment(day_text: str, time_text: str, zone: str) -> datetime | None:
    """Return the instant of a date (CCYYMMDD) and a time (HHMM, HHMMSS, HHMMSSDD; absent: midnight) in `zone`."""
    digits = time_text.strip()[:6].ljust(6, "0")
    date_text = day(day_text)
    if not date_text or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        local = datetime.fromisoformat(f"{date_text}T{digits[:2]}:{digits[2:4]}:{digits[4:]}")
        return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):  # no time of day; the first or last day of the calendar, seen from elsewhere
        return None
