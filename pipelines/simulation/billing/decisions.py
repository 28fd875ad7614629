"""How a payer decides a claim: what it allows, what it leaves to the patient, what it denies and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random
from typing import Literal, NamedTuple

from pipelines.simulation.billing.fees import ALLOWED, COPAYS, FREE, VISITS
from pipelines.simulation.money import Adjustment, Answer, AnsweredLine, ClaimLine

GroupCode = Literal["CO", "PR", "OA", "PI"]


class Denial(NamedTuple):
    """Why a payer denies a claim or a line of it."""

    group_code: GroupCode
    reason_code: str
    remark: str
    mended_by: Literal["replacement", "appeal", "nothing"]
    """What the practice does about it, when it does something."""


TOO_LATE = Denial("CO", "29", "N211", "nothing")
CLAIM_DENIALS: tuple[tuple[int, Denial], ...] = (
    (30, Denial("CO", "16", "M76", "replacement")),
    (12, Denial("CO", "22", "N598", "replacement")),
    (12, Denial("CO", "197", "", "appeal")),
    (10, Denial("CO", "50", "N115", "appeal")),
    (8, TOO_LATE),
    (8, Denial("OA", "109", "N418", "nothing")),
    (6, Denial("OA", "18", "N522", "nothing")),
    (6, Denial("PI", "204", "N130", "nothing")),
    (5, Denial("PR", "27", "N30", "nothing")),
    (3, Denial("PR", "31", "N382", "nothing")),
)
"""Why claims are denied as a whole, with how often."""

LINE_DENIALS: tuple[tuple[int, Denial], ...] = (
    (45, Denial("CO", "97", "M15", "replacement")),
    (15, Denial("CO", "4", "N519", "replacement")),
    (15, Denial("CO", "50", "N115", "appeal")),
    (10, Denial("PI", "236", "N657", "replacement")),
    (8, Denial("CO", "197", "", "appeal")),
    (7, Denial("OA", "B7", "N570", "nothing")),
)
"""Why single lines are denied, with how often."""


def pick(denials: tuple[tuple[int, Denial], ...], random: Random) -> Denial:
    """Return one of the reasons, by how often they occur."""
    chance = random.random() * sum(often for often, _ in denials)
    for often, denial in denials:
        chance -= often
        if chance < 0:
            return denial
    return denials[-1][1]


class Terms(NamedTuple):
    """What a payer leaves to the patient of what it allows for one claim."""

    kind: Literal["copay", "coinsurance", "deductible", "nothing"]
    cut: int = 0
    """Percent that it allows less than by its table, where it paid too much at first."""


def terms_of(payer: str, random: Random) -> Terms:
    """Return the terms of a claim."""
    if payer == "showme-medicaid":
        return Terms("nothing")
    chance = random.random()
    return Terms("deductible" if chance < 0.18 else "coinsurance" if chance < 0.38 else "copay")


def pay(lines: Iterable[ClaimLine], payer: str, terms: Terms) -> Iterator[AnsweredLine]:
    """Yield the lines as paid by contract: less than charged (CO-45), less what is the patient's (PR-1, 2, 3)."""
    for line in lines:
        code = line.service.code
        allowed = ALLOWED[payer][code] * line.units * (100 - terms.cut) // 100
        share, reason = _share(code, allowed, payer, terms.kind)
        adjustments = [Adjustment("CO", "45", line.amount - allowed)] if allowed < line.amount else []
        if share:
            adjustments.append(Adjustment("PR", reason, share))
        yield AnsweredLine(line, allowed - share, tuple(adjustments))


def deny(line: ClaimLine, denial: Denial) -> AnsweredLine:
    """Return a line of which nothing is paid."""
    return AnsweredLine(line, 0, (Adjustment(denial.group_code, denial.reason_code, line.amount),), denial.remark)


def pay_after(decided: Answer, payer: str, random: Random) -> Iterator[AnsweredLine]:
    """Yield the lines as a secondary payer decides them: OA-23 for what the primary did, a part of what it left.

    Args:
        decided: the primary payer's answer.
        payer: the secondary payer.
        random: decides whether the whole share is paid.
    """
    pays_all = payer == "showme-medicaid" or random.random() < 0.6
    for answered in decided.lines:
        share = sum(each.amount for each in answered.adjustments if each.group_code == "PR")
        prior = answered.line.amount - share
        adjustments = [Adjustment("OA", "23", prior)] if prior else []
        paid = share if pays_all else share * 6 // 10
        if paid < share:
            adjustments.append(Adjustment("PR", "2", share - paid))
        yield AnsweredLine(answered.line, paid, tuple(adjustments))


def deny_after(decided: Answer, denial: Denial) -> Iterator[AnsweredLine]:
    """Yield the lines as a secondary payer denies them: OA-23 for what the primary did, the rest denied."""
    for answered in decided.lines:
        share = sum(each.amount for each in answered.adjustments if each.group_code == "PR")
        prior = answered.line.amount - share
        adjustments = [Adjustment("OA", "23", prior)] if prior else []
        if share:
            adjustments.append(Adjustment(denial.group_code, denial.reason_code, share))
        yield AnsweredLine(answered.line, 0, tuple(adjustments), denial.remark if share else "")


def _share(code: str, allowed: int, payer: str, kind: str) -> tuple[int, str]:
    """Return what of an allowed amount is the patient's, and the reason code that says why."""
    if kind == "nothing" or code in FREE:
        return 0, ""
    if kind == "deductible":
        return allowed, "1"
    if kind == "coinsurance":
        return allowed // 5, "2"
    return (min(allowed, COPAYS.get(payer, 0)), "3") if code in VISITS else (0, "")
