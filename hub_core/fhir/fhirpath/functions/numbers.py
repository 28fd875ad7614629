"""Functions of numbers (FHIRPath 2.0, 5.7, and of the next edition's `sum`, `min`, `max` and `avg`)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal, DecimalException, localcontext
from typing import TypeAlias

from hub_core.fhir.fhirpath import comparison
from hub_core.fhir.fhirpath.amounts import Amount
from hub_core.fhir.fhirpath.frame import Evaluator, Frame
from hub_core.fhir.fhirpath.functions.site import Build, Functions, Site, on_one
from hub_core.fhir.fhirpath.nodes import Nodes
from hub_core.fhir.fhirpath.operators import OPERATORS
from hub_core.fhir.fhirpath.values import made

_Number: TypeAlias = int | Decimal

_NUMBER = (int, Decimal)
_PLACES = 28


def _safe(run: Callable[..., Decimal | None]) -> Callable[..., Decimal | None]:
    """Return the function giving nothing where its answer is no number or out of reach."""

    def call(*given: _Number) -> Decimal | None:
        try:
            with localcontext() as context:
                context.prec = _PLACES
                number = run(*given)
        except DecimalException:
            return None
        return number if number is not None and number.is_finite() else None

    return call


def _whole(rounding: str) -> Callable[[_Number], int | None]:
    def call(number: _Number) -> int | None:
        if isinstance(number, int):
            return number
        return int(number.to_integral_value(rounding)) if number.adjusted() < 18 else None

    return call


def _abs(number: _Number | Amount) -> _Number | Amount:
    if isinstance(number, Amount):
        return Amount(abs(number.number), number.unit)
    return number if number >= 0 else -number


def _round(number: Decimal, places: int = 0) -> Decimal | None:
    if not 0 <= places <= _PLACES:
        return None
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return rounded if rounded != number else number


def _power(number: _Number, exponent: _Number) -> _Number | None:
    result = _safe(lambda base, power: base**power)(Decimal(number), Decimal(exponent))
    if result is None or not isinstance(number, int) or not isinstance(exponent, int) or exponent < 0:
        return result
    return int(result) if result.adjusted() < 18 else None


def _log(number: Decimal, base: Decimal) -> Decimal | None:
    """Return the logarithm; whole ones come out whole."""
    logarithm = number.ln() / base.ln()
    nearest = logarithm.to_integral_value()
    return nearest if abs(logarithm - nearest) < Decimal("1e-20") else logarithm


def _sum(site: Site) -> Evaluator:
    def call(this: Nodes, frame: Frame) -> Nodes:
        nodes = site.base(this, frame)
        total = nodes[:1]
        for node in nodes[1:]:
            total = OPERATORS["+"](total, [node], site.at)
        return made(0) if not nodes and site.name == "sum" else total

    return call


def _average(site: Site) -> Evaluator:
    total = _sum(site)

    def call(this: Nodes, frame: Frame) -> Nodes:
        nodes = site.base(this, frame)
        return OPERATORS["/"](total(this, frame), made(len(nodes)), site.at) if nodes else []

    return call


def _extreme(sign: int) -> Build:
    def build(site: Site) -> Evaluator:
        def call(this: Nodes, frame: Frame) -> Nodes:
            best: Nodes = []
            for node in site.base(this, frame):
                placed = comparison.order([node], best, "<", site.at) if best else -sign
                if placed is None:
                    return []
                best = [node] if placed * sign < 0 else best
            return best

        return call

    return build


NUMBER_FUNCTIONS: Functions = {
    "abs": (0, 0, on_one(_abs, (int, Decimal, Amount))),
    "ceiling": (0, 0, on_one(_whole(ROUND_CEILING), _NUMBER)),
    "floor": (0, 0, on_one(_whole(ROUND_FLOOR), _NUMBER)),
    "truncate": (0, 0, on_one(_whole(ROUND_DOWN), _NUMBER)),
    "exp": (0, 0, on_one(_safe(Decimal.exp), Decimal)),
    "ln": (0, 0, on_one(_safe(lambda number: number.ln()), Decimal)),
    "log": (1, 1, on_one(_safe(_log), Decimal, Decimal)),
    "power": (1, 1, on_one(_power, _NUMBER, _NUMBER)),
    "round": (0, 1, on_one(_safe(_round), Decimal, int)),
    "sqrt": (0, 0, on_one(_safe(lambda number: number.sqrt()), Decimal)),
    "sum": (0, 0, _sum),
    "avg": (0, 0, _average),
    "min": (0, 0, _extreme(1)),
    "max": (0, 0, _extreme(-1)),
}
