"""Local wall time and instants: what a clock on the wall shows is kept as shown, and compared only as an instant.

A weekly appointment at 9:00 is at 9:00 all year, which is not the same distance in UTC. A wall time that the clocks
jump over does not exist and is refused; one that comes twice means its first occurrence unless the second is asked for.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hub_core.errors import UnreadableError


class NonexistentTimeError(UnreadableError):
    """The clocks of the zone jump over this wall time."""


def to_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant (UTC) at which clocks in the zone show `local`.

    Raises:
        NonexistentTimeError: if they never do, because they are set forward over it.
    """
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    if to_local(moment, zone) != local.replace(fold=0):
        raise NonexistentTimeError(
            f"{local:%H:%M} does not exist on {local:%Y-%m-%d} in {zone.key}: the clocks go forward", code="value"
        )
    return moment


def to_local(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return what clocks in the zone show at an instant."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def span(day: date, starts: time, ends: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the instants between two wall times of a day; one that the clocks jump over is as much later."""
    return _reached(datetime.combine(day, starts), zone), _reached(datetime.combine(day, ends), zone)


def day_span(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the instants at which a day begins and ends; 23, 24 or 25 hours apart."""
    return _reached(datetime.combine(day, time()), zone), _reached(datetime.combine(day + timedelta(1), time()), zone)


def _reached(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant of a wall time; of one the clocks jump over, as if they had not."""
    return local.replace(tzinfo=zone).astimezone(UTC)
