"""Adjustments of a remittance: the triplets of CAS and the pairs of PLB, exact to the cent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from connectors.x12.elements import ZERO, number, required_amount
from connectors.x12.loops import Loop
from connectors.x12.transaction import Segment

PATIENT_RESPONSIBILITY = "PR"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Why an amount was not paid: a positive one lowers the payment, a negative one raises it."""

    group: str
    """CO, OA, PI or PR (CAS01)."""
    reason: str
    """The CLAIM_ADJUSTMENT_REASON."""
    amount: Decimal
    quantity: Decimal | None


@dataclass(frozen=True, slots=True)
class ProviderAdjustment:
    """An amount that no claim explains (PLB): a positive one lowers the payment, a negative one raises it."""

    reason: str
    """PLB03-1: WO, FB, L6, 72 ..."""
    reference: str
    """PLB03-2."""
    fiscal_date: str
    """PLB02 as it stands."""
    amount: Decimal


def adjustments(loop: Loop) -> Iterator[Adjustment]:
    """Yield the adjustments of the CAS segments directly in `loop`.

    Raises:
        UnreadableError: with the place, if an amount is none.
    """
    for segment in loop.all("CAS"):
        for first in range(2, len(segment.elements), 3):
            if reason := segment[first].strip():
                value = required_amount(segment, first + 1)
                yield Adjustment(segment[1].strip(), reason, value, number(segment[first + 2]))


def provider_adjustments(root: Loop) -> Iterator[ProviderAdjustment]:
    """Yield the provider-level adjustments of a remittance.

    Raises:
        UnreadableError: with the place, if an amount is none.
    """
    for loop in root.inside("PLB"):
        yield from _pairs(loop.opener)


def total(found: Iterable[Adjustment], group: str | None = None) -> Decimal:
    """Return the sum of adjustments, of one group if it is named."""
    return sum((each.amount for each in found if group is None or each.group == group), ZERO)


def _pairs(segment: Segment) -> Iterator[ProviderAdjustment]:
    for first in range(3, len(segment.elements), 2):
        if segment[first].strip():
            reason, reference, *_ = (*segment.components(first), "")
            value = required_amount(segment, first + 1)
            yield ProviderAdjustment(reason.strip(), reference.strip(), segment[2].strip(), value)
