"""The port through which eligibility is asked: a question becomes a 270, the 271 that comes back becomes an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.connector import Origin
from connectors.x12.connector import X12Connector
from connectors.x12.eligibility_benefits import ELIGIBILITY_INFORMATION
from connectors.x12.inquiry import Inquiry, Requestor, write_inquiry
from ehr_pm.coverage.eligibility import Answer, Ask, Question
from ehr_pm.organisation.models import Organization
from hub_core.clock import now
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json
from pipelines.payers import simulator

Carry: TypeAlias = Callable[[bytes], bytes]
"""Takes an inquiry to a payer and brings its answer: a clearinghouse, or the payer in the house."""

SIMULATED: Final = "simulated here: no payer was asked"
"""What an answer of the payer in the house says of itself, so that nobody takes it for a payer's word."""

_COPAY, _DEDUCTIBLE, _REMAINING = "B", "C", "29"
_ORIGIN: Final = Origin("payer")
_STATES: Final[dict[bool | None, Literal["active", "inactive", "unknown"]]] = {
    True: "active",
    False: "inactive",
    None: "unknown",
}


def asking(requestor: Requestor, carry: Carry = simulator.answer) -> Ask:
    """Return the port: it asks as `requestor`, by whatever carries inquiries."""

    def ask(question: Question) -> Answer:
        request = write_inquiry(_inquiry(question, requestor))
        answer = read_answer(question.control_number, request, carry(request))
        return _marked(answer) if carry is simulator.answer else answer

    return ask


def requestor_of(session: Session) -> Requestor:
    """Return the group as payers know it: its first organization that has an NPI, else its first."""
    query = select(Organization).where(Organization.is_active).order_by(Organization.npi.is_(None), Organization.name)
    row = session.scalars(query.limit(1)).first()
    return Requestor("NOT NAMED") if row is None else Requestor(row.name, row.npi, row.tax_id)


def read_answer(trace: str, request: bytes, answer: bytes) -> Answer:
    """Return what a 271 says about the question that has this trace number.

    Raises:
        UnreadableError: if it cannot be read, or answers another question.
    """
    response = next((each for each in _responses(answer) if _trace(each) == trace), None)
    if response is None:
        raise UnreadableError("the payer's answer is not to this question", location="TRN02")
    insurance = response["insurance"][0] if "insurance" in response else {}
    items: list[Json] = insurance.get("item", [])
    return Answer(
        state=_STATES[insurance.get("inforce")],
        request=request,
        answer=answer,
        plan_name=next((str(each["name"]) for each in items if each.get("name")), None),
        copay_cents=next(_cents(items, _COPAY), None),
        deductible_remaining_cents=next(_cents(items, _DEDUCTIBLE, _REMAINING), None),
        reason=response.get("disposition") if "error" in response else None,
    )


def _marked(answer: Answer) -> Answer:
    return replace(answer, reason=f"{answer.reason}; {SIMULATED}" if answer.reason else SIMULATED)


def _inquiry(question: Question, requestor: Requestor) -> Inquiry:
    return Inquiry(
        trace=question.control_number,
        written_at=now(),
        requestor=requestor,
        payer_number=question.payer_number,
        member_id=question.member_id,
        family=question.family,
        given=question.given,
        birth_date=question.birth_date,
        requested_for=question.requested_for,
        relationship=question.relationship,
        subscriber_family=question.subscriber_family,
        subscriber_given=question.subscriber_given,
    )


def _responses(answer: bytes) -> Iterator[Json]:
    for outcome in X12Connector().convert(answer, _ORIGIN):
        for fact in outcome.facts:
            if fact.resource["resourceType"] == "CoverageEligibilityResponse":
                yield fact.resource


def _trace(response: Json) -> str:
    return str(response["request"]["identifier"]["value"])


def _cents(items: list[Json], information: str, term: str | None = None) -> Iterator[int]:
    """Yield the amounts of statements of a kind (EB01), of a time period (EB06) when it matters."""
    for item in items:
        if _information(item) == information and (term is None or term in _codes(item.get("term", {}))):
            for benefit in item.get("benefit", []):
                if "allowedMoney" in benefit:
                    yield int(Decimal(str(benefit["allowedMoney"]["value"])) * 100)


def _information(item: Json) -> str | None:
    kinds = (each["valueCoding"]["code"] for each in item["extension"] if each["url"] == ELIGIBILITY_INFORMATION)
    return next(kinds, None)


def _codes(concept: Any) -> set[str]:
    return {coding["code"] for coding in concept.get("coding", [])}
