"""When children are brought to be looked at, by the schedule that pediatricians of the United States keep."""

from __future__ import annotations

from typing import Final

from pipelines.simulation.care.calendar import AHEAD, DAYS, FIRST_DAY
from pipelines.simulation.care.patients import Patient

WELL_CHILD_MONTHS: Final = (1, 2, 4, 6, 9, 12, 15, 18, 24, 30, *range(36, 18 * 12, 12))
"""Ages in months at which a well-child visit is due (Bright Futures periodicity schedule)."""
_KEPT_YOUNG = 0.95
_KEPT_LATER = 0.75
_DAYS_A_MONTH = 30.4375


def well_child_days(patient: Patient) -> list[int]:
    """Return the days, within the simulated time and a little beyond, on which a child is brought."""
    random, born = patient.random, patient.life.born.toordinal() - FIRST_DAY
    days = []
    for months in WELL_CHILD_MONTHS:
        day = born + int(months * _DAYS_A_MONTH) + 1 + int(random.random() * (10 if months < 24 else 60))
        if 0 <= day < DAYS + AHEAD and random.random() < (_KEPT_YOUNG if months < 36 else _KEPT_LATER):
            days.append(day)
    return days
