"""The account a financial transaction (FT1) belongs to, and what charges and payments of it share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from connectors.connector import Authority
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.coverage import payer_key
from connectors.hl7v2.tokenizer import Composite, Segment
from connectors.hl7v2.values import decimal
from hub_core.fhir.canonical import Json
from hub_core.fhir.systems import ORGANIZATION_TYPE

OWN_EXTENSION: Final = "https://wholechart.example/fhir/StructureDefinition/"
_CURRENCY: Final = re.compile(r"[A-Z]{3}\Z")


@dataclass(frozen=True, slots=True)
class Account:
    """Whose account the transactions of a message belong to."""

    patient: Json
    visit: Json | None
    number: Json | None
    """PID-18."""
    diagnoses: list[Json]
    """DG1-3, for charges that name none of their own."""
    insurer: Json | None
    """The first insurance (IN1)."""


def transaction_key(ft1: Segment, kind: str, conversion: Conversion) -> str:
    """Return the business identifier of a transaction: its type and FT1-2, else its place in the message.

    The type is part of it, for a credit may carry the number of the charge it takes back.
    """
    number = ft1.text(2)
    if number:
        return conversion.unused("FT1", f"{conversion.assigner}|{kind}|{number}")
    conversion.note("warning", "required", "the transaction has no number", ft1.place(2))
    return f"message|{conversion.message.header.text(10)}|FT1|{ft1.ordinal}"


def amount(ft1: Segment, conversion: Conversion) -> Json | None:
    """Return what a transaction comes to: FT1-11, else the unit price FT1-12 times the quantity FT1-10."""
    total = _price(ft1, 11, conversion)
    if total is not None:
        return total
    unit, quantity = _price(ft1, 12, conversion), decimal(ft1.text(10))
    if unit is None or quantity is None:
        return unit
    return {**unit, "value": unit["value"] * quantity}


def plan_payer(value: Composite, conversion: Conversion) -> Json | None:
    """Return the payer in FT1-14 (`id^name`), kept as known by name only: IN1 says more of the same one."""
    number, name = value[1], value.whole(2)
    if not (number or name):
        return None
    kind = {"coding": [{"system": ORGANIZATION_TYPE, "code": "pay"}]}
    reference = conversion.add(
        "Organization", payer_key(number, name), {"type": [kind], "name": name or number}, Authority.STUB
    )
    return {**reference, **said(display=name)}


def _price(ft1: Segment, number: int, conversion: Conversion) -> Json | None:
    """Return a CP or MO: `120.00&USD^UP` or `120.00^USD`; US dollars where no currency is named."""
    value = ft1[number]
    if not value[1]:
        return None
    price: Decimal | None = decimal(value[1])
    if price is None:
        conversion.note("warning", "value", "not an amount of money; left out", ft1.place(number))
        return None
    stated = value.sub(1)[2] or value[2]
    return {"value": price, "currency": stated if _CURRENCY.match(stated) else "USD"}
