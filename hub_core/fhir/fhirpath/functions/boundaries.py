"""The least and the greatest value that what is written may stand for, and how exact it is (FHIRPath 3.0, 5.9)."""

from __future__ import annotations

from calendar import monthrange
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

from hub_core.fhir.fhirpath.amounts import Amount
from hub_core.fhir.fhirpath.frame import Evaluator, Frame
from hub_core.fhir.fhirpath.functions.site import Build, Functions, Site, on_one
from hub_core.fhir.fhirpath.moments import Moment
from hub_core.fhir.fhirpath.nodes import Nodes
from hub_core.fhir.fhirpath.values import Scalar, made, scalar, single, single_scalar

_Edge = Literal["low", "high"]

_DIGITS = {"date": 8, "dateTime": 17, "time": 9}
_DEFAULT_PLACES, _MOST_PLACES = 8, 28
_PARTS_OF_DIGITS = {4: 1, 6: 2, 8: 3, 10: 4, 12: 5, 14: 6, 17: 6}


def _boundary(edge: _Edge) -> Build:
    """Return the form of both functions; the argument says how exact the answer shall be."""

    def build(site: Site) -> Evaluator:
        base, arguments = site.base, site.arguments

        def call(this: Nodes, frame: Frame) -> Nodes:
            node = single(base(this, frame), f"what {site.name}() is of", site.at)
            asked = arguments[0](this, frame) if arguments else []
            digits = single_scalar(asked, "how many digits", site.at)
            if node is None or (digits is not None and type(digits) is not int):
                return []
            value = scalar(node)
            if value is None or isinstance(value, bool | str):
                raise site.refuse("finds what is no number, date, time or quantity")
            return made(_of(value, edge, digits))

        return call

    return build


def _of(value: Scalar, edge: _Edge, digits: int | None) -> Scalar | None:
    if isinstance(value, Amount):
        number = _number(value.number, edge, digits)
        return None if number is None else Amount(number, value.unit)
    if isinstance(value, Moment):
        return _moment(value, edge, digits)
    return None if isinstance(value, str) else _number(Decimal(value), edge, digits)


def _number(number: Decimal, edge: _Edge, digits: int | None) -> Decimal | None:
    """Return half a unit of the last digit away, cut outwards to the digits asked for."""
    places = _DEFAULT_PLACES if digits is None else digits
    exponent = number.as_tuple().exponent
    if not 0 <= places <= _MOST_PLACES or not isinstance(exponent, int) or abs(number.adjusted()) > _MOST_PLACES:
        return None
    half = Decimal("0.5").scaleb(exponent)
    away = number - half if edge == "low" else number + half
    if digits is None:
        places = max(places, -exponent + 1)
    return away.quantize(Decimal(1).scaleb(-places), ROUND_FLOOR if edge == "low" else ROUND_CEILING)


def _moment(value: Moment, edge: _Edge, digits: int | None) -> Moment | None:
    parts = _completed(value, edge)
    digits = _DIGITS[value.kind] if digits is None else digits
    count = _PARTS_OF_DIGITS.get(digits + 8 if value.kind == "time" else digits)
    if count is None or (value.kind == "date" and count > 3):
        return None
    if value.kind == "time":
        return Moment("time", parts[: count - 3])
    zone = value.zone if value.zone is not None else 14 * 60 if edge == "low" else -12 * 60
    return Moment(value.kind, parts[:count], zone if count > 3 else None)


def _completed(value: Moment, edge: _Edge) -> tuple[Decimal | int, ...]:
    parts = list(value.parts)
    if value.kind != "time":
        if len(parts) == 1:
            parts.append(1 if edge == "low" else 12)
        if len(parts) == 2:
            parts.append(1 if edge == "low" else monthrange(int(parts[0]), int(parts[1]))[1])
        return tuple(parts[:3]) + _clock(parts[3:], edge)
    return _clock(parts, edge)


def _clock(parts: list[Decimal | int], edge: _Edge) -> tuple[Decimal | int, ...]:
    least, most = (0, 0, Decimal("0.000")), (23, 59, Decimal("59.999"))
    known = len(parts)
    completed = [*parts, *(least if edge == "low" else most)[known:]]
    if known == 3:
        completed[2] = _second(Decimal(parts[2]), edge)
    return tuple(completed)


def _second(second: Decimal, edge: _Edge) -> Decimal:
    """Return a second completed to milliseconds; finer ones stay as they are."""
    places = -int(second.as_tuple().exponent)
    if places >= 3:
        return second
    rest = Decimal("0.000") if edge == "low" else Decimal(1).scaleb(-places) - Decimal("0.001")
    return second + rest


def _precision(value: Scalar) -> int | None:
    if isinstance(value, Moment):
        return value.digits
    if isinstance(value, Decimal):
        return max(0, -int(value.as_tuple().exponent))
    return 0 if isinstance(value, int) else None


def _comparable(a: Amount, b: Amount) -> bool:
    return a.measured[0] == b.measured[0]


BOUNDARY_FUNCTIONS: Functions = {
    "lowBoundary": (0, 1, _boundary("low")),
    "highBoundary": (0, 1, _boundary("high")),
    "precision": (0, 0, on_one(_precision, (int, Decimal, Moment))),
    "comparable": (1, 1, on_one(_comparable, Amount, Amount)),
}
