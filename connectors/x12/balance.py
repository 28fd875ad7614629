"""Whether the amounts of a set add up, exact to the cent (SNIP type 3): 837 at one level, 835 at three.

A claim says its charge and the charges of its lines (CLM02 = sum of SV102). A remittance says, for each line,
SVC02 - CAS = SVC03, for each claim CLP03 - CAS of the claim and its lines = CLP04, and for the payment
sum of CLP04 - sum of PLB = BPR02. AMT segments are information and take no part (X12 RFI 2601).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from connectors.connector import Issue
from connectors.x12.adjustments import PATIENT_RESPONSIBILITY, adjustments, provider_adjustments, total
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


def remittance_balance(root: Loop) -> Iterator[Issue]:
    """Yield an issue for each line, claim and payment of a remittance that does not balance."""
    paid = ZERO
    is_complete = True
    for claim in adjudicated_claims(root):
        try:
            paid += amount(claim.opener, 4)
            yield from _adjudication_balance(claim)
        except UnreadableError:
            is_complete = False
    payment = root.segment("BPR")
    if payment is None or not is_complete:
        return
    try:
        explained = paid - sum((each.amount for each in provider_adjustments(root)), ZERO)
        if explained != amount(payment, 2):
            text = "claim payments less provider adjustments (PLB) are not the amount of the payment"
            yield _unbalanced(text, payment.place(2))
    except UnreadableError:
        return


def adjudicated_claims(root: Loop) -> Iterator[Loop]:
    """Yield the 2100 loops of a remittance, whether its payer groups them in 2000 or not."""
    for loop in root.inside("2000", "2100"):
        if loop.name == "2100":
            yield loop
        else:
            yield from loop.inside("2100")


def _adjudication_balance(claim: Loop) -> Iterator[Issue]:
    opener = claim.opener
    at_claim = list(adjustments(claim))
    adjusted, charged = total(at_claim), ZERO
    responsible = total(at_claim, PATIENT_RESPONSIBILITY)
    lines = list(claim.inside("2110"))
    for line in lines:
        found = list(adjustments(line))
        adjusted, responsible = adjusted + total(found), responsible + total(found, PATIENT_RESPONSIBILITY)
        charged += amount(line.opener, 2)
        if amount(line.opener, 2) - total(found) != amount(line.opener, 3):
            text = "the charge of the line less its adjustments is not its payment"
            yield _unbalanced(text, f"2110 {line.opener.place(3)}")
    if amount(opener, 3) - adjusted != amount(opener, 4):
        yield _unbalanced("the charge of the claim less all adjustments is not its payment", f"2100 {opener.place(4)}")
    if lines and charged != amount(opener, 3):
        yield _unbalanced(
            "the charges of the lines do not add up to the charge of the claim", f"2100 {opener.place(3)}"
        )
    yield from _patient_share(claim, responsible)


def _patient_share(claim: Loop, responsible: Decimal) -> Iterator[Issue]:
    if claim.opener[5].strip() and amount(claim.opener, 5) != responsible:
        text = "SNIP 3: the patient's share is not the sum of the PR adjustments"
        yield Issue("information", "business-rule", text, f"2100 {claim.opener.place(5)}")


def _unbalanced(text: str, place: str) -> Issue:
    return Issue("warning", "business-rule", f"SNIP 3: {text}", place)
