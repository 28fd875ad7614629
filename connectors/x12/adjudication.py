"""What the payer decided, line by line and for the claim: submitted, allowed, paid, and why the rest was not."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from connectors.x12.adjudicated import AdjudicatedClaim, AdjudicatedLine
from connectors.x12.adjustments import Adjustment
from connectors.x12.code_systems import OWN_ADJUDICATION, OWN_EXTENSION, coded
from connectors.x12.elements import day, money, number
from connectors.x12.loops import Loop
from connectors.x12.service import line_number, service_of
from hub_core.fhir.canonical import Json
from hub_core.fhir.systems import (
    ADJUDICATION,
    CLAIM_ADJUSTMENT_GROUP,
    CLAIM_ADJUSTMENT_REASON,
    REMITTANCE_ADVICE_REMARK,
    REVENUE_CODE,
)

SUBMITTED_SERVICE = OWN_EXTENSION + "submitted-service"
STATED, COMPUTED = "stated by the payer (AMT*B6)", "computed: payment and patient responsibility"
"""Where an allowed amount comes from; it is text of its category."""
_REMARK_ELEMENTS = {"MIA": (5, 20, 21, 22, 23), "MOA": (3, 4, 5, 6, 7)}


def adjudicated_items(claim: AdjudicatedClaim) -> Json:
    """Return the service lines of an adjudicated claim as items, empty when it was decided as a whole."""
    items = [_item(sequence, line) for sequence, line in enumerate(claim.lines, 1)]
    return {"item": items} if items else {}


def claim_adjudication(claim: AdjudicatedClaim) -> Json:
    """Return the adjustments and remarks that stand at the claim."""
    rows = [*map(_adjustment, claim.adjustments), *map(_remark, _claim_remarks(claim.loop))]
    return {"adjudication": rows} if rows else {}


def _item(sequence: int, line: AdjudicatedLine) -> Json:
    loop, opener = line.loop, line.loop.opener
    stated = line_number(loop)
    if opener[6].strip():
        submitted = service_of(opener, 6)["productOrService"]
        stated.append({"url": SUBMITTED_SERVICE, "valueCodeableConcept": submitted})
    item: Json = {"sequence": sequence} | ({"extension": stated} if stated else {})
    if revenue := opener[4].strip():
        item["revenue"] = coded(REVENUE_CODE, revenue)
    item |= service_of(opener) | _served(loop)
    if (quantity := number(opener[5])) is not None:
        item["quantity"] = {"value": quantity}
    rows = [
        _row(ADJUDICATION, "submitted", line.charge),
        _row(ADJUDICATION, "eligible", line.allowed, COMPUTED if line.stated_allowed is None else STATED),
        _row(ADJUDICATION, "benefit", line.paid),
        *map(_adjustment, line.adjustments),
        *(_remark(segment[2].strip()) for segment in loop.all("LQ", "HE") if segment[2].strip()),
    ]
    return item | {"net": money(line.charge), "adjudication": rows}


def _served(line: Loop) -> Json:
    """Return the day of service (DTM 472), or the period between DTM 150 and 151."""
    days = {segment[1]: found for segment in line.all("DTM", "472", "150", "151") if (found := day(segment[2]))}
    if "472" in days:
        return {"servicedDate": days["472"]}
    bounds = {"start": days.get("150"), "end": days.get("151")}
    stated = {name: value for name, value in bounds.items() if value}
    return {"servicedPeriod": stated} if stated else {}


def _row(system: str, code: str, value: Decimal, text: str | None = None) -> Json:
    return {"category": coded(system, code, text), "amount": money(value)}


def _adjustment(adjustment: Adjustment) -> Json:
    row: Json = {
        "category": coded(CLAIM_ADJUSTMENT_GROUP, adjustment.group) if adjustment.group else {"text": "not stated"},
        "reason": coded(CLAIM_ADJUSTMENT_REASON, adjustment.reason),
        "amount": money(adjustment.amount),
    }
    return row if adjustment.quantity is None else row | {"value": adjustment.quantity}


def _remark(code: str) -> Json:
    return {"category": coded(OWN_ADJUDICATION, "remark"), "reason": coded(REMITTANCE_ADVICE_REMARK, code)}


def _claim_remarks(claim: Loop) -> Iterator[str]:
    """Yield the remark codes of MIA and MOA."""
    for name, elements in _REMARK_ELEMENTS.items():
        for segment in claim.all(name):
            for element in elements:
                if code := segment[element].strip():
                    yield code
