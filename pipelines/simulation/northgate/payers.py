"""What payers answer about the patients of northgate: a new installation asks none outside, but one in the house."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from pipelines.simulation.northgate.facts import Month
from pipelines.simulation.northgate.patients import holds
from pipelines.simulation.world import Policy

_UNKNOWN: Final = "00"
_ENDED: Final = frozenset({"01", "02", "03", "04", "05", "06", "07"})
"""The payer in the house goes by the last two digits of a member's number: not known to it, or a member no longer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a payer says about a policy on the day of an appointment; None where it does not know the member."""

    answer_id: str
    policy: Policy
    service_on: date
    is_active: bool | None


def answers(month: Month) -> Iterator[Answer]:
    """Yield the answer about every policy that the desk knew of at booking and that holds on the day of the visit."""
    records = {each.record_id: each for each in month.records}
    for booking in month.bookings:
        day = booking.starts.date()
        for since, policy in records[booking.record_id].covered:
            if since <= booking.booked_at and holds(policy, day):
                yield Answer(f"{booking.booking_id}E{policy.rank}", policy, day, _says(policy.member_id))


def _says(member_id: str) -> bool | None:
    ending = member_id[-2:]
    return None if ending == _UNKNOWN else ending not in _ENDED
