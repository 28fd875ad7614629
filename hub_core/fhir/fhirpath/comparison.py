"""Equality, equivalence and order of what paths give (FHIRPath 2.0, 6.1 and 6.2)."""

from __future__ import annotations

import re
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Any

from hub_core.errors import PathError
from hub_core.fhir.fhirpath import amounts, moments
from hub_core.fhir.fhirpath.amounts import Amount
from hub_core.fhir.fhirpath.kinds import kind
from hub_core.fhir.fhirpath.moments import Moment
from hub_core.fhir.fhirpath.nodes import Node, Nodes
from hub_core.fhir.fhirpath.values import Scalar, identity, scalar, single

_SPACES = re.compile(r"\s+")


def equal(left: Nodes, right: Nodes) -> bool | None:
    """Return whether both say the same in the same order; None if a side is empty or an answer is not known."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    answers = [_same(a, b) for a, b in zip(left, right, strict=True)]
    return False if False in answers else None if None in answers else True


def equivalent(left: Nodes, right: Nodes) -> bool:
    """Return whether both mean the same in any order, texts compared without case and spacing, numbers rounded."""
    if len(left) != len(right):
        return False
    if len(left) == 1:
        return _alike(left[0], right[0])
    rest = list(right)
    for node in left:
        place = next((place for place, other in enumerate(rest) if _alike(node, other)), None)
        if place is None:
            return False
        del rest[place]
    return True


def order(left: Nodes, right: Nodes, operator: str, at: int) -> int | None:
    """Return below 0, 0 or above 0 as left comes before, with or after right; None if that is not known.

    Raises:
        PathError: if there are several, or they have no order.
    """
    one, other = single(left, f"an operand of {operator}", at), single(right, f"an operand of {operator}", at)
    if one is None or other is None:
        return None
    a, b = scalar(one), scalar(other)
    if a is None or b is None:
        if kind(one.type) == "object" or kind(other.type) == "object":
            raise PathError(f"asks for {operator} of what has no order", at)
        return None
    family = _family(a)
    if family != _family(b) or family == "boolean":
        raise PathError(f"asks for {operator} of {_called(one)} and {_called(other)}", at)
    return _order(a, b)


def _order(a: Any, b: Any) -> int | None:
    if isinstance(a, Moment):
        return moments.compare(a, b)
    if isinstance(a, Amount):
        return amounts.compare(a, b)
    return 0 if a == b else -1 if a < b else 1


def _same(left: Node, right: Node) -> bool | None:
    a, b = scalar(left), scalar(right)
    if a is None or b is None:
        return identity(left) == identity(right) if a is b else False
    if _family(a) != _family(b):
        return False
    if isinstance(a, Moment | Amount):
        placed = _order(a, b)
        return None if placed is None else placed == 0
    return a == b


def _alike(left: Node, right: Node) -> bool:
    a, b = scalar(left), scalar(right)
    if a is None or b is None:
        return a is b and _means(left.value) == _means(right.value)
    if _family(a) != _family(b):
        return False
    if isinstance(a, str) and isinstance(b, str):
        return _folded(a) == _folded(b)
    if isinstance(a, Amount) and isinstance(b, Amount):
        return amounts.compare(a, b) == 0 or (a.measured[0] == b.measured[0] and _rounded_alike(a, b))
    if isinstance(a, int | Decimal) and isinstance(b, int | Decimal):
        return _close(Decimal(a), Decimal(b))
    return _same(left, right) is True


def _rounded_alike(a: Amount, b: Amount) -> bool:
    (_, one), (_, other) = a.measured, b.measured
    factor = one / a.number if a.number else Decimal(1)
    return _close(a.number, other / factor)


def _close(a: Decimal, b: Decimal) -> bool:
    """Return whether two numbers are the same, rounded to the digits of the one that has fewer behind the point."""
    places = min(_places(a), _places(b))
    try:
        with localcontext() as context:
            context.rounding = ROUND_HALF_UP
            return round(a, places) == round(b, places)
    except (InvalidOperation, OverflowError):
        return a == b


def _places(number: Decimal) -> int:
    return max(0, -int(number.normalize().as_tuple().exponent))


def _means(value: Any) -> Any:
    """Return a value so that two that mean the same are equal: lists without order, texts folded, ids left out."""
    if isinstance(value, dict):
        return frozenset((key, _means(child)) for key, child in value.items() if key != "id")
    if isinstance(value, list):
        return frozenset(Counter(map(_means, value)).items())
    return _folded(value) if isinstance(value, str) else value


def _folded(text: str) -> str:
    return _SPACES.sub(" ", text).casefold()


def _family(value: Scalar) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | Decimal):
        return "number"
    if isinstance(value, Moment):
        return "time" if value.kind == "time" else "date"
    return "quantity" if isinstance(value, Amount) else "string"


def _called(node: Node) -> str:
    return f"a {node.type}"
