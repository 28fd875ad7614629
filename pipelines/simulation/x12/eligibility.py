"""Answers about cover (271, 005010X279A1): one interchange a week, a transaction set a payer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from pipelines.simulation.group import PAYERS
from pipelines.simulation.money import EligibilityAnswer
from pipelines.simulation.sending import Sent
from pipelines.simulation.world import Chapter
from pipelines.simulation.x12.parties import Holders, birth, is_holder, payer, person
from pipelines.simulation.x12.writing import (
    BILLER,
    CLEARINGHOUSE,
    PRACTICE,
    Envelope,
    amount,
    day,
    interchange,
    local_day,
    minute,
    text,
)

FEED = "eligibility"
_PLANS = {"CI": "CHOICE 2000", "BL": "BLUE PREFERRED", "MC": "CHILDREN AND FAMILIES", "MB": "PART B"}
_COPAY = 2500


def eligibility_batches(chapter: Chapter, answers: Iterable[EligibilityAnswer]) -> Iterator[Sent]:
    """Yield the weekly interchanges of a chapter's eligibility answers, in the order of time."""
    holders = Holders(chapter)
    in_order = sorted(answers, key=lambda each: (each.answered_at, each.payer, each.answer_id))
    for ordinal, (answered_at, batch) in enumerate(groupby(in_order, key=lambda each: each.answered_at)):
        envelope = Envelope("271", CLEARINGHOUSE, BILLER, answered_at, chapter.number, ordinal)
        sets = [
            _set(chapter, holders, list(of_payer), f"{envelope.number}{place:02d}")
            for place, (_, of_payer) in enumerate(groupby(batch, key=lambda each: each.payer), 1)
        ]
        yield Sent(FEED, answered_at, interchange(envelope, sets), "271", "271", len(sets))


def _set(chapter: Chapter, holders: Holders, answers: list[EligibilityAnswer], reference: str) -> list[str]:
    answered_at = answers[0].answered_at
    segments = [
        f"BHT*0022*11*{reference}*{local_day(answered_at)}*{minute(answered_at)}",
        "HL*1**20*1",
        payer("NM1", answers[0].payer),
        "HL*2*1*21*1",
        f"NM1*1P*2*{text(PRACTICE.name)}*****XX*{PRACTICE.npi}",
    ]
    level = 2
    for answer in answers:
        level = _answer(segments, level, chapter, holders, answer)
    return segments


def _answer(segments: list[str], levels: int, chapter: Chapter, holders: Holders, answer: EligibilityAnswer) -> int:
    """Add what is said of one patient; return how many levels the set has now."""
    registration = chapter.registrations[answer.registration_id]
    patient = registration.as_of(answer.answered_at)
    holder = holders.of(answer.policy, registration, patient)
    is_self = is_holder(answer.policy, registration)
    trace = f"TRN*2*{answer.answer_id}*9{PRACTICE.tax_id}"
    level = levels + 1
    segments.append(f"HL*{level}*2*22*{0 if is_self else 1}")
    if is_self:
        segments += (trace, person("IL", holder, answer.policy.member_id), *_refused(answer), birth(holder))
    else:
        level += 1
        segments += (person("IL", holder, answer.policy.member_id), birth(holder))
        segments += (f"HL*{level}*{level - 1}*23*0", trace, person("03", patient), *_refused(answer), birth(patient))
        segments.append("INS*N*19" if answer.policy.relationship == "child" else "INS*N*01")
    segments.append(f"DTP*291*D8*{day(answer.service_date)}")
    if not answer.refusal:
        segments += _benefits(answer)
    return level


def _refused(answer: EligibilityAnswer) -> tuple[str, ...]:
    follow_up = "R" if answer.refusal == "42" else "C"
    return (f"AAA*N**{answer.refusal}*{follow_up}",) if answer.refusal else ()


def _benefits(answer: EligibilityAnswer) -> Iterator[str]:
    """Yield whether the cover is active, and of an active one what a visit costs the family."""
    kind = PAYERS[answer.policy.payer].kind
    plan = _PLANS[kind]
    insurance = "MC" if kind == "MC" else "MB" if kind == "MB" else "HM" if kind == "BL" else "PR"
    if not answer.is_active:
        yield f"EB*6**30*{insurance}*{plan}"
        return
    yield f"EB*1**30*{insurance}*{plan}"
    if kind in ("CI", "BL"):
        yield f"EB*B**98**{plan}*27*{amount(_COPAY)}*****Y"
        yield f"EB*C*IND*30**{plan}*23*1500"
