"""What the payer decided, line by line and for the claim: submitted, allowed, paid, and why the rest was not."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from connectors.x12.adjustments import PATIENT_RESPONSIBILITY, Adjustment, adjustments, total
from connectors.x12.claim_lines import line_number, service_of
from connectors.x12.code_systems import (
    ADJUDICATION,
    ADJUSTMENT_GROUP,
    CARC,
    OWN_ADJUDICATION,
    RARC,
    coded,
    element_system,
)
from connectors.x12.elements import ZERO, amount, day, money, number, required_amount
from connectors.x12.loops import Loop
from hub_core.fhir.canonical import Json

REVENUE_CODES = "https://www.nubc.org/CodeSystem/RevenueCodes"
SUBMITTED_SERVICE = "https://wholechart.example/fhir/StructureDefinition/submitted-service"
STATED, COMPUTED = "stated by the payer (AMT*B6)", "computed: payment and patient responsibility"
"""Where an allowed amount comes from; it is text of its category."""
_REMARK_ELEMENTS = {"MIA": (5, 20, 21, 22, 23), "MOA": (3, 4, 5, 6, 7)}


def adjudicated_items(claim: Loop) -> Json:
    """Return the service lines (2110) of an adjudicated claim as items, empty when it was decided as a whole.

    Raises:
        UnreadableError: with the place, if an amount or the service is missing.
    """
    items = [_item(sequence, line) for sequence, line in enumerate(claim.inside("2110"), 1)]
    return {"item": items} if items else {}


def claim_adjudication(claim: Loop) -> Json:
    """Return the adjustments and remarks that stand at the claim."""
    rows = [*map(_adjustment, adjustments(claim)), *map(_remark, _claim_remarks(claim))]
    return {"adjudication": rows} if rows else {}


def allowed_of_claim(claim: Loop) -> Decimal:
    """Return the allowed amount of a claim: of its lines and its own PR adjustments; without lines, paid and PR."""
    at_claim = total(adjustments(claim), PATIENT_RESPONSIBILITY)
    lines = list(claim.inside("2110"))
    paid = sum((allowed_of_line(line)[0] for line in lines), ZERO) if lines else required_amount(claim.opener, 4)
    return paid + at_claim


def allowed_of_line(line: Loop) -> tuple[Decimal, str]:
    """Return the allowed amount of a line and where it comes from: AMT*B6, else the payment and the PR adjustments."""
    stated = line.segment("AMT", "B6")
    if stated is not None:
        return required_amount(stated, 2), STATED
    return amount(line.opener, 3) + total(adjustments(line), PATIENT_RESPONSIBILITY), COMPUTED


def patient_share(claim: Loop) -> Decimal:
    """Return what the patient owes: CLP05, else the sum of the PR adjustments."""
    if claim.opener[5].strip():
        return amount(claim.opener, 5)
    loops = (claim, *claim.inside("2110"))
    return sum((total(adjustments(loop), PATIENT_RESPONSIBILITY) for loop in loops), ZERO)


def _item(sequence: int, line: Loop) -> Json:
    opener = line.opener
    charge, paid = required_amount(opener, 2), amount(opener, 3)
    item: Json = {"sequence": sequence, **line_number(line)}
    if opener[6].strip():
        submitted = service_of(opener, 6)["productOrService"]
        item.setdefault("extension", []).append({"url": SUBMITTED_SERVICE, "valueCodeableConcept": submitted})
    if revenue := opener[4].strip():
        item["revenue"] = coded(REVENUE_CODES, revenue)
    item |= service_of(opener) | _served(line)
    if (quantity := number(opener[5])) is not None:
        item["quantity"] = {"value": quantity}
    allowed, source = allowed_of_line(line)
    rows = [
        _row(ADJUDICATION, "submitted", charge),
        _row(ADJUDICATION, "eligible", allowed, source),
        _row(ADJUDICATION, "benefit", paid),
        *map(_adjustment, adjustments(line)),
        *(_remark(segment[2].strip()) for segment in line.all("LQ", "HE") if segment[2].strip()),
    ]
    return item | {"net": money(charge), "adjudication": rows}


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
        "category": coded(element_system(ADJUSTMENT_GROUP), adjustment.group),
        "reason": coded(CARC, adjustment.reason),
        "amount": money(adjustment.amount),
    }
    return row if adjustment.quantity is None else row | {"value": adjustment.quantity}


def _remark(code: str) -> Json:
    return {"category": coded(OWN_ADJUDICATION, "remark"), "reason": coded(RARC, code)}


def _claim_remarks(claim: Loop) -> Iterator[str]:
    """Yield the remark codes of MIA and MOA."""
    for name, elements in _REMARK_ELEMENTS.items():
        for segment in claim.all(name):
            for element in elements:
                if code := segment[element].strip():
                    yield code
