"""The truth about money: what the warehouse must come to, worked out from what happened and not from what was sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime

from pipelines.simulation.billing.standing import account_standings, claim_standings
from pipelines.simulation.clocks import clock
from pipelines.simulation.facts_truth import Table, member
from pipelines.simulation.group import PAYERS, PRACTICES
from pipelines.simulation.money import Adjustment, Answer, Books, Claim, Remittance
from pipelines.simulation.truth import Row
from pipelines.simulation.world import Chapter, Site

_NOT_DENIED = frozenset(("45", "23", "24", "94", "253"))
"""What a payer does not pay by its contract, or because another payer did."""
_NAMES: Mapping[str | None, str] = {None: "", **{key: payer.name for key, payer in PAYERS.items()}}
"""Of payers; the patient has none."""


def truth_tables(chapter: Chapter, books: Books) -> Iterator[Table]:
    """Yield the rows of truth about a chapter's money by the file they belong to."""
    answers = answers_in_order(books)
    yield "charges", _charges(books)
    yield "payments", _payments(books, answers)
    yield "adjustments", _adjustments(answers)
    yield "account_adjustments", _account_adjustments(books)
    yield "claims", _claims(chapter, books, answers)
    yield "answers", _answers(answers)
    yield "denials", _denials(answers)
    yield "receivables", _receivables(books, answers)
    yield "eligibility", _eligibility(books)
    yield "subscribers", _subscribers(chapter, books)


def answers_in_order(books: Books) -> list[tuple[Remittance, Answer]]:
    """Return every answer with its remittance, first given first."""
    remittances = sorted(books.remittances, key=lambda each: (each.paid_on, each.trace_number))
    return [(remittance, answer) for remittance in remittances for answer in remittance.answers]


def last_primary_claims(books: Books) -> dict[str, Claim]:
    """Return the claim that stands of each account: the last one sent to the primary payer."""
    claims = sorted((each for each in books.claims if each.sequence == "P"), key=lambda each: each.sent_at)
    return {each.account_number: each for each in claims}


def _day(site: Site, moment: datetime) -> date:
    return clock(PRACTICES[site].zone).day(moment)


def _charges(books: Books) -> Iterator[Row]:
    for charge in books.charges:
        yield {
            "charge_id": charge.charge_id, "site": charge.site, "registration_id": charge.registration_id,
            "payer": _NAMES[charge.payer], "charge_kind": "account", "code": charge.service.code,
            "units": charge.units, "cents": -charge.amount if charge.credits else charge.amount,
            "service_on": _day(charge.site, charge.charged_at),
        }  # fmt: skip
    for account, claim in last_primary_claims(books).items():
        for line in claim.lines:
            yield {
                "charge_id": f"{account}-{line.number}", "site": claim.site,
                "registration_id": claim.registration_id, "payer": _NAMES[claim.payer], "charge_kind": "claim_line",
                "code": line.service.code, "units": line.units, "cents": line.amount, "service_on": line.service_date,
            }  # fmt: skip


def _payments(books: Books, answers: list[tuple[Remittance, Answer]]) -> Iterator[Row]:
    for entry in books.entries:
        if entry.kind == "payment":
            yield {
                "payment_key": entry.entry_id, "site": entry.site,
                "payment_kind": "insurer" if entry.payer else "patient", "payer": _NAMES[entry.payer],
                "reason_code": "", "cents": entry.amount, "paid_on": _day(entry.site, entry.posted_at),
            }  # fmt: skip
    for remittance, answer in answers:
        if answer.paid:
            yield {
                "payment_key": answer.answer_id, "site": remittance.site, "payment_kind": "insurer",
                "payer": _NAMES[answer.payer], "reason_code": "", "cents": answer.paid, "paid_on": remittance.paid_on,
            }  # fmt: skip
    for remittance in books.remittances:
        for number, moved in enumerate(remittance.provider_adjustments, 1):
            yield {
                "payment_key": f"{remittance.trace_number}/{number}", "site": remittance.site,
                "payment_kind": "provider_adjustment", "payer": _NAMES[remittance.payer],
                "reason_code": moved.reason_code, "cents": -moved.amount, "paid_on": remittance.paid_on,
            }  # fmt: skip


def _adjustments(answers: list[tuple[Remittance, Answer]]) -> Iterator[Row]:
    for remittance, answer in answers:
        for _, adjustment in answer.all_adjustments:
            yield {
                "answer_id": answer.answer_id, "site": remittance.site, "payer": _NAMES[answer.payer],
                "group_code": adjustment.group_code, "reason_code": adjustment.reason_code,
                "cents": adjustment.amount, "is_reversal": answer.status == "22",
            }  # fmt: skip


def _account_adjustments(books: Books) -> Iterator[Row]:
    for entry in books.entries:
        if entry.kind == "adjustment":
            yield {
                "entry_id": entry.entry_id, "site": entry.site, "payer": _NAMES[entry.payer],
                "group_code": entry.group_code, "reason_code": entry.reason_code, "cents": entry.amount,
            }  # fmt: skip


def _claims(chapter: Chapter, books: Books, answers: list[tuple[Remittance, Answer]]) -> Iterator[Row]:
    answered = {answer.claim_id for _, answer in answers}
    for claim in books.claims:
        registration = chapter.registrations[claim.registration_id]
        yield {
            "claim_id": claim.claim_id, "account_number": claim.account_number, "site": claim.site,
            "payer": _NAMES[claim.payer], "sequence": claim.sequence, "frequency": claim.frequency,
            "cents": claim.amount, "is_answered": claim.claim_id in answered,
            "member": "|".join(member(registration, claim.policy, claim.named_as_of)),
        }  # fmt: skip


def _answers(answers: list[tuple[Remittance, Answer]]) -> Iterator[Row]:
    for remittance, answer in answers:
        yield {
            "answer_id": answer.answer_id, "account_number": answer.account_number, "claim_id": answer.claim_id,
            "site": remittance.site, "payer": _NAMES[answer.payer], "status": answer.status,
            "charged_cents": answer.charged, "paid_cents": answer.paid,
            "patient_responsibility_cents": answer.patient_responsibility, "is_reversal": answer.status == "22",
        }  # fmt: skip


def _denials(answers: list[tuple[Remittance, Answer]]) -> Iterator[Row]:
    """Yield each line, or claim decided as a whole, that a payer left unpaid for a reason that is a denial.

    It is overturned when the same payer paid later; what another payer paid overturns nothing.
    """
    following: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    found: list[Row] = []
    for remittance, answer in reversed(answers):
        for line_number, denying in _denied(answer):
            is_overturned = any(_pays(later, line_number) for later in following[answer.account_number, answer.payer])
            found.append(
                {
                    "denial_id": f"{answer.answer_id}/{line_number or 'claim'}",
                    "site": remittance.site,
                    "payer": _NAMES[answer.payer],
                    "account_number": answer.account_number,
                    "line_number": line_number or "",
                    "group_code": denying[0].group_code,
                    "reason_code": denying[0].reason_code,
                    "cents": sum(each.amount for each in denying),
                    "is_overturned": is_overturned,
                }
            )
        following[answer.account_number, answer.payer].append(answer)
    yield from reversed(found)


def _denied(answer: Answer) -> Iterator[tuple[int | None, list[Adjustment]]]:
    if answer.status == "22":
        return
    decided: list[tuple[int | None, int, tuple[Adjustment, ...]]]
    decided = [(each.line.number, each.paid, each.adjustments) for each in answer.lines]
    for line_number, paid, adjustments in decided or [(None, answer.paid, answer.adjustments)]:
        denying = [each for each in adjustments if answer.status == "4" or _is_denial(each)]
        if paid == 0 and denying:
            yield line_number, denying


def _is_denial(adjustment: Adjustment) -> bool:
    return adjustment.group_code != "PR" and adjustment.reason_code not in _NOT_DENIED


def _pays(later: Answer, line_number: int | None) -> bool:
    """Return whether an answer pays a line; for a claim decided as a whole, whether it pays anything."""
    if later.status == "22":
        return False
    if line_number is None or not later.lines:
        return later.paid > 0
    return any(each.paid > 0 for each in later.lines if each.line.number == line_number)


def _receivables(books: Books, answers: list[tuple[Remittance, Answer]]) -> Iterator[Row]:
    standings = (*account_standings(books), *claim_standings(books.claims, [answer for _, answer in answers]))
    for each in standings:
        yield {
            "account": each.account, "site": each.site, "payer": _NAMES[each.payer],
            "receivable_kind": each.kind, "billed_cents": each.billed, "paid_cents": each.paid,
            "adjusted_cents": each.adjusted, "payer_open_cents": each.payer_open,
            "patient_open_cents": each.patient_open, "aged_from": each.aged_from,
        }  # fmt: skip


def _eligibility(books: Books) -> Iterator[Row]:
    for answer in books.eligibility:
        yield {
            "answer_id": answer.answer_id, "site": answer.site, "payer": _NAMES[answer.payer],
            "is_active": "" if answer.refusal else answer.is_active, "service_on": answer.service_date,
        }  # fmt: skip


def _subscribers(chapter: Chapter, books: Books) -> Iterator[Row]:
    """Yield who is known to a practice only as the holder of a policy of its patients."""
    policies = {each.policy.policy_id: (each.policy, each.site) for each in books.eligibility}
    policies |= {each.policy.policy_id: (each.policy, each.site) for each in books.claims}
    named = {(policy.subscriber_id, site, policy.payer, policy.member_id) for policy, site in policies.values()}
    registered = {(each.person_id, each.site) for each in chapter.registrations.values()}
    for person_id, site, payer, member_id in sorted(named):
        if (person_id, site) not in registered:
            yield {"person_id": person_id, "site": site, "payer": PAYERS[payer].payer_id, "member_id": member_id}
