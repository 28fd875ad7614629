"""FHIRPath's operators but for comparison: logic with three values, membership, union, arithmetic (FHIRPath 2.0, 6)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, DecimalException, localcontext
from typing import TypeAlias, TypeGuard

from hub_core.errors import PathError
from hub_core.fhir.fhirpath import comparison, moments
from hub_core.fhir.fhirpath.amounts import Amount
from hub_core.fhir.fhirpath.moments import Moment
from hub_core.fhir.fhirpath.nodes import Node, Nodes
from hub_core.fhir.fhirpath.values import Scalar, identity, made, single, single_scalar, truth

Operator: TypeAlias = Callable[[Nodes, Nodes, int], Nodes]

_GREATEST = 2**63


def distinct(nodes: Nodes) -> Nodes:
    """Return the nodes without those that equal one before them."""
    if len(nodes) < 2:
        return nodes
    known: dict[object, Node] = {}
    for node in nodes:
        known.setdefault(identity(node), node)
    return list(known.values())


def union(left: Nodes, right: Nodes, at: int = 0) -> Nodes:
    """Return what is in either, once."""
    return distinct(left + right) if left and right else distinct(left or right)


def contains(things: Nodes, thing: Nodes, what: str, at: int) -> bool | None:
    """Return whether a thing is among things; None if there is no thing.

    Raises:
        PathError: if there are several instead of one.
    """
    one = single(thing, what, at)
    return None if one is None else any(comparison.equal([one], [each]) is True for each in things)


def _equal(left: Nodes, right: Nodes, at: int) -> Nodes:
    return made(comparison.equal(left, right))


def _unequal(left: Nodes, right: Nodes, at: int) -> Nodes:
    answer = comparison.equal(left, right)
    return [] if answer is None else made(not answer)


def _equivalent(left: Nodes, right: Nodes, at: int) -> Nodes:
    return made(comparison.equivalent(left, right))


def _not_equivalent(left: Nodes, right: Nodes, at: int) -> Nodes:
    return made(not comparison.equivalent(left, right))


def _ordered(operator: str, holds: Callable[[int], bool]) -> Operator:
    def run(left: Nodes, right: Nodes, at: int) -> Nodes:
        placed = comparison.order(left, right, operator, at)
        return [] if placed is None else made(holds(placed))

    return run


def _in(left: Nodes, right: Nodes, at: int) -> Nodes:
    return made(contains(right, left, "the left operand of in", at))


def _contains(left: Nodes, right: Nodes, at: int) -> Nodes:
    return made(contains(left, right, "the right operand of contains", at))


def _xor(left: Nodes, right: Nodes, at: int) -> Nodes:
    a, b = truth(left, "an operand of xor", at), truth(right, "an operand of xor", at)
    return [] if a is None or b is None else made(a is not b)


def _joined(left: Nodes, right: Nodes, at: int) -> Nodes:
    texts = [single_scalar(side, "an operand of &", at) for side in (left, right)]
    if not all(text is None or isinstance(text, str) for text in texts):
        raise PathError("joins by & what is no text", at)
    return made("".join(str(text) for text in texts if text is not None))


def _arithmetic(operator: str) -> Operator:
    what = f"an operand of {operator}"

    def run(left: Nodes, right: Nodes, at: int) -> Nodes:
        if not left or not right:
            return []
        a, b = single_scalar(left, what, at), single_scalar(right, what, at)
        if a is None or b is None:
            raise PathError(f"asks for {operator} of what is no number, text, date or quantity", at)
        try:
            return made(compute(operator, a, b, at))
        except DecimalException:
            return []

    return run


def compute(operator: str, a: Scalar, b: Scalar, at: int) -> Scalar | None:
    """Return what two values come to; None for a division by nought and for what is out of reach.

    Raises:
        PathError: if FHIRPath gives the operator no meaning for them.
    """
    if isinstance(a, str) and isinstance(b, str) and operator == "+":
        return a + b
    if isinstance(a, Moment) and isinstance(b, Amount) and operator in ("+", "-"):
        if b.calendar_unit is None:
            raise PathError("moves a date by what is no length of time", at)
        return moments.add(a, b.number if operator == "+" else -b.number, b.calendar_unit)
    if isinstance(a, Amount) or isinstance(b, Amount):
        return _of_amounts(operator, a, b, at)
    if _is_number(a) and _is_number(b):
        return _of_numbers(operator, a, b)
    raise PathError(f"asks for {operator} of values that have none", at)


def _of_numbers(operator: str, a: int | Decimal, b: int | Decimal) -> int | Decimal | None:
    whole = isinstance(a, int) and isinstance(b, int)
    with localcontext() as context:
        context.prec = 38
        x, y = Decimal(a), Decimal(b)
        if operator in ("/", "div", "mod") and not y:
            return None
        if operator == "/":
            context.prec = 28
            return x / y
        number = {
            "+": lambda: x + y,
            "-": lambda: x - y,
            "*": lambda: x * y,
            "div": lambda: x // y,
            "mod": lambda: x % y,
        }[operator]()
    if whole or operator == "div":
        return int(number) if abs(number) < _GREATEST else None
    return number


def _of_amounts(operator: str, a: Scalar, b: Scalar, at: int) -> Amount | Decimal | None:
    if isinstance(a, Amount) and isinstance(b, Amount):
        return _of_two_amounts(operator, a, b, at)
    if isinstance(a, Amount) and _is_number(b) and operator in ("*", "/"):
        number = _of_numbers(operator, a.number, Decimal(b))
        return None if number is None else Amount(Decimal(number), a.unit)
    if isinstance(b, Amount) and _is_number(a) and operator == "*":
        return Amount(Decimal(a) * b.number, b.unit)
    raise PathError(f"asks for {operator} of a quantity and what is none", at)


def _of_two_amounts(operator: str, a: Amount, b: Amount, at: int) -> Amount | None:
    (dimension, x), (other, y) = a.measured, b.measured
    if operator == "/" and dimension == other:
        ratio = _of_numbers("/", x, y)
        return None if ratio is None else Amount(Decimal(ratio))
    if operator not in ("+", "-"):
        raise PathError(f"asks for {operator} of quantities, whose unit would be a new one", at)
    if dimension != other:
        return None
    factor = b.number / y if y else Decimal(1)
    number = (x + y if operator == "+" else x - y) * factor if a.unit != b.unit else None
    return Amount(
        (a.number + b.number if operator == "+" else a.number - b.number) if number is None else number, b.unit
    )


def _is_number(value: Scalar) -> TypeGuard[int | Decimal]:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


OPERATORS: dict[str, Operator] = {
    "=": _equal,
    "!=": _unequal,
    "~": _equivalent,
    "!~": _not_equivalent,
    "<": _ordered("<", lambda placed: placed < 0),
    "<=": _ordered("<=", lambda placed: placed <= 0),
    ">": _ordered(">", lambda placed: placed > 0),
    ">=": _ordered(">=", lambda placed: placed >= 0),
    "in": _in,
    "contains": _contains,
    "|": union,
    "xor": _xor,
    "&": _joined,
    **{operator: _arithmetic(operator) for operator in ("+", "-", "*", "/", "div", "mod")},
}
"""All but `and`, `or` and `implies`, which need not know both sides."""
