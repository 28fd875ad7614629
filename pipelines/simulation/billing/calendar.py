"""When money moves: the evenings on which claims are sent, and the mornings on which payers write remittances."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import lru_cache

from pipelines.simulation.group import PAYERS, PRACTICES
from pipelines.simulation.spans import days

_FRIDAY = 4
_ZONE = PRACTICES["pediatrics"].zone
_PAYDAYS = {key: place % 5 for place, key in enumerate(PAYERS)}
"""Weekday on which a payer pays; each another one."""


@lru_cache(maxsize=4096)
def batch_after(day: date) -> datetime:
    """Return the first evening after `day` on which the billing company sends claims."""
    ahead = (_FRIDAY - day.weekday()) % 7
    return datetime.combine(day + days(ahead), time(19, 30), _ZONE)


@lru_cache(maxsize=16384)
def payday(payer: str, day: date) -> date:
    """Return the first day on or after `day` on which a payer pays."""
    return day + days((_PAYDAYS[payer] - day.weekday()) % 7)


@lru_cache(maxsize=16384)
def written(payer: str, day: date) -> datetime:
    """Return when the payer writes the remittance of a day."""
    return datetime.combine(day, time(6, 10 * (_PAYDAYS[payer] + 1)), _ZONE)


@lru_cache(maxsize=4096)
def asked(day: date) -> datetime:
    """Return when payers answer what the practice asks about the visits of a day: on the Sunday evening before."""
    sunday = day - days(day.weekday() + 1)
    return datetime.combine(sunday, time(20, 15), _ZONE)
