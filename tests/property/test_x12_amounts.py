"""Whatever a payer decides, the amounts of a remittance come out as they went in, and balance exactly when they do."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.connectors.x12.interchanges import REMITTANCE_VERSION, convert, interchange, resources, transaction_set

cents = st.integers(-10_000_000, 10_000_000).map(lambda count: Decimal(count).scaleb(-2))
groups = st.sampled_from(["CO", "PR", "OA", "PI"])


class Line(NamedTuple):
    paid: Decimal
    adjustments: list[tuple[str, Decimal]]

    @property
    def charge(self) -> Decimal:
        return self.paid + sum(amount for _, amount in self.adjustments)


lines = st.builds(Line, cents, st.lists(st.tuples(groups, cents), max_size=6))
claims = st.lists(st.lists(lines, min_size=1, max_size=4), min_size=1, max_size=4)


def remittance(decided: list[list[Line]], provider_adjustment: Decimal, error: Decimal) -> bytes:
    """Return an 835 of these decisions whose payment is wrong by `error`."""
    segments: list[str] = []
    for number, claim in enumerate(decided):
        charge, paid = sum(line.charge for line in claim), sum(line.paid for line in claim)
        segments += [f"CLP*C{number}*1*{charge}*{paid}**12*I{number}", "NM1*QC*1*DOE*JO****MI*M1"]
        for line in claim:
            segments.append(f"SVC*HC:99213*{line.charge}*{line.paid}**1")
            segments += [f"CAS*{group}*45*{amount}" for group, amount in line.adjustments]
    total = sum(line.paid for claim in decided for line in claim) - provider_adjustment + error
    head = (f"BPR*I*{total}*C*ACH************20250512", "TRN*1*E1*1999999999", "N1*PR*PLAN", "N1*PE*CLINIC", "LX*1")
    tail = f"PLB*1*20251231*WO:X*{provider_adjustment}"
    return interchange(transaction_set(*head, *segments, tail, st01="835"), version=REMITTANCE_VERSION)


@given(claims, cents)
def test_a_balanced_remittance_comes_out_to_the_cent(decided: list[list[Line]], provider_adjustment: Decimal) -> None:
    outcome = convert(remittance(decided, provider_adjustment, Decimal(0)))
    assert outcome.issues == ()
    benefits = resources(outcome, "ExplanationOfBenefit")
    for claim, benefit in zip(decided, benefits, strict=True):
        for line, item in zip(claim, benefit["item"], strict=True):
            amounts = [row["amount"]["value"] for row in item["adjudication"] if "reason" in row]
            assert amounts == [amount for _, amount in line.adjustments]
            assert item["net"]["value"] - sum(amounts) == line.paid
        assert benefit["payment"]["amount"]["value"] == sum(line.paid for line in claim)
    (payment,) = resources(outcome, "PaymentReconciliation")
    assert sum(row["amount"]["value"] for row in payment["detail"]) == payment["paymentAmount"]["value"]


@given(claims, cents, cents.filter(bool))
def test_a_cent_that_is_missing_is_said(
    decided: list[list[Line]], provider_adjustment: Decimal, error: Decimal
) -> None:
    outcome = convert(remittance(decided, provider_adjustment, error))
    assert [issue.location for issue in outcome.issues] == ["BPR02, segment 2"]
