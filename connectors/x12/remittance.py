"""Remittance advice (835, 005010X221) as FHIR R4: an ExplanationOfBenefit per CLP and the payment they belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from connectors.connector import Issue
from connectors.x12.adjudicated import AdjudicatedClaim, claim_loops, read_adjudicated
from connectors.x12.balance import remittance_balance
from connectors.x12.benefit import claim_reference, explanation
from connectors.x12.facts import FactSet
from connectors.x12.loops import Loop
from connectors.x12.payment import Payment, claim_detail, read_payment, reconciliation
from connectors.x12.service import service_issues
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json


def read_remittance(facts: FactSet, root: Loop, written_at: datetime | None) -> Iterator[Issue]:
    """Keep the adjudicated claims and the payment of a set in `facts`.

    Yields why a claim could not be kept, and what does not balance: such a claim is kept as the payer sent it.
    """
    try:
        payment = read_payment(facts, root)
        created = _created(payment, written_at)
    except UnreadableError as error:
        yield Issue("error", error.code, error.text, error.location)
        return
    details: list[Json] = []
    seen: Counter[str] = Counter()
    claims: list[AdjudicatedClaim] = []
    is_complete = True
    for loop in claim_loops(root):
        try:
            claim = read_adjudicated(loop)
            details.append(_keep(facts, claim, payment, created, seen))
            claims.append(claim)
            yield from service_issues(loop.inside("2110"), "SVC", "2110")
        except UnreadableError as error:
            is_complete = False
            yield Issue("error", error.code, error.text, f"2100 {error.location}")
    try:
        facts.add(reconciliation(payment, root, details, created), f"{payment.payer_key}|{payment.trace}")
    except UnreadableError as error:
        yield Issue("error", error.code, error.text, error.location)
    if is_complete:
        yield from remittance_balance(root, claims)


def _keep(facts: FactSet, claim: AdjudicatedClaim, payment: Payment, created: str, seen: Counter[str]) -> Json:
    """Keep one adjudicated claim; return its row of the payment."""
    opener = claim.loop.opener
    if not claim.number:
        raise UnreadableError("the claim has no patient control number", location=opener.place(1), code="required")
    key = "|".join((payment.payer_key, payment.trace, opener[7].strip(), claim.number, claim.status))
    seen[key] += 1
    response = facts.add(explanation(facts, claim, payment, created), f"{key}|{seen[key]}")
    return claim_detail(claim_reference(claim.number), response, claim.paid)


def _created(payment: Payment, written_at: datetime | None) -> str:
    """Return when the remittance was written, in FHIR's form; the day of payment if nobody says."""
    if written_at:
        return written_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    if payment.paid_on:
        return payment.paid_on
    raise UnreadableError(
        "no date says when the remittance was written or paid", location="GS04, BPR16", code="required"
    )
