"""Why less is paid than charged (CAS), as claims and remittances both write it."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.simulation.money import Adjustment
from pipelines.simulation.x12.writing import amount


def cas(adjustments: tuple[Adjustment, ...]) -> Iterator[str]:
    """Yield a CAS for each group code, its reasons in one segment."""
    if len(adjustments) == 1:
        (only,) = adjustments
        yield f"CAS*{only.group_code}*{only.reason_code}*{amount(only.amount)}"
        return
    for group_code in dict.fromkeys(each.group_code for each in adjustments):
        reasons = (f"{each.reason_code}*{amount(each.amount)}" for each in adjustments if each.group_code == group_code)
        yield f"CAS*{group_code}*{'**'.join(reasons)}"
