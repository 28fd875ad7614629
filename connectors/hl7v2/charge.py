"""FT1 of type CG and CD to ChargeItem: a service charged to an account, or a charge taken back."""

from __future__ import annotations

from typing import Final

from connectors.connector import Authority
from connectors.hl7v2.account import OWN_EXTENSION, Account, amount, plan_payer, transaction_key
from connectors.hl7v2.concepts import concept, named_uri
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.parties import practitioner
from connectors.hl7v2.tokenizer import Segment
from connectors.hl7v2.values import decimal
from hub_core.fhir.canonical import Json

CREDIT: Final = "CD"
TRANSACTION_TYPE: Final = f"{OWN_EXTENSION}transaction-type"
"""Extension of a charge: CG or CD, as FT1-6 said."""
PROCEDURE_MODIFIER: Final = f"{OWN_EXTENSION}procedure-modifier"
PAYER: Final = f"{OWN_EXTENSION}payer"
"""Extension of a charge: who is asked to pay it; absent where that is the patient."""


def add_charge(ft1: Segment, kind: str, account: Account, conversion: Conversion) -> None:
    """State the charge or credit of `ft1`; the price of a credit is negative, however it was written."""
    performer = practitioner(ft1[20], conversion)
    price = amount(ft1, conversion)
    if price is not None and kind == CREDIT:
        price = {**price, "value": price["value"].copy_abs().copy_negate()}
    quantity = decimal(ft1.text(10))
    number = ft1.text(2)
    content = said(
        extension=_extensions(ft1, kind, account, conversion),
        identifier=[{"system": named_uri(conversion.assigner), "value": number}] if number else None,
        status="billable",
        code=_code(ft1, conversion),
        subject=account.patient,
        context=account.visit,
        occurrenceDateTime=conversion.date_time(ft1, 4),
        performer=[{"actor": performer}] if performer else None,
        quantity={"value": quantity} if quantity is not None else None,
        priceOverride=price,
        enteredDate=conversion.date_time(ft1, 5),
        reason=_reasons(ft1, account, conversion),
        account=[{"type": "Account", "identifier": account.number}] if account.number else None,
    )
    conversion.add("ChargeItem", transaction_key(ft1, kind, conversion), content, Authority.FULL)


def _extensions(ft1: Segment, kind: str, account: Account, conversion: Conversion) -> list[Json]:
    source = conversion.origin.source
    found: list[Json] = [{"url": TRANSACTION_TYPE, "valueCode": kind}]
    if insurer := plan_payer(ft1[14], conversion) or account.insurer:
        found.append({"url": PAYER, "valueReference": insurer})
    found += [
        {"url": PROCEDURE_MODIFIER, "valueCodeableConcept": modifier}
        for value in ft1.repetitions(26)
        if (modifier := concept(value, source, table="0340")) is not None
    ]
    return found


def _code(ft1: Segment, conversion: Conversion) -> Json:
    """Return the procedure (FT1-25) and the house's own code of the charge (FT1-7), in words FT1-8 where there are."""
    source = conversion.origin.source
    read = [each for number in (25, 7) if (each := concept(ft1[number], source)) is not None]
    if not read:
        conversion.note("warning", "required", "the charge has no code", ft1.place(7))
    codings = {str(coding): coding for each in read for coding in each.get("coding", ())}
    text = next((each["text"] for each in read if "text" in each), "") or ft1[8].text
    return said(coding=list(codings.values()), text=text or (None if codings else "not stated"))


def _reasons(ft1: Segment, account: Account, conversion: Conversion) -> list[Json]:
    source = conversion.origin.source
    own = [each for value in ft1.repetitions(19) if (each := concept(value, source)) is not None]
    return own or account.diagnoses
