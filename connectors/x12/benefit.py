"""One adjudicated claim of a remittance (2100 CLP) as an ExplanationOfBenefit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from connectors.connector import Authority
from connectors.x12.adjudicated import AdjudicatedClaim
from connectors.x12.adjudication import adjudicated_items, claim_adjudication
from connectors.x12.code_systems import (
    CLAIM_FREQUENCY,
    CLAIM_STATUS,
    MEMBER_LIABILITY,
    OWN_INFORMATION,
    PAYER_CONTROL_NUMBER,
    coded,
    element_system,
)
from connectors.x12.coverage import RESPONSIBILITY, member_key
from connectors.x12.elements import day, money, number
from connectors.x12.facts import FactSet
from connectors.x12.loops import Loop
from connectors.x12.parties import folded, member_identifier, patient, person_name, provider
from connectors.x12.payment import Payment, trace_identifier
from hub_core.fhir.canonical import Json
from hub_core.fhir.systems import ADJUDICATION, CLAIM_TYPE, IDENTIFIER_TYPE, PATIENT_CONTROL_NUMBER

REVERSAL = "22"
_PRIOR = coded("http://terminology.hl7.org/CodeSystem/ex-relatedclaimrelationship", "prior")
_DISPOSITIONS = {
    "1": "processed as primary", "2": "processed as secondary", "3": "processed as tertiary", "4": "denied",
    "19": "processed as primary, forwarded", "20": "processed as secondary, forwarded",
    "21": "processed as tertiary, forwarded", "22": "reversal of a previous payment",
    "23": "not our claim, forwarded", "25": "predetermination, no payment",
}  # fmt: skip
"""Our words for CLP02."""
_RESPONSIBILITIES = {"1": "P", "19": "P", "2": "S", "20": "S", "3": "T", "21": "T"}
"""CLP02 that say whether the payer answered as primary, secondary or tertiary, in the words of SBR01."""
_STATED_ELEMENTS = {"MIA": (*range(1, 5), *range(6, 20), 24), "MOA": (1, 2, 8, 9)}
"""Figures of the inpatient and the outpatient adjudication; the other elements are remark codes."""


def explanation(facts: FactSet, adjudicated: AdjudicatedClaim, payment: Payment, created: str) -> Json:
    """Return the ExplanationOfBenefit of an adjudicated claim, patient and coverage kept."""
    claim, status = adjudicated.loop, adjudicated.status
    who, cover = _member(facts, claim, payment)
    resource: Json = {
        "resourceType": "ExplanationOfBenefit",
        "identifier": list(_identifiers(claim)),
        "status": "active",
        "type": coded(CLAIM_TYPE, _claim_type(claim)),
        "use": "predetermination" if status == "25" else "claim",
        "patient": who,
        **_period(claim),
        "created": created,
        "insurer": payment.insurer,
        "provider": payment.payee or {"display": "payee not stated"},
        "claim": claim_reference(adjudicated.number),
        "outcome": "complete",
    }
    resource |= _related(claim)
    if status in _DISPOSITIONS:
        resource["disposition"] = _DISPOSITIONS[status]
    resource |= _care_team(facts, claim) | {"supportingInfo": list(_information(claim))}
    resource["insurance"] = [_responsibility(status) | {"focal": True, "coverage": cover}]
    resource |= adjudicated_items(adjudicated) | claim_adjudication(adjudicated)
    resource["total"] = list(_totals(adjudicated))
    resource["payment"] = _payment(payment, adjudicated.paid)
    return resource


def _responsibility(status: str) -> Json:
    code = _RESPONSIBILITIES.get(status)
    return {"extension": [{"url": RESPONSIBILITY, "valueCode": code}]} if code else {}


def claim_reference(number: str) -> Json:
    """Return the claim a CLP answers, by the number its sender gave it."""
    return {"type": "Claim", "identifier": {"system": PATIENT_CONTROL_NUMBER, "value": number}}


def _identifiers(claim: Loop) -> Iterator[Json]:
    """Yield the payer's number of the claim (CLP07) and the provider's (CLP01)."""
    if number := claim.opener[7].strip():
        yield {"system": PAYER_CONTROL_NUMBER, "value": number}
    yield {
        "type": coded(IDENTIFIER_TYPE, "AN"),
        "system": PATIENT_CONTROL_NUMBER,
        "value": claim.opener[1].strip(),
    }


def _member(facts: FactSet, claim: Loop, payment: Payment) -> tuple[Json, Json]:
    """Keep the patient and the coverage a CLP names.

    The insured is named only when somebody else than the patient (005010X221, 2100 NM1*IL), so a patient without
    insured is the member.
    """
    named, insured = claim.segment("NM1", "QC"), claim.segment("NM1", "IL")
    member = next((found for each in (insured, named) if each and (found := each[9].strip())), "")
    key = member_key(payment.payer_key, member) if member else f"claim|{payment.payer_key}|{claim.opener[1].strip()}"
    is_dependent = insured is not None and named is not None and person_name(insured) != person_name(named)
    source_id = f"{key}|{folded(named[4])}|" if named and is_dependent else key
    identifiers = [member_identifier(payment.payer_key, member)] if member else []
    who = patient(facts, Loop("2100", [named] if named else []), source_id, identifiers, Authority.STUB)
    coverage: Json = {"resourceType": "Coverage", "status": "active"}
    if member:
        coverage["subscriberId"] = member
    coverage |= {"beneficiary": who, "payor": [payment.insurer]}
    return who, facts.add(coverage, source_id, Authority.STUB)


def _claim_type(claim: Loop) -> str:
    """Return institutional for a claim with revenue codes or an inpatient adjudication (MIA), else professional."""
    has_revenue_code = any(line.opener[4].strip() for line in claim.inside("2110"))
    return "institutional" if has_revenue_code or claim.segment("MIA") else "professional"


def _period(claim: Loop) -> Json:
    """Return the statement dates (DTM 232, 233), else the first and last day of service of the lines."""
    starts = [found for segment in claim.all("DTM", "232") if (found := day(segment[2]))]
    ends = [found for segment in claim.all("DTM", "233") if (found := day(segment[2]))]
    served = [line.segment("DTM", "472", "150", "151") for line in claim.inside("2110")]
    days = [found for segment in served if segment and (found := day(segment[2]))]
    bounds = {"start": min(starts or days, default=None), "end": max(ends or starts or days, default=None)}
    known = {name: value for name, value in bounds.items() if value}
    return {"billablePeriod": known} if known else {}


def _related(claim: Loop) -> Json:
    """Return the payer's number of the adjudication this one reverses (its own CLP07) or corrects (REF*F8)."""
    corrected = claim.segment("REF", "F8")
    number = corrected[2].strip() if corrected else ""
    if claim.opener[2].strip() == REVERSAL:
        number = number or claim.opener[7].strip()
    if not number:
        return {}
    identifier = {"system": PAYER_CONTROL_NUMBER, "value": number}
    return {"related": [{"claim": {"identifier": identifier}, "relationship": _PRIOR, "reference": identifier}]}


def _care_team(facts: FactSet, claim: Loop) -> Json:
    named = claim.segment("NM1", "82")
    reference = provider(facts, Loop("2100", [named])) if named else None
    if reference is None:
        return {}
    role = coded("http://terminology.hl7.org/CodeSystem/claimcareteamrole", "primary", "rendering")
    return {"careTeam": [{"sequence": 1, "provider": reference, "role": role}]}


def _information(claim: Loop) -> Iterator[Json]:
    """Yield status (CLP02), frequency (CLP09), the payer it was forwarded to (NM1*TT), figures of MIA and MOA."""
    opener = claim.opener
    codes = [("status", CLAIM_STATUS, opener[2].strip()), ("frequency", CLAIM_FREQUENCY, opener[9].strip())]
    rows: list[Json] = [
        {"category": coded(OWN_INFORMATION, kind), "code": coded(element_system(element), code)}
        for kind, element, code in codes
        if code
    ]
    rows += [
        {"category": coded(OWN_INFORMATION, "forwarded-to"), "valueString": segment[3].strip()}
        for segment in claim.all("NM1", "TT")
        if segment[3].strip()
    ]
    rows += _figures(claim)
    for sequence, row in enumerate(rows, 1):
        yield {"sequence": sequence, **row}


def _figures(claim: Loop) -> Iterator[Json]:
    """Yield the rates, amounts and counts of MIA and MOA, each under the name of its element: `MOA02`."""
    for name, elements in _STATED_ELEMENTS.items():
        for segment in claim.all(name):
            for element in elements:
                if (value := number(segment[element])) is not None:
                    row: Json = {"category": coded(OWN_INFORMATION, "adjudication-figure")}
                    yield row | {
                        "code": coded(OWN_INFORMATION, f"{name}{element:02}"),
                        "valueQuantity": {"value": value},
                    }


def _totals(claim: AdjudicatedClaim) -> Iterator[Json]:
    yield _total(ADJUDICATION, "submitted", claim.charge)
    yield _total(ADJUDICATION, "eligible", claim.allowed)
    yield _total(ADJUDICATION, "benefit", claim.paid)
    yield _total(MEMBER_LIABILITY, "memberliability", claim.patient_share)


def _total(system: str, code: str, value: Decimal) -> Json:
    return {"category": coded(system, code), "amount": money(value)}


def _payment(payment: Payment, paid: Decimal) -> Json:
    resource: Json = {"amount": money(paid)} | ({"date": payment.paid_on} if payment.paid_on else {})
    return resource | {"identifier": trace_identifier(payment)}
