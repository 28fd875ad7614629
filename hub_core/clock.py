"""The one clock: aware UTC, and replaceable, so that what depends on time can be tested at any time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


@lru_cache(maxsize=256)
def instant(moment: datetime) -> str:
    """Return `moment` as a FHIR instant with milliseconds (R4 section 2.24.0.1).

    Kept for a while: all versions of a batch were recorded at one moment.
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
