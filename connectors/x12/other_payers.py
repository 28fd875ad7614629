"""Coordination of benefits on a claim (2320): the other payers, and what they paid before this one is asked."""

from __future__ import annotations

from connectors.connector import Authority
from connectors.x12.coverage import Insured, filing_indicator, member_key, order_of, relationship
from connectors.x12.elements import amount, money
from connectors.x12.facts import FactSet
from connectors.x12.loops import Loop
from connectors.x12.parties import payer, payer_id
from hub_core.fhir.canonical import Json

PRIOR_PAYMENT = "https://wholechart.example/fhir/StructureDefinition/prior-payment"


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
    row: Json = {"sequence": order_of(terms), "focal": False, "coverage": reference}
    return row | _prior_payment(other)


def _prior_payment(other: Loop) -> Json:
    """Return what the payer paid on the whole claim (AMT*D)."""
    paid = other.segment("AMT", "D")
    if paid is None:
        return {}
    return {"extension": [{"url": PRIOR_PAYMENT, "valueMoney": money(amount(paid, 2))}]}
