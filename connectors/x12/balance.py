"""Whether the amounts of a set add up, exact to the cent (SNIP type 3): 837 at one level, 835 at three.

A claim says its charge and the charges of its lines (CLM02 = sum of SV102). A remittance says, for each line,
SVC02 - CAS = SVC03, for each claim CLP03 - CAS of the claim and its lines = CLP04, and for the payment
sum of CLP04 - sum of PLB = BPR02. AMT segments are information and take no part (X12 RFI 2601).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.connector import Issue
from connectors.x12.adjudicated import AdjudicatedClaim
from connectors.x12.adjustments import PATIENT_RESPONSIBILITY, provider_adjustments
from connectors.x12.elements import ZERO, amount
from connectors.x12.loops import Loop
from hub_core.errors import UnreadableError


def claim_balance(claim: Loop) -> Iterator[Issue]:
    """Yield an issue if the charge of a professional claim (2300) is not the sum of its lines."""
    services = [service for line in claim.inside("2400") for service in line.all("SV1")]
    try:
        charged = sum((amount(service, 2) for service in services), ZERO)
        claimed = amount(claim.opener, 2)
    except UnreadableError:
        return  # said where the amount stands, by whoever reads it
    if claimed != charged:
        yield _unbalanced("the charge of the claim is not the sum of its lines", f"2300 {claim.opener.place(2)}")


def remittance_balance(root: Loop, claims: Iterable[AdjudicatedClaim]) -> Iterator[Issue]:
    """Yield an issue for each line, claim and payment of a remittance that does not balance.

    Args:
        root: the remittance.
        claims: its claims, all of them: the payment is the sum of them.
    """
    paid = ZERO
    for claim in claims:
        paid += claim.paid
        yield from _adjudication_balance(claim)
    payment = root.segment("BPR")
    if payment is None:
        return
    try:
        stated, adjusted = amount(payment, 2), sum((each.amount for each in provider_adjustments(root)), ZERO)
    except UnreadableError:
        return  # said where the amount stands, by whoever reads it
    if paid - adjusted != stated:
        text = "claim payments less provider adjustments (PLB) are not the amount of the payment"
        yield _unbalanced(text, payment.place(2))


def _adjudication_balance(claim: AdjudicatedClaim) -> Iterator[Issue]:
    opener = claim.loop.opener
    for line in claim.lines:
        if not line.is_balanced:
            text = "the charge of the line less its adjustments is not its payment"
            yield _unbalanced(text, f"2110 {line.loop.opener.place(3)}")
    if not claim.is_balanced:
        yield _unbalanced("the charge of the claim less all adjustments is not its payment", f"2100 {opener.place(4)}")
    if not claim.has_all_charges:
        yield _unbalanced(
            "the charges of the lines do not add up to the charge of the claim", f"2100 {opener.place(3)}"
        )
    if claim.stated_share is not None and claim.stated_share != claim.adjusted(PATIENT_RESPONSIBILITY):
        text = "SNIP 3: the patient's share is not the sum of the PR adjustments"
        yield Issue("information", "business-rule", text, f"2100 {opener.place(5)}")


def _unbalanced(text: str, place: str) -> Issue:
    return Issue("warning", "business-rule", f"SNIP 3: {text}", place)
