"""The service lines of a professional claim (2400) as items."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from connectors.x12.claim_details import join, place_of_service, service_dates
from connectors.x12.code_systems import UNIT, coded, element_system
from connectors.x12.elements import money, number, required_amount
from connectors.x12.facts import FactSet
from connectors.x12.loops import Loop
from connectors.x12.other_payers import prior_adjudications
from connectors.x12.parties import provider
from connectors.x12.service import line_number, service_of
from connectors.x12.transaction import Segment
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json
from hub_core.fhir.systems import NDC

_LINE_PROVIDERS = ("2420A", "2420B", "2420D", "2420E", "2420F")


def items(
    facts: FactSet, claim: Loop, team: list[Json], sequence_of: dict[str, int], diagnosed: frozenset[int]
) -> Iterator[Json]:
    """Yield an item for each line; providers named on a line join the care team.

    Args:
        facts: where they are kept.
        claim: the 2300.
        team: the care team of the claim, which grows.
        sequence_of: the place in the team by role and reference.
        diagnosed: numbers of the diagnoses that can be pointed at.

    Raises:
        UnreadableError: with the place, if a line has no service or an amount that is none.
    """
    for sequence, line in enumerate(claim.inside("2400"), 1):
        service = line.segment("SV1")
        if service is None:
            raise UnreadableError("the service line has no SV1", location=line.opener.place(), code="required")
        item: Json = {"sequence": sequence} | _care_team(facts, line, team, sequence_of)
        item |= _pointers(service, diagnosed) | service_of(service) | _served(line)
        if code := service[5].strip():
            item["locationCodeableConcept"] = place_of_service(code)
        item |= _amounts(service) | _drug(line)
        stated = [*line_number(line), *prior_adjudications(facts, line)]
        yield item | ({"extension": stated} if stated else {})


def _care_team(facts: FactSet, line: Loop, team: list[Json], sequence_of: dict[str, int]) -> Json:
    sequences = [
        join(team, sequence_of, reference, loop.opener[1].strip(), loop.segment("PRV"))
        for loop in line.inside(*_LINE_PROVIDERS)
        if (reference := provider(facts, loop))
    ]
    return {"careTeamSequence": sequences} if sequences else {}


def _pointers(service: Segment, diagnosed: frozenset[int]) -> Json:
    pointed = [part.strip()[:3] for part in service.components(7)]
    sequences = [int(part) for part in pointed if part.isascii() and part.isdigit() and int(part) in diagnosed]
    return {"diagnosisSequence": sequences} if sequences else {}


def _served(line: Loop) -> Json:
    served = service_dates(line)
    if not served:
        return {}
    if served.get("start") == served.get("end"):
        return {"servicedDate": served["start"]}
    return {"servicedPeriod": served}


def _amounts(service: Segment) -> Json:
    """Return quantity, charge, and the price of a unit when it divides the charge without a rest."""
    net = required_amount(service, 2)
    quantity = number(service[4])
    amounts: Json = {}
    if quantity is not None:
        unit = service[3].strip()
        amounts["quantity"] = {"value": quantity} | ({"system": element_system(UNIT), "code": unit} if unit else {})
        if (price := _unit_price(net, quantity)) is not None:
            amounts["unitPrice"] = money(price)
    return amounts | {"net": money(net)}


def _unit_price(net: Decimal, quantity: Decimal) -> Decimal | None:
    """Return what a unit costs; None when that is not a whole number of cents."""
    if quantity <= 0:
        return None
    price = net / quantity
    in_cents = price * 100
    return price if price * quantity == net and in_cents == in_cents.to_integral_value() else None


def _drug(line: Loop) -> Json:
    """Return the drug behind a service (2410 LIN*N4) as a detail of the item."""
    named = line.loop("2410")
    code = named.opener[3].strip() if named and named.opener[2].strip() == "N4" else ""
    if not code or named is None:
        return {}
    detail: Json = {"sequence": 1, "productOrService": coded(NDC, code)}
    count = named.segment("CTP")
    given = number(count[4]) if count else None
    if count and given is not None:
        unit = count.components(5)[0].strip()
        detail["quantity"] = {"value": given} | ({"system": element_system(UNIT), "code": unit} if unit else {})
    return {"detail": [detail]}
