"""Coordination of benefits on a claim (2320, 2430): the other payers, what they paid and why not all of it.

It is what the provider tells the payer asked now of earlier answers; the answers themselves are remittances.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.connector import Authority
from connectors.x12.adjustments import Adjustment, adjustments
from connectors.x12.code_systems import OWN_EXTENSION, OWN_IDENTIFIER
from connectors.x12.coverage import Insured, filing_indicator, member_key, order_of, relationship, responsibility
from connectors.x12.elements import day, money, number, required_amount
from connectors.x12.facts import FactSet
from connectors.x12.loops import Loop
from connectors.x12.parties import payer, payer_id
from connectors.x12.service import service_of
from hub_core.fhir.canonical import Json

PRIOR_ADJUSTMENT = OWN_EXTENSION + "prior-adjustment"
PRIOR_ADJUDICATION = OWN_EXTENSION + "prior-adjudication"
_REMAINING = "remaining-liability"
_AMOUNTS = {"D": "prior-payment", "EAF": _REMAINING, "A8": "non-covered"}
"""Amounts of 2320 (AMT01) and the extensions that hold them: paid, left to the patient, not covered."""


def other_insurance(facts: FactSet, other: Loop, cover: Insured) -> Json | None:
    """Return the insurance row of a 2320, its coverage kept; None when it names no payer (2330B)."""
    payer_loop = other.loop("2330B")
    if payer_loop is None or not payer_id(payer_loop.opener):
        return None
    terms = other.opener
    insurer = payer(facts, payer_loop)
    subscriber = other.loop("2330A")
    member_id = subscriber.opener[9].strip() if subscriber else ""
    coverage: Json = {"resourceType": "Coverage", "status": "active", **filing_indicator(terms)}
    if member_id:
        coverage["subscriberId"] = member_id
    coverage |= {"beneficiary": cover.patient, "relationship": relationship(terms[2].strip()), "payor": [insurer]}
    coverage["order"] = order_of(terms)
    key = member_key(payer_id(payer_loop.opener), member_id or "unstated", cover.key)
    reference = facts.add(coverage, key, Authority.MENTION)
    stated = [*responsibility(terms), *_claim_amounts(other), *_prior_adjustments(other)]
    row: Json = {"extension": stated} if stated else {}
    return row | {"sequence": order_of(terms), "focal": False, "coverage": reference}


def prior_adjudications(facts: FactSet, line: Loop) -> Iterator[Json]:
    """Yield an extension of the item for each payer that decided the line before (2430)."""
    for decided in line.inside("2430"):
        yield {"url": PRIOR_ADJUDICATION, "extension": list(_adjudication(facts, decided))}


def _adjudication(facts: FactSet, decided: Loop) -> Iterator[Json]:
    opener = decided.opener
    if by := opener[1].strip():
        yield {"url": "payer", **_payer_of(facts, by)}
    yield {"url": "paid", "valueMoney": money(required_amount(opener, 2))}
    yield {"url": "service", "valueCodeableConcept": service_of(opener, 3)["productOrService"]}
    if (units := number(opener[5])) is not None:
        yield {"url": "units", "valueDecimal": units}
    paid_on = decided.segment("DTP", "573")
    if paid_on and (when := day(paid_on[3])):
        yield {"url": "date", "valueDate": when}
    if remaining := decided.segment("AMT", "EAF"):
        yield {"url": _REMAINING, "valueMoney": money(required_amount(remaining, 2))}
    yield from _prior_adjustments(decided)


def _payer_of(facts: FactSet, number: str) -> Json:
    """Return who decided a line: the payer of a 2320 by its number (SVD01), else the number itself."""
    known = facts.find("Organization", f"payer|{number}")
    if known is None:
        return {"valueIdentifier": {"system": OWN_IDENTIFIER + "payer-id", "value": number}}
    return {"valueReference": {"reference": f"Organization/{known['id']}"}}


def _claim_amounts(other: Loop) -> Iterator[Json]:
    """Yield what the payer paid, did not cover, and left of the whole claim."""
    for segment in other.all("AMT", *_AMOUNTS):
        yield {"url": OWN_EXTENSION + _AMOUNTS[segment[1]], "valueMoney": money(required_amount(segment, 2))}


def _prior_adjustments(loop: Loop) -> Iterator[Json]:
    for adjustment in adjustments(loop):
        yield {"url": PRIOR_ADJUSTMENT, "extension": list(_adjustment(adjustment))}


def _adjustment(adjustment: Adjustment) -> Iterator[Json]:
    if adjustment.group:
        yield {"url": "group", "valueCode": adjustment.group}
    yield {"url": "reason", "valueCode": adjustment.reason}
    yield {"url": "amount", "valueMoney": money(adjustment.amount)}
    if adjustment.quantity is not None:
        yield {"url": "quantity", "valueDecimal": adjustment.quantity}
