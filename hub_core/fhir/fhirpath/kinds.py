"""The types FHIRPath knows: R4's with their ancestors, and its own (`System.String`) for what paths make."""

from __future__ import annotations

from functools import cache
from typing import Literal, TypeAlias

from hub_core.fhir.elements import elements, is_resource_type

Kind: TypeAlias = Literal["boolean", "integer", "decimal", "string", "date", "dateTime", "time", "quantity", "object"]

BOOLEAN, STRING, INTEGER, DECIMAL = "System.Boolean", "System.String", "System.Integer", "System.Decimal"
DATE, DATE_TIME, TIME, QUANTITY = "System.Date", "System.DateTime", "System.Time", "System.Quantity"
TYPE_INFO = "System.ClassInfo"

_SYSTEM: dict[str, Kind] = {
    BOOLEAN: "boolean",
    STRING: "string",
    INTEGER: "integer",
    DECIMAL: "decimal",
    DATE: "date",
    DATE_TIME: "dateTime",
    TIME: "time",
    QUANTITY: "quantity",
}
_PRIMITIVES: dict[str, Kind] = {
    "boolean": "boolean",
    "integer": "integer",
    "integer64": "integer",
    "positiveInt": "integer",
    "unsignedInt": "integer",
    "decimal": "decimal",
    "date": "date",
    "dateTime": "dateTime",
    "instant": "dateTime",
    "time": "time",
    **dict.fromkeys(
        ("string", "code", "id", "markdown", "uri", "url", "canonical", "oid", "uuid", "base64Binary", "xhtml"),
        "string",
    ),
}
_ANCESTOR = {
    "code": "string",
    "id": "string",
    "markdown": "string",
    "url": "uri",
    "canonical": "uri",
    "oid": "uri",
    "uuid": "uri",
    "positiveInt": "integer",
    "unsignedInt": "integer",
    **dict.fromkeys(("Age", "Count", "Distance", "Duration", "MoneyQuantity", "SimpleQuantity"), "Quantity"),
    **dict.fromkeys(("Timing", "Dosage", "ElementDefinition"), "BackboneElement"),
    "Bundle": "Resource",
    "Binary": "Resource",
    "Parameters": "Resource",
    "DomainResource": "Resource",
    "BackboneElement": "Element",
}
_ABSTRACT = frozenset({"Element", "BackboneElement", "Resource", "DomainResource", "MoneyQuantity", "SimpleQuantity"})


@cache
def kind(type_name: str) -> Kind:
    """Return which values a type has, seen by operators."""
    if type_name in _SYSTEM:
        return _SYSTEM[type_name]
    if type_name in _PRIMITIVES:
        return _PRIMITIVES[type_name]
    return "quantity" if "Quantity" in ancestry(type_name) else "object"


@cache
def ancestry(type_name: str) -> tuple[str, ...]:
    """Return an R4 type and all it specialises, nearest first; a backbone element (`Patient.contact`) included."""
    line = [type_name]
    while above := _above(line[-1]):
        line.append(above)
    return tuple(line)


def is_a(type_name: str, name: str, namespace: str | None = None) -> bool:
    """Return whether a type is the one asked for, or a special kind of it.

    Without a namespace, either will do: `Patient.active` is a `boolean`, what an operator makes is a `Boolean`.
    """
    if type_name.startswith("System."):
        return namespace in (None, "System") and type_name == f"System.{name}"
    return namespace in (None, "FHIR") and name in ancestry(type_name)


@cache
def is_known(name: str) -> bool:
    """Return whether R4 or FHIRPath itself has a type of that name."""
    return name in _PRIMITIVES or name in _ABSTRACT or f"System.{name}" in _SYSTEM or bool(elements(name))


def _above(type_name: str) -> str | None:
    if type_name in _ANCESTOR:
        return _ANCESTOR[type_name]
    if "." in type_name:
        return "BackboneElement" if is_resource_type(type_name.partition(".")[0]) else "Element"
    if type_name in ("Element", "Resource"):
        return None
    return "DomainResource" if is_resource_type(type_name) else "Element"
