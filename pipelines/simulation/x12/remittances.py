"""Remittance advice (835, 005010X221A1): one interchange and one transaction set a payment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipelines.simulation.group import ENDS, PAYERS
from pipelines.simulation.money import Answer, AnsweredLine, Claim, Remittance
from pipelines.simulation.sending import Sent
from pipelines.simulation.world import Chapter
from pipelines.simulation.x12.adjustments import cas
from pipelines.simulation.x12.claims import FEED
from pipelines.simulation.x12.parties import Holders, address, billed, is_holder, payer, person, procedure, rendering
from pipelines.simulation.x12.writing import BILLER, PRACTICE, Envelope, amount, day, interchange, segment, text

_FILING = {"MC": "MC", "MB": "MB"}
_PREFERRED_PROVIDERS = "12"
"""CLP06 of payers that are neither Medicare nor Medicaid."""

_PER_PLB = 6
_ELECTRONIC = frozenset(("prairie", "bluestem", "showme-medicaid", "medicare"))
"""Payers who pay by transfer; the others send a check."""


def remittances(chapter: Chapter, claims: Iterable[Claim], paid: Iterable[Remittance]) -> Iterator[Sent]:
    """Yield the remittances of a chapter, in the order of time."""
    holders = Holders(chapter)
    by_id = {claim.claim_id: claim for claim in claims}
    in_order = sorted(paid, key=lambda each: (each.written_at, each.trace_number))
    for ordinal, each in enumerate(in_order):
        sender = PAYERS[each.payer].payer_id
        envelope = Envelope("835", sender, BILLER, each.written_at, chapter.number, ordinal)
        body = _set(chapter, holders, each, by_id)
        yield Sent(FEED, each.written_at, interchange(envelope, [body]), "835", "835", 1, each.trace_number)


def _set(chapter: Chapter, holders: Holders, paid: Remittance, claims: Mapping[str, Claim]) -> list[str]:
    known, paid_on = PAYERS[paid.payer], day(paid.paid_on)
    segments = [
        _payment(paid, paid_on),
        f"TRN*1*{paid.trace_number}*1{known.tax_id}",
        f"DTM*405*{paid_on}",
        payer("N1", paid.payer),
        *address(known.address),
        "PER*BL*PROVIDER SERVICES*TE*5735550150",
        f"N1*PE*{text(PRACTICE.name)}*XX*{PRACTICE.npi}",
        f"REF*TJ*{PRACTICE.tax_id}",
    ]
    if paid.answers:
        segments.append("LX*1")
    for answer in paid.answers:
        _answer(segments, chapter, holders, answer, claims[answer.claim_id])
    segments += _provider_adjustments(paid)
    return segments


def _payment(paid: Remittance, paid_on: str) -> str:
    if paid.amount == 0:
        return segment("BPR", "H", "0", "C", "NON", *[""] * 11, paid_on)
    if paid.payer not in _ELECTRONIC:
        return segment("BPR", "I", amount(paid.amount), "C", "CHK", *[""] * 11, paid_on)
    account = ("01", "990000000", "DA", "100200300", f"1{PAYERS[paid.payer].tax_id}", "")
    payee = ("01", "991000009", "DA", "400500600")
    return segment("BPR", "I", amount(paid.amount), "C", "ACH", "CCP", *account, *payee, paid_on)


def _answer(segments: list[str], chapter: Chapter, holders: Holders, answer: Answer, claim: Claim) -> None:
    registration = chapter.registrations[claim.registration_id]
    patient = billed(registration, claim)
    filing = _FILING.get(PAYERS[answer.payer].kind, _PREFERRED_PROVIDERS)
    owed = answer.patient_responsibility
    share = amount(owed) if owed else ""
    place = "02" if claim.lines[0].modifier == "95" else "11"
    segments.append(
        f"CLP*{answer.account_number}*{answer.status}*{amount(answer.charged)}*{amount(answer.paid)}*{share}"
        f"*{filing}*{answer.payer_control_number}*{place}*{answer.frequency}"
    )
    segments += cas(answer.adjustments)
    segments.append(person("QC", patient, claim.policy.member_id))
    if not is_holder(claim.policy, registration):
        segments.append(person("IL", holders.of(claim.policy, registration, patient), claim.policy.member_id))
    segments.append(rendering(claim.clinician))
    if answer.remark:
        segments.append(f"MOA***{answer.remark}")
    if answer.corrects:
        segments.append(f"REF*F8*{answer.corrects}")
    served = day(claim.lines[0].service_date)
    segments += (f"DTM*232*{served}", f"DTM*233*{served}", f"DTM*050*{day(min(claim.sent_at.date(), ENDS))}")
    for answered in answer.lines:
        segments += _line(answer, answered)


def _line(answer: Answer, answered: AnsweredLine) -> Iterator[str]:
    line = answered.line
    sign = -1 if answer.status == "22" else 1
    service = procedure(line.service.code, line.modifier)
    yield f"SVC*{service}*{amount(sign * line.amount)}*{amount(answered.paid)}**{line.units}"
    yield f"DTM*472*{day(line.service_date)}"
    yield from cas(answered.adjustments)
    yield f"REF*6R*{answer.account_number}-{line.number}"
    shares = sum(each.amount for each in answered.adjustments if each.group_code == "PR")
    if answer.status == "1" and answered.paid + shares:
        yield f"AMT*B6*{amount(answered.paid + shares)}"
    if answered.remark:
        yield f"LQ*HE*{answered.remark}"


def _provider_adjustments(paid: Remittance) -> Iterator[str]:
    """Yield PLB segments, at most six pairs in each; they belong to the payer's fiscal year that ends with the year."""
    pairs = [f"{each.reason_code}:{each.reference}*{amount(each.amount)}" for each in paid.provider_adjustments]
    for start in range(0, len(pairs), _PER_PLB):
        yield "*".join(("PLB", PRACTICE.npi, f"{paid.paid_on.year}1231", *pairs[start : start + _PER_PLB]))
