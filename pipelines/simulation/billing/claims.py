"""The claims of pediatrics: one a visit to the first payer, and what becomes of each until it is settled."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from random import Random

from pipelines.simulation.billing.calendar import batch_after, payday
from pipelines.simulation.billing.care import Care, cover, diagnoses, payer_kind
from pipelines.simulation.billing.decisions import (
    CLAIM_DENIALS,
    LINE_DENIALS,
    TOO_LATE,
    Denial,
    Terms,
    deny,
    deny_after,
    pay,
    pay_after,
    pick,
    terms_of,
)
from pipelines.simulation.billing.fees import SERVICES
from pipelines.simulation.billing.remittances import Ledger
from pipelines.simulation.billing.services import Service, services_of
from pipelines.simulation.group import END_INSTANT
from pipelines.simulation.money import Adjustment, Answer, AnsweredLine, Claim, ClaimLine, ProviderAdjustment
from pipelines.simulation.spans import days
from pipelines.simulation.world import Chapter, Policy, Visit

_SCHEDULE = ((1, ("110", "48", "216", "116")), (2, ("03", "21", "83", "216")), (4, ("20", "140")), (7, ("130", "94")))
_LATER = ("115", "203", "165", "140")
_TIMELY_DAYS = 120


def bill_pediatrics(chapter: Chapter, ledger: Ledger, random: Random) -> None:
    """Add a claim for every insured visit of pediatrics to the ledger, and everything payers decide on it."""
    care = Care(chapter, "pediatrics")
    for index, (visit, registration, is_new) in enumerate(care.visits()):
        day = care.clock.day(visit.started_at)
        first, second = cover(registration, day)
        if first is None or random.random() < 0.01:
            continue  # paid by the family, or forgotten: no claim is ever made
        born = registration.as_of(visit.started_at).birth_date
        vaccines = care.vaccines(visit) or _vaccines_of(visit, born, random)
        done = services_of(visit, born, is_new, payer_kind(first), vaccines, care.is_drawn(visit), random)
        _Account(ledger, f"RP{chapter.number:04d}N{index:05d}", visit, day, random).bill(first, second, done)


def _vaccines_of(visit: Visit, born: date, random: Random) -> list[str]:
    """Return what is given in a checkup by the child's age; of vaccinations at pediatrics nobody sends messages."""
    if not (visit.diagnoses and visit.diagnoses[0].code.startswith("Z00") and random.random() < 0.6):
        return []
    age = (visit.started_at.date() - born).days / 365.25
    usual = next((vaccines for below, vaccines in _SCHEDULE if age < below), _LATER)
    return list(usual[: 1 + int(random.random() * len(usual))])


class _Account:
    """The claims of one visit and the answers to them, in the order of time."""

    def __init__(self, ledger: Ledger, number: str, visit: Visit, day: date, random: Random) -> None:
        self._ledger, self._number, self._visit, self._day, self._random = ledger, number, visit, day, random
        self._answers = 0

    def bill(self, first: Policy, second: Policy | None, services: list[Service]) -> None:
        """Send the claim to the first payer, follow it, and send what is left to the second."""
        is_late = self._random.random() < 0.012
        ready = self._day + days(self._days(_TIMELY_DAYS, 180) if is_late else self._days(0, 4))
        codes = diagnoses(self._visit)
        lines = tuple(self._line(number, service, len(codes)) for number, service in enumerate(services, 1))
        claim = Claim(
            f"{self._number}/P1", self._number, self._visit.registration_id, self._visit.site, self._visit.visit_id,
            self._visit.clinician, first.payer, first, "P", "1", codes, lines, batch_after(ready), second,
        )  # fmt: skip
        if not self._send(claim):
            return
        decided = self._follow(claim, is_late)
        if decided and second and decided.status == "1" and decided.patient_responsibility > 0:
            self._ask_second(claim, decided, first, second)

    def _line(self, number: int, service: Service, diagnosed: int) -> ClaimLine:
        code, modifier, units = service
        pointers = (1, 2) if number == 1 and diagnosed > 1 else (min(number, diagnosed),)
        return ClaimLine(number, SERVICES[code], modifier, units, service.fee, self._day, pointers)

    def _send(self, claim: Claim) -> bool:
        """Put a claim into its batch unless that is after the end of the simulated time."""
        if claim.sent_at > END_INSTANT:
            return False
        self._ledger.claims.append(claim)
        return True

    def _follow(self, claim: Claim, is_late: bool) -> Answer | None:
        """Let the first payer decide, and return its last word; None when it never answers."""
        chance = self._random.random()
        paid_on = self._answer_day(claim.payer, claim.sent_at)
        terms = terms_of(claim.payer, self._random)
        if is_late:
            return self._answer(self._denied_whole(claim, TOO_LATE, paid_on))
        if chance < 0.025:
            return None
        if chance < 0.115:
            return self._deny_claim(claim, terms, paid_on)
        if chance < 0.185 and len(claim.lines) > 1:
            return self._deny_line(claim, terms, paid_on)
        decided = self._answer(self._decided(claim, terms, paid_on))
        if decided and chance > 0.955:
            return self._reconsider(claim, decided, terms, chance)
        if decided and chance > 0.945:
            self._ledger.adjust(
                claim.payer, paid_on, ProviderAdjustment("L6", decided.payer_control_number, -self._days(15, 400))
            )
        return decided

    def _deny_claim(self, claim: Claim, terms: Terms, paid_on: date) -> Answer | None:
        denial = pick(CLAIM_DENIALS, self._random)
        by_line = denial.group_code == "CO" and denial is not TOO_LATE and self._random.random() < 0.5
        if by_line:
            lines = tuple(deny(line, denial) for line in claim.lines)
            denied = self._answer(self._compose(claim, "4", lines, paid_on))
        else:
            denied = self._answer(self._denied_whole(claim, denial, paid_on))
        return self._mend(claim, denied, denial, terms) if denied else None

    def _deny_line(self, claim: Claim, terms: Terms, paid_on: date) -> Answer | None:
        denial = pick(LINE_DENIALS, self._random)
        *kept, last = pay(claim.lines, claim.payer, terms)
        denied = self._answer(self._compose(claim, "1", (*kept, deny(last.line, denial)), paid_on))
        return self._mend(claim, denied, denial, terms) if denied else None

    def _mend(self, claim: Claim, denied: Answer, denial: Denial, terms: Terms) -> Answer:
        """Do about a denial what the practice does: replace the claim, appeal, or let it be; return the last word."""
        if denial.mended_by == "nothing" or self._random.random() > (
            0.75 if denial.mended_by == "replacement" else 0.45
        ):
            return denied
        asked = claim
        if denial.mended_by == "replacement":
            asked = self._replacement(claim, denied, denial)
            if not self._send(asked):
                return denied
            paid_on = self._answer_day(asked.payer, asked.sent_at)
        else:
            paid_on = payday(claim.payer, denied.paid_on + days(self._days(40, 90)))
        decided = self._decided(asked, terms, paid_on, corrects=denied.payer_control_number)
        if self._random.random() < 0.12:
            lines = tuple(deny(line, denial) for line in asked.lines)
            decided = self._compose(asked, "4", lines, paid_on, corrects=denied.payer_control_number)
        return self._correct(denied, decided)

    def _replacement(self, claim: Claim, denied: Answer, denial: Denial) -> Claim:
        """Return the claim put right: a modifier on the line that was denied, or what was missing."""
        *kept, last = claim.lines
        if denial.reason_code in ("97", "4", "236") and not last.modifier:
            last = replace(last, modifier="59")
        return replace(
            claim,
            claim_id=f"{self._number}/P7",
            frequency="7",
            lines=(*kept, last),
            sent_at=batch_after(denied.paid_on + days(self._days(7, 35))),
            replaces=denied.payer_control_number,
        )

    def _reconsider(self, claim: Claim, decided: Answer, terms: Terms, chance: float) -> Answer:
        """Let the payer take an answer back some weeks later and decide again: it pays more, or had paid too much."""
        paid_on = payday(claim.payer, decided.paid_on + days(self._days(20, 80)))
        is_less = chance < 0.987
        if is_less:
            again = Terms("deductible" if terms.kind == "copay" else terms.kind, cut=self._days(8, 25))
        else:
            again = Terms("nothing" if terms.kind == "nothing" else "copay")
        corrected = self._decided(claim, again, paid_on, corrects=decided.payer_control_number)
        last = self._correct(decided, corrected)
        overpaid = decided.paid - corrected.paid
        if last is corrected and overpaid > 0 and chance > 0.965:
            self._take_back(claim.payer, decided, overpaid, paid_on, is_returned=chance > 0.983)
        return last

    def _take_back(self, payer: str, decided: Answer, overpaid: int, paid_on: date, is_returned: bool) -> None:
        """Leave the money with the practice now: it has returned it by itself, or it is kept back weeks later."""
        reference = decided.payer_control_number
        if is_returned:
            self._ledger.adjust(payer, paid_on, ProviderAdjustment("72", reference, -overpaid))
            return
        self._ledger.adjust(payer, paid_on, ProviderAdjustment("WO", reference, -overpaid))
        later = payday(payer, paid_on + days(self._days(14, 42)))
        self._ledger.adjust(payer, later, ProviderAdjustment("WO", reference, overpaid))

    def _ask_second(self, claim: Claim, decided: Answer, first: Policy, second: Policy) -> None:
        """Send what the first payer left to the second, and let it decide."""
        last = self._ledger.claims[-1] if self._ledger.claims[-1].account_number == self._number else claim
        asked = replace(
            last,
            claim_id=f"{self._number}/S1",
            payer=second.payer,
            policy=second,
            sequence="S",
            frequency="1",
            sent_at=batch_after(decided.paid_on + days(self._days(3, 15))),
            other_policy=first,
            primary_answer=decided,
            replaces="",
        )
        if not self._send(asked) or self._random.random() < 0.06:
            return
        paid_on = self._answer_day(second.payer, asked.sent_at)
        if self._random.random() < 0.05:
            lines = tuple(deny_after(decided, TOO_LATE))
        else:
            lines = tuple(pay_after(decided, second.payer, self._random))
        self._answer(self._compose(asked, "2", lines, paid_on))

    def _correct(self, earlier: Answer, decided: Answer) -> Answer:
        """Take an answer back and give another: in the same remittance, now and then in a later one."""
        if not self._ledger.is_open(decided.paid_on):
            return earlier
        self._answer(_reversed(earlier, self._next_id(), decided.paid_on))
        if self._random.random() < 0.1:
            later = payday(decided.payer, decided.paid_on + days(7))
            if self._ledger.is_open(later) or decided.claim_id == earlier.claim_id:
                decided = replace(decided, paid_on=later)
        self._answer(decided)
        return decided

    def _decided(self, claim: Claim, terms: Terms, paid_on: date, corrects: str = "") -> Answer:
        return self._compose(claim, "1", tuple(pay(claim.lines, claim.payer, terms)), paid_on, corrects)

    def _denied_whole(self, claim: Claim, denial: Denial, paid_on: date) -> Answer:
        adjustments = (Adjustment(denial.group_code, denial.reason_code, claim.amount),)
        answer = self._compose(claim, "4", (), paid_on)
        return replace(answer, charged=claim.amount, adjustments=adjustments, remark=denial.remark)

    def _compose(
        self, claim: Claim, status: str, lines: tuple[AnsweredLine, ...], paid_on: date, corrects: str = ""
    ) -> Answer:
        return Answer(
            self._next_id(), self._number, claim.claim_id, claim.payer, status,  # type: ignore[arg-type]
            self._ledger.control_number(claim.payer), sum(each.line.amount for each in lines),
            sum(each.paid for each in lines), lines, paid_on, "7" if claim.frequency == "7" else "1", corrects=corrects,
        )  # fmt: skip

    def _answer(self, answer: Answer) -> Answer | None:
        """Put an answer into its remittance, None when that is after the end of the simulated time."""
        return answer if self._ledger.answer(answer) else None

    def _answer_day(self, payer: str, sent_at: datetime) -> date:
        return payday(payer, sent_at.date() + days(self._days(10, 30)))

    def _next_id(self) -> str:
        self._answers += 1
        return f"{self._number}/A{self._answers}"

    def _days(self, least: int, most: int) -> int:
        return least + int(self._random.random() * (most - least + 1))


def _reversed(answer: Answer, answer_id: str, paid_on: date) -> Answer:
    """Return an answer taken back: every sign turned."""
    lines = tuple(AnsweredLine(each.line, -each.paid, _turned(each.adjustments), each.remark) for each in answer.lines)
    return replace(
        answer,
        answer_id=answer_id,
        status="22",
        charged=-answer.charged,
        paid=-answer.paid,
        lines=lines,
        paid_on=paid_on,
        adjustments=_turned(answer.adjustments),
        corrects=answer.payer_control_number,
    )


def _turned(adjustments: tuple[Adjustment, ...]) -> tuple[Adjustment, ...]:
    return tuple(Adjustment(each.group_code, each.reason_code, -each.amount) for each in adjustments)
