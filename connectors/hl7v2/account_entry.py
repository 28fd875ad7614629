"""FT1 of type PY, CO and AJ to PaymentReconciliation: money that came to an account, and what was written off it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from connectors.hl7v2.account import OWN_EXTENSION, Account, amount, plan_payer, transaction_key
from connectors.hl7v2.concepts import concept, named_uri
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.tokenizer import Segment
from hub_core.fhir.canonical import Json
from hub_core.fhir.systems import CLAIM_ADJUSTMENT_GROUP, CLAIM_ADJUSTMENT_REASON

ADJUSTMENT: Final = "AJ"
PAYMENT_PATIENT: Final = f"{OWN_EXTENSION}payment-patient"
"""Extension of a payment: the patient whose account it was posted to; R4 has no element for that."""
_PAYMENT_TYPE: Final = "http://terminology.hl7.org/CodeSystem/payment-type"
_REASON: Final = re.compile(r"(?:(CO|OA|PI|PR)-?)?([A-Z]?\d{1,3})\Z")
"""A claim adjustment reason, with its group before it or without."""


def add_entry(ft1: Segment, kind: str, account: Account, conversion: Conversion) -> None:
    """State the payment or adjustment of `ft1`; an adjustment moves no money, so its payment is zero."""
    is_adjustment = kind == ADJUSTMENT
    value = amount(ft1, conversion)
    if value is None:
        conversion.note("error", "required", "the transaction has no amount; left out", ft1.place(11))
        return
    paid, posted = conversion.date(ft1, 4), conversion.date_time(ft1, 5) or conversion.date_time(ft1, 4)
    if paid is None or posted is None or len(paid) != len("2020-01-31"):
        conversion.note("error", "required", "the transaction has no day; left out", ft1.place(4))
        return
    number = ft1.text(2)
    identifier = {"system": named_uri(conversion.assigner), "value": number} if number else None
    reference = ft1[29][1]
    content = said(
        extension=[{"url": PAYMENT_PATIENT, "valueReference": account.patient}],
        identifier=[identifier] if identifier else None,
        status="active",
        created=posted,
        paymentIssuer=plan_payer(ft1[14], conversion),
        outcome="complete",
        paymentDate=paid,
        paymentAmount={**value, "value": Decimal("0.00")} if is_adjustment else value,
        paymentIdentifier={"value": reference} if reference else None,
        detail=[
            said(
                identifier=identifier,
                type=_type(ft1, is_adjustment=is_adjustment, conversion=conversion),
                request=account.visit,
                date=paid,
                amount=value,
            )
        ],
        formCode=None if is_adjustment else concept(ft1[7], conversion.origin.source, table="0132"),
    )
    conversion.add("PaymentReconciliation", transaction_key(ft1, kind, conversion), content)


def _type(ft1: Segment, *, is_adjustment: bool, conversion: Conversion) -> Json:
    """Return payment or adjustment; for an adjustment also why: a claim adjustment reason, else the house's code."""
    code = {"system": _PAYMENT_TYPE, "code": "adjustment" if is_adjustment else "payment"}
    if not is_adjustment:
        return {"coding": [code]}
    found = _REASON.match(ft1.text(7).upper())
    stated = concept(ft1[7], conversion.origin.source, table="0132") or {}
    if found is None:
        return said(coding=[code, *stated.get("coding", ())], text=stated.get("text"))
    group = {"system": CLAIM_ADJUSTMENT_GROUP, "code": found[1]}
    reason = {"system": CLAIM_ADJUSTMENT_REASON, "code": found[2]}
    return said(coding=[code, reason, *([group] if found[1] else ())], text=ft1[7].whole(2))
