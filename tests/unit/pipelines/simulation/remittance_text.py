"""Reads 835 text again in a few lines that share nothing with who wrote it, to count what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass
class Line:
    """A service line (SVC)."""

    number: int
    charged: int
    paid: int
    adjustments: list[tuple[str, str, int]] = field(default_factory=list)


@dataclass
class Claim:
    """A claim answered (CLP)."""

    account: str
    status: str
    charged: int
    paid: int
    share: int
    number: str
    adjustments: list[tuple[str, str, int]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def everywhere(self) -> list[tuple[str, str, int]]:
        """All adjustments, of the claim and of its lines."""
        return self.adjustments + [each for line in self.lines for each in line.adjustments]


@dataclass
class Payment:
    """A remittance."""

    payer: str = ""
    amount: int = 0
    method: str = ""
    moved: list[tuple[str, int]] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)


def cents(text: str) -> int:
    """Return an amount in cents; nothing is zero."""
    return int(Decimal(text or "0") * 100)


def segments(body: bytes) -> Iterator[list[str]]:
    """Yield the segments of an interchange as their elements."""
    yield from (each.strip().split("*") for each in body.decode("ascii").split("~") if each.strip())


def read(body: bytes) -> Payment:
    """Return what a remittance says."""
    payment = Payment()
    for name, *values in segments(body):
        if name == "BPR":
            payment.amount, payment.method = cents(values[1]), values[3]
        elif name == "N1" and values[0] == "PR":
            payment.payer = values[1]
        elif name == "CLP":
            account, status, charged, paid, share, _, number, *_ = values
            payment.claims.append(Claim(account, status, cents(charged), cents(paid), cents(share), number))
        elif name == "SVC":
            payment.claims[-1].lines.append(Line(0, cents(values[1]), cents(values[2])))
        elif name == "REF" and values[0] == "6R":
            payment.claims[-1].lines[-1].number = int(values[1].rpartition("-")[2])
        elif name == "CAS":
            claim = payment.claims[-1]
            place = claim.lines[-1] if claim.lines else claim
            place.adjustments += [(values[0], values[at], cents(values[at + 1])) for at in range(1, len(values), 3)]
        elif name == "PLB":
            payment.moved += [(values[at].split(":")[0], cents(values[at + 1])) for at in range(2, len(values), 2)]
    return payment
