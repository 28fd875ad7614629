"""Professional claims (837P, 005010X222A1): one interchange a week, first and later claims in sets of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from pipelines.simulation.group import CLINICIANS, PAYERS
from pipelines.simulation.money import AnsweredLine, Claim, ClaimLine
from pipelines.simulation.sending import Sent
from pipelines.simulation.world import Chapter, Demographics, Policy, Registration
from pipelines.simulation.x12.adjustments import cas
from pipelines.simulation.x12.parties import (
    Holders,
    address,
    billed,
    birth,
    is_holder,
    payer,
    person,
    procedure,
    relationship,
    rendering,
)
from pipelines.simulation.x12.writing import (
    BILLER,
    BILLER_NAME,
    CLEARINGHOUSE,
    CLEARINGHOUSE_NAME,
    PRACTICE,
    Envelope,
    amount,
    day,
    interchange,
    local_day,
    minute,
    segment,
    text,
)

FEED = "pediatrics-billing"
_MOST_CLAIMS = 100
"""Of one transaction set."""


def claim_batches(chapter: Chapter, claims: Iterable[Claim]) -> Iterator[Sent]:
    """Yield the weekly interchanges of a chapter's claims, in the order of time."""
    holders = Holders(chapter)
    in_order = sorted(claims, key=lambda each: (each.sent_at, each.sequence != "P" or each.frequency != "1"))
    for ordinal, (sent_at, batch) in enumerate(groupby(in_order, key=lambda each: each.sent_at)):
        envelope = Envelope("837", BILLER, CLEARINGHOUSE, sent_at, chapter.number, ordinal)
        sets = [
            _set(chapter, holders, part, f"{envelope.number}{place:02d}") for place, part in enumerate(_parts(batch), 1)
        ]
        yield Sent(FEED, sent_at, interchange(envelope, sets), "837", "837P", len(sets))


def _parts(batch: Iterable[Claim]) -> Iterator[list[Claim]]:
    """Yield the claims of each set: first claims apart from those that replace one or go to another payer."""
    for _, kept in groupby(batch, key=lambda each: each.sequence != "P" or each.frequency != "1"):
        claims = list(kept)
        for start in range(0, len(claims), _MOST_CLAIMS):
            yield claims[start : start + _MOST_CLAIMS]


def _set(chapter: Chapter, holders: Holders, claims: list[Claim], reference: str) -> list[str]:
    """Return the segments of one set, claims of a family under the one who holds its policy."""
    sent_at = claims[0].sent_at
    segments = [
        f"BHT*0019*00*{reference}*{local_day(sent_at)}*{minute(sent_at)}*CH",
        f"NM1*41*2*{BILLER_NAME}*****46*{BILLER}",
        "PER*IC*CLAIMS DESK*TE*5735550139",
        f"NM1*40*2*{CLEARINGHOUSE_NAME}*****46*{CLEARINGHOUSE}",
        "HL*1**20*1",
        f"PRV*BI*PXC*{CLINICIANS[claims[0].clinician].taxonomy}",
        f"NM1*85*2*{text(PRACTICE.name)}*****XX*{PRACTICE.npi}",
        f"N3*{text(PRACTICE.address.line)}",
        f"N4*{text(PRACTICE.address.city)}*{PRACTICE.address.state}*{PRACTICE.address.postal_code}0001",
        f"REF*EI*{PRACTICE.tax_id}",
    ]
    ordered = sorted(claims, key=lambda each: (each.policy.policy_id, each.registration_id, each.account_number))
    levels = 1
    for claim in ordered:
        registration = chapter.registrations[claim.registration_id]
        levels = _claim(segments, levels, claim, registration, holders)
    return segments


def _claim(segments: list[str], levels: int, claim: Claim, registration: Registration, holders: Holders) -> int:
    """Add the subscriber, the patient and the claim; return how many levels the set has now."""
    patient, policy = billed(registration, claim), claim.policy
    holder = holders.of(policy, registration, patient)
    is_self = is_holder(policy, registration)
    level = levels + 1
    segments += (
        f"HL*{level}*1*22*{0 if is_self else 1}",
        _terms(claim.sequence, policy, "18" if is_self else ""),
        person("IL", holder, policy.member_id),
        *address(holder.address),
        birth(holder),
        payer("NM1", claim.payer),
    )
    if not is_self:
        level += 1
        segments += (
            f"HL*{level}*{level - 1}*23*0",
            f"PAT*{relationship(policy, registration)}",
            person("QC", patient),
            *address(patient.address),
            birth(patient),
        )
    _body(segments, claim, registration, patient, holders)
    return level


def _terms(sequence: str, policy: Policy, code: str) -> str:
    return f"SBR*{sequence}*{code}*{text(policy.group_number)}******{PAYERS[policy.payer].kind}"


def _body(
    segments: list[str], claim: Claim, registration: Registration, patient: Demographics, holders: Holders
) -> None:
    place = "02" if claim.lines[0].modifier == "95" else "11"
    segments.append(f"CLM*{claim.account_number}*{amount(claim.amount)}***{place}:B:{claim.frequency}*Y*A*Y*Y")
    if claim.replaces:
        segments.append(f"REF*F8*{claim.replaces}")
    segments += (
        _diagnoses(claim),
        rendering(claim.clinician),
        f"PRV*PE*PXC*{CLINICIANS[claim.clinician].taxonomy}",
    )
    if claim.other_policy:
        segments += _other(claim, claim.other_policy, registration, patient, holders)
    decided = {each.line.number: each for each in claim.primary_answer.lines} if claim.primary_answer else {}
    for line in claim.lines:
        segments += _line(claim, line)
        if claim.other_policy and (answered := decided.get(line.number)):
            segments += _prior(claim, claim.other_policy, answered)


def _diagnoses(claim: Claim) -> str:
    first, *others = (each.code.replace(".", "") for each in claim.diagnoses)
    return "*".join((f"HI*ABK:{first}", *(f"ABF:{each}" for each in others)))


def _other(
    claim: Claim, policy: Policy, registration: Registration, patient: Demographics, holders: Holders
) -> Iterator[str]:
    """Yield the loop of the other payer (2320, 2330), with what it has paid when it came before."""
    yield _terms("P" if claim.sequence == "S" else "S", policy, relationship(policy, registration))
    if claim.primary_answer:
        yield f"AMT*D*{amount(claim.primary_answer.paid)}"
        yield f"AMT*EAF*{amount(claim.primary_answer.patient_responsibility)}"
    yield "OI***Y***Y"
    yield person("IL", holders.of(policy, registration, patient), policy.member_id)
    yield payer("NM1", policy.payer)


def _line(claim: Claim, line: ClaimLine) -> tuple[str, ...]:
    service = procedure(line.service.code, line.modifier)
    pointers = ":".join(map(str, line.diagnosis_pointers))
    return (
        f"LX*{line.number}",
        f"SV1*{service}*{amount(line.amount)}*UN*{line.units}***{pointers}",
        f"DTP*472*D8*{day(line.service_date)}",
        f"REF*6R*{claim.account_number}-{line.number}",
    )


def _prior(claim: Claim, policy: Policy, answered: AnsweredLine) -> Iterator[str]:
    """Yield what the primary payer decided about a line (2430)."""
    line = answered.line
    service = procedure(line.service.code, line.modifier)
    yield segment("SVD", PAYERS[policy.payer].payer_id, amount(answered.paid), service, "", str(line.units))
    yield from cas(answered.adjustments)
    if claim.primary_answer:
        yield f"DTP*573*D8*{day(claim.primary_answer.paid_on)}"
