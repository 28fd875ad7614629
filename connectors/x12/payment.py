"""The payment of a remittance (BPR, TRN, PLB): who paid whom, when, how much, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connectors.x12.adjustments import ProviderAdjustment, provider_adjustments
from connectors.x12.code_systems import OWN_IDENTIFIER, PAYMENT_METHOD, PLB_REASON, coded, element_system
from connectors.x12.elements import day, money, required_amount
from connectors.x12.facts import FactSet
from connectors.x12.loops import Loop
from connectors.x12.parties import folded, named_payer, payee
from connectors.x12.transaction import Segment
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json

_PAYMENT_TYPE = "http://terminology.hl7.org/CodeSystem/payment-type"


@dataclass(frozen=True, slots=True)
class Payment:
    """What every claim of a remittance shares."""

    total: Decimal
    """BPR02."""
    method: str
    """BPR04: ACH, CHK, NON, FWT, BOP."""
    paid_on: str | None
    """BPR16 as a FHIR date."""
    trace: str
    """TRN02: check or EFT number, the key to the bank's record."""
    payer_key: str
    insurer: Json
    payee: Json | None


def read_payment(facts: FactSet, root: Loop) -> Payment:
    """Return the payment of a remittance, payer and payee kept.

    Raises:
        UnreadableError: if BPR, TRN or the payer (1000A) is missing, the amount is none, or the payment has no number:
            nothing would tell it from the payer's other ones.
    """
    terms, trace, payer_loop = root.segment("BPR"), root.segment("TRN"), root.loop("1000A")
    if terms is None or trace is None or payer_loop is None:
        missing = "BPR" if terms is None else "TRN" if trace is None else "1000A N1*PR"
        raise UnreadableError("the remittance lacks this segment", location=missing, code="required")
    if not trace[2].strip():
        raise UnreadableError("the payment has no check or EFT number", location=trace.place(2), code="required")
    stated = _payer_id(payer_loop, trace)
    name = payer_loop.opener[2].strip()
    payee_loop = root.loop("1000B")
    return Payment(
        total=required_amount(terms, 2),
        method=terms[4].strip(),
        paid_on=day(terms[16].strip()),
        trace=trace[2].strip(),
        payer_key=stated or folded(name),
        insurer=named_payer(facts, payer_loop, name, stated),
        payee=payee(facts, payee_loop) if payee_loop else None,
    )


def reconciliation(payment: Payment, root: Loop, claims: list[Json], created: str) -> Json:
    """Return the PaymentReconciliation of a remittance: a detail per claim paid and per provider adjustment.

    Amounts of details are what they add to the payment, so that they sum up to it: a PLB of 5.00 is a detail of -5.00.
    """
    resource: Json = {
        "resourceType": "PaymentReconciliation",
        "identifier": [trace_identifier(payment)],
        "status": "active",
        "created": created,
        "paymentIssuer": payment.insurer,
        "outcome": "complete",
        "paymentDate": payment.paid_on or created[:10],
        "paymentAmount": money(payment.total),
        "paymentIdentifier": trace_identifier(payment),
    }
    details = [*claims, *(_adjustment_detail(each) for each in provider_adjustments(root))]
    if details:
        resource["detail"] = details
    if payment.method:
        resource["formCode"] = coded(element_system(PAYMENT_METHOD), payment.method)
    return resource


def claim_detail(request: Json, response: Json, paid: Decimal) -> Json:
    """Return the detail of one adjudicated claim."""
    return {
        "type": coded(_PAYMENT_TYPE, "payment"),
        "request": request,
        "response": response,
        "amount": money(paid),
    }


def trace_identifier(payment: Payment) -> Json:
    """Return the check or EFT number, scoped to the payer."""
    return {"system": f"{OWN_IDENTIFIER}payment-trace/{'-'.join(payment.payer_key.split())}", "value": payment.trace}


def _adjustment_detail(adjustment: ProviderAdjustment) -> Json:
    codings = [{"system": _PAYMENT_TYPE, "code": "adjustment"}]
    if adjustment.reason:
        codings.append({"system": element_system(PLB_REASON), "code": adjustment.reason})
    detail: Json = {"type": {"coding": codings}, "amount": money(-adjustment.amount)}
    if adjustment.reference:
        detail["identifier"] = {"system": OWN_IDENTIFIER + "provider-adjustment", "value": adjustment.reference}
    if fiscal := day(adjustment.fiscal_date):
        detail["date"] = fiscal
    return detail


def _payer_id(payer_loop: Loop, trace: Segment) -> str:
    """Return the payer's identifier: N104, REF*2U, else TRN03, which names the payer's bank identity."""
    additional = payer_loop.segment("REF", "2U")
    return payer_loop.opener[4].strip() or (additional[2].strip() if additional else "") or trace[3].strip()
