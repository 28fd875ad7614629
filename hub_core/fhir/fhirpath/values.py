"""What nodes mean to operators: Python values of one kind each, and the way back to nodes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeAlias

import orjson

from hub_core.errors import PathError
from hub_core.fhir.fhirpath import amounts, moments
from hub_core.fhir.fhirpath.amounts import Amount
from hub_core.fhir.fhirpath.kinds import BOOLEAN, DATE, DATE_TIME, DECIMAL, INTEGER, QUANTITY, STRING, TIME, kind
from hub_core.fhir.fhirpath.moments import Moment
from hub_core.fhir.fhirpath.nodes import Node, Nodes

Scalar: TypeAlias = bool | int | Decimal | str | Moment | Amount

_MOMENTS = {"date": DATE, "dateTime": DATE_TIME, "time": TIME}
_WIDEST = 60
"""Places of a number that are written out; one that needs more is written with an exponent."""


YES: Nodes = [Node(True, BOOLEAN)]
NO: Nodes = [Node(False, BOOLEAN)]
"""The answers of most operators, made once: nothing changes a list of nodes in place."""


def scalar(node: Node) -> Scalar | None:
    """Return the value of a node as operators see it; None if it has none, or not one of its type."""
    value, seen = node.value, kind(node.type)
    if seen == "string":
        return value if isinstance(value, str) else None
    match seen:
        case "boolean":
            return value if isinstance(value, bool) else None
        case "integer":
            return _whole(value)
        case "decimal":
            return decimal(value)
        case "quantity":
            return _amount(value)
        case "date" | "dateTime" | "time":
            return value if isinstance(value, Moment) else moments.read(value, seen)
    return None


def decimal(value: Any) -> Decimal | None:
    """Return a number of JSON with the digits it was written with; None for what is no number."""
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, float):
        return Decimal(repr(value))
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else None


def made(value: Scalar | None) -> Nodes:
    """Return what an operator or a function made, none for None."""
    if value is True:
        return YES
    if value is False:
        return NO
    return [] if value is None else [Node(_shown(value), _type(value))]


def written(value: Scalar) -> str:
    """Return a value as FHIRPath writes it (`toString()`)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f") if abs(value.adjusted()) < _WIDEST else str(value)
    return str(value)


def single(nodes: Nodes, what: str, at: int) -> Node | None:
    """Return the one node there is, None if there is none.

    Raises:
        PathError: if there are several (FHIRPath 2.0, 4.5).
    """
    if len(nodes) > 1:
        raise PathError(f"gives several values where one is asked for, as {what},", at)
    return nodes[0] if nodes else None


def single_scalar(nodes: Nodes, what: str, at: int) -> Scalar | None:
    """Return the one value there is as operators see it.

    Raises:
        PathError: if there are several.
    """
    node = single(nodes, what, at)
    return None if node is None else scalar(node)


def truth(nodes: Nodes, what: str, at: int) -> bool | None:
    """Return a condition's answer: what is one thing and no boolean is true (FHIRPath 2.0, 4.5).

    Raises:
        PathError: if there are several values.
    """
    if len(nodes) == 1:
        node = nodes[0]
        return node.value if type(node.value) is bool else True
    if not nodes:
        return None
    raise PathError(f"gives several values where one is asked for, as {what},", at)


def identity(node: Node) -> object:
    """Return what two nodes have in common exactly when `=` says true of them, so that sets of them can be made."""
    known = scalar(node)
    if known is None:
        said = node.value if node.value is not None else node.extras
        return orjson.dumps(said, option=orjson.OPT_SORT_KEYS, default=_plain) if said is not None else b""
    if isinstance(known, bool):
        return "boolean", known
    if isinstance(known, Moment):
        zone = None if known.zone is None else 0
        return known.kind == "time", moments.in_utc(known), zone
    return known.measured if isinstance(known, Amount) else known


def _whole(value: Any) -> int | None:
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    number = decimal(value)
    if number is None or number.adjusted() > 18 or number != number.to_integral_value():
        return None
    return int(number)


def _amount(value: Any) -> Amount | None:
    if isinstance(value, Amount):
        return value
    return amounts.of_quantity(value, decimal(value.get("value"))) if isinstance(value, dict) else None


def _shown(value: Scalar) -> Any:
    return str(value) if isinstance(value, Moment) else value


def _type(value: Scalar) -> str:
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, str):
        return STRING
    if isinstance(value, int):
        return INTEGER
    if isinstance(value, Decimal):
        return DECIMAL
    return QUANTITY if isinstance(value, Amount) else _MOMENTS[value.kind]


def _plain(value: Any) -> Any:
    """Return a number inside a compared object as text without the noughts that do not count."""
    return format(value.normalize(), "f") if abs(value.adjusted()) < _WIDEST else str(value.normalize())
