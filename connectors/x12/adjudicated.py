"""A claim and its lines as a payer decided them (835 loops 2100 and 2110), amounts read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from connectors.x12.adjustments import PATIENT_RESPONSIBILITY, Adjustment, adjustments, total
from connectors.x12.elements import ZERO, amount, required_amount
from connectors.x12.loops import Loop


@dataclass(frozen=True, slots=True)
class AdjudicatedLine:
    """One service line (2110)."""

    loop: Loop
    charge: Decimal
    """SVC02."""
    paid: Decimal
    """SVC03."""
    adjustments: tuple[Adjustment, ...]
    stated_allowed: Decimal | None
    """AMT*B6."""

    @property
    def allowed(self) -> Decimal:
        """What the payer allowed: as stated, else the payment and what the patient owes."""
        if self.stated_allowed is not None:
            return self.stated_allowed
        return self.paid + total(self.adjustments, PATIENT_RESPONSIBILITY)

    @property
    def is_balanced(self) -> bool:
        """Whether the charge less the adjustments is the payment."""
        return self.charge - total(self.adjustments) == self.paid


@dataclass(frozen=True, slots=True)
class AdjudicatedClaim:
    """One claim (2100) with its lines."""

    loop: Loop
    number: str
    """The provider's number of the claim (CLP01)."""
    status: str
    """CLP02."""
    charge: Decimal
    """CLP03."""
    paid: Decimal
    """CLP04."""
    stated_share: Decimal | None
    """What the patient owes by CLP05."""
    adjustments: tuple[Adjustment, ...]
    """Those of the claim itself."""
    lines: tuple[AdjudicatedLine, ...]

    def adjusted(self, group: str | None = None) -> Decimal:
        """Return the sum of all adjustments, of the claim and its lines, of one group if it is named."""
        return total(self.adjustments, group) + sum((total(line.adjustments, group) for line in self.lines), ZERO)

    @property
    def patient_share(self) -> Decimal:
        """What the patient owes: CLP05, else the sum of the PR adjustments."""
        return self.adjusted(PATIENT_RESPONSIBILITY) if self.stated_share is None else self.stated_share

    @property
    def allowed(self) -> Decimal:
        """What the payer allowed: for the lines (without lines: the payment), and PR adjustments of the claim."""
        of_lines = sum((line.allowed for line in self.lines), ZERO) if self.lines else self.paid
        return of_lines + total(self.adjustments, PATIENT_RESPONSIBILITY)

    @property
    def is_balanced(self) -> bool:
        """Whether the charge less all adjustments is the payment."""
        return self.charge - self.adjusted() == self.paid

    @property
    def has_all_charges(self) -> bool:
        """Whether the charges of the lines, where there are any, add up to the charge of the claim."""
        return not self.lines or sum((line.charge for line in self.lines), ZERO) == self.charge


def claim_loops(root: Loop) -> Iterator[Loop]:
    """Yield the 2100 loops of a remittance, whether its payer groups them in 2000 or not."""
    for loop in root.inside("2000", "2100"):
        if loop.name == "2100":
            yield loop
        else:
            yield from loop.inside("2100")


def read_adjudicated(loop: Loop) -> AdjudicatedClaim:
    """Return the amounts of a 2100 loop.

    Raises:
        UnreadableError: with the place, if an amount is missing or none.
    """
    opener = loop.opener
    return AdjudicatedClaim(
        loop=loop,
        number=opener[1].strip(),
        status=opener[2].strip(),
        charge=required_amount(opener, 3),
        paid=required_amount(opener, 4),
        stated_share=amount(opener, 5) if opener[5].strip() else None,
        adjustments=tuple(adjustments(loop)),
        lines=tuple(_read_line(line) for line in loop.inside("2110")),
    )


def _read_line(loop: Loop) -> AdjudicatedLine:
    allowed = loop.segment("AMT", "B6")
    return AdjudicatedLine(
        loop=loop,
        charge=required_amount(loop.opener, 2),
        paid=amount(loop.opener, 3),
        adjustments=tuple(adjustments(loop)),
        stated_allowed=required_amount(allowed, 2) if allowed else None,
    )
