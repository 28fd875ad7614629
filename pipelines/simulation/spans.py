"""Lengths of time that are asked for again and again: one takes ten times as long to make as to add."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

_SECONDS: Final = tuple(timedelta(seconds=count) for count in range(15 * 60))
_MINUTES: Final = tuple(timedelta(minutes=count) for count in range(3 * 24 * 60))
_DAYS: Final = tuple(timedelta(days=count) for count in range(366))


def seconds(count: int) -> timedelta:
    """Return that many seconds, less than fifteen minutes."""
    return _SECONDS[count]


def minutes(count: int) -> timedelta:
    """Return that many minutes, less than three days."""
    return _MINUTES[count]


def days(count: int) -> timedelta:
    """Return that many days, at most a year."""
    return _DAYS[count]
