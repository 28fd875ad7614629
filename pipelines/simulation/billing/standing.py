"""What is still open on every account, with whom, at the end of the simulated time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Literal

from pipelines.simulation.clocks import clock
from pipelines.simulation.facts import fact
from pipelines.simulation.group import PRACTICES
from pipelines.simulation.money import Answer, Books, Charge, Claim
from pipelines.simulation.world import Site


@fact(frozen=True, slots=True)
class Standing:
    """How one account stands."""

    account: str
    site: Site
    kind: Literal["claim", "account"]
    payer: str | None
    """Whom it is open at; the primary payer where it is open at the patient."""
    billed: int
    paid: int
    adjusted: int
    payer_open: int
    patient_open: int
    aged_from: date


class _Sums:
    """What is charged and posted about one visit, as it is added up."""

    __slots__ = ("adjusted", "billed", "first", "has_answer", "paid")

    def __init__(self, first: Charge) -> None:
        self.first = first
        self.billed = self.paid = self.adjusted = 0
        self.has_answer = False


def account_standings(books: Books) -> Iterator[Standing]:
    """Yield how each visit stands that a practice keeps its own books about."""
    visits: dict[str, _Sums] = {}
    for charge in books.charges:
        sums = visits.get(charge.visit_id)
        if sums is None:
            sums = visits[charge.visit_id] = _Sums(charge)
        elif charge.charged_at < sums.first.charged_at:
            sums.first = charge
        sums.billed += -charge.amount if charge.credits else charge.amount
    for entry in books.entries:
        sums = visits[entry.visit_id]
        if entry.kind == "payment":
            sums.paid += entry.amount
        else:
            sums.adjusted += entry.amount
        sums.has_answer = sums.has_answer or entry.payer is not None
    for visit_id, sums in visits.items():
        yield _visit_standing(visit_id, sums)


def _visit_standing(visit_id: str, sums: _Sums) -> Standing:
    """Return how one visit stands: all at the insurer until it has posted anything, then the rest at the patient."""
    first = sums.first
    rest = sums.billed - sums.paid - sums.adjusted
    at_payer, at_patient = (rest, 0) if first.payer is not None and not sums.has_answer else (0, rest)
    day = clock(PRACTICES[first.site].zone).day(first.charged_at)
    return Standing(
        visit_id, first.site, "account", first.payer, sums.billed, sums.paid, sums.adjusted, at_payer, at_patient, day
    )


def claim_standings(claims: Iterable[Claim], answers: Iterable[Answer]) -> Iterator[Standing]:
    """Yield how each account stands that claims are sent about.

    Args:
        claims: all claims.
        answers: all answers, first given first.
    """
    sent: dict[str, list[Claim]] = defaultdict(list)
    given: dict[str, list[Answer]] = defaultdict(list)
    for claim in claims:
        sent[claim.account_number].append(claim)
    for answer in answers:
        given[answer.account_number].append(answer)
    for account, made in sent.items():
        yield _claim_standing(account, made, given[account])


def _claim_standing(account: str, sent: list[Claim], answers: list[Answer]) -> Standing:
    """Return how one account stands: what no payer has answered for is the payer's, its patient share the patient's.

    An answer that was taken back and not yet given again leaves the claim unanswered; a replacement waits for its own.
    """
    primary = max((each for each in sent if each.sequence == "P"), key=lambda each: each.sent_at)
    secondary = next((each for each in sent if each.sequence == "S"), None)
    paid = sum(each.paid for each in answers)
    adjusted = sum(
        adjustment.amount
        for answer in answers
        for _, adjustment in answer.all_adjustments
        if adjustment.group_code != "PR" and (adjustment.group_code, adjustment.reason_code) != ("OA", "23")
    )
    rest = primary.amount - paid - adjusted
    first = min(line.service_date for line in primary.lines)
    asked = secondary if secondary and _is_answered(primary, answers) else primary
    is_settled = _is_answered(asked, answers)
    at_payer, at_patient = (0, rest) if is_settled else (rest, 0)
    payer = primary.payer if is_settled else asked.payer
    return Standing(account, primary.site, "claim", payer, primary.amount, paid, adjusted, at_payer, at_patient, first)


def _is_answered(claim: Claim, answers: list[Answer]) -> bool:
    """Return whether the payer answered after this claim was sent, and did not take it back."""
    given = [each for each in answers if each.payer == claim.payer]
    stands = sum(-1 if each.status == "22" else 1 for each in given) > 0
    return stands and max(each.paid_on for each in given) > claim.sent_at.date()
