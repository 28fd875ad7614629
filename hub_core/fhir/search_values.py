"""How values are compared when resources are searched: texts folded, dates as intervals, numbers by their digits.

Both sides of a search go through here, what is indexed and what is asked for (R4 section 3.1.1.4).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

EARLIEST: Final = datetime(1, 1, 1, tzinfo=UTC)
"""Where an interval starts whose start is open."""
LATEST: Final = datetime.max.replace(tzinfo=UTC)
"""Where an interval ends whose end is open."""
LONGEST: Final = 200
"""Characters of a string that are indexed, and the longest code or system (B-tree rows hold 2,700 bytes)."""
_MOST_DIGITS: Final = 40
"""Digits before or behind the point of a number that is compared; what is measured in medicine has fewer."""


def fold(text: str) -> str:
    """Return text as strings are indexed and compared: without case, accents and doubled spaces."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(text.casefold().split())


_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(T\d\d:\d\d(?::\d\d(?P<fraction>\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)


def interval(text: str) -> tuple[datetime, datetime] | None:
    """Return the (start, exclusive end) a FHIR date, dateTime or instant stands for; None if it is none.

    `2020` is the year, `2020-03` the month, a time the smallest unit it is written in. What names no zone is UTC.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        start, unit = _start(text, match)
    except (ValueError, OverflowError):
        return None
    if unit is not None:
        return start, min(start, LATEST - unit) + unit
    year, month = (start.year, start.month + 1) if match[2] else (start.year + 1, 1)
    if month > 12:
        year, month = year + 1, 1
    return start, LATEST if year > 9999 else start.replace(year=year, month=month)


def _start(text: str, match: re.Match[str]) -> tuple[datetime, timedelta | None]:
    """Return the start of an interval and its length; None for what has no fixed one, a month or a year."""
    if not match[4]:
        start = datetime(int(match[1]), int(match[2] or 1), int(match[3] or 1), tzinfo=UTC)
        return start, _DAY if match[3] else None
    moment = datetime.fromisoformat(text)
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if fraction := match["fraction"]:
        return moment, _MILLISECOND if len(fraction) <= 4 else _MICROSECOND
    return moment, _SECOND if text[16:17] == ":" else _MINUTE


_DAY, _MINUTE, _SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
_MILLISECOND, _MICROSECOND = timedelta(milliseconds=1), timedelta(microseconds=1)


_NUMBER = re.compile(r"[+-]?(?:\d{1,40}(?:\.(\d{0,40}))?|\.(\d{1,40}))(?:[eE]([+-]?\d{1,3}))?", re.ASCII)


def number(text: str) -> tuple[Decimal, Decimal] | None:
    """Return the number a text says and half of its last digit: `5.40` is 5.40 and 0.005; None if it is none.

    So far a value may be from it and still be equal (R4 section 3.1.1.4.6).
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    value = Decimal(text)
    if not is_comparable(value):
        return None
    places = len(match[1] or match[2] or "") - int(match[3] or 0)
    return value, Decimal((0, (5,), -places - 1))


def is_comparable(value: Decimal) -> bool:
    """Return whether a number is neither endless nor out of reach of an index."""
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -_MOST_DIGITS and value.adjusted() <= _MOST_DIGITS
