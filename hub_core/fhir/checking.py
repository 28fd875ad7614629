"""Checks that a resource is shaped as R4 has its type: what it may hold, how often, and of which kind.

That is what a server must know before it keeps what somebody else wrote (R4 section 3.1.0.1.9: "basic FHIR validation
rules"). Whether codes are of their value sets, invariants hold and profiles are met is another question. What is wrong
is told by its place; the value itself is never repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from hub_core.fhir.canonical import Json
from hub_core.fhir.elements import Element, elements, is_primitive, json_elements
from hub_core.fhir.registry import RESOURCE_TYPES

_DATE: Final = r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])"
_CLOCK: Final = r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?"
_ZONE: Final = r"(Z|[+-]((0\d|1[0-3]):[0-5]\d|14:00))"
_PATTERNS: Final = {
    "id": re.compile(r"[A-Za-z0-9.-]{1,64}"),
    "code": re.compile(r"\S+( \S+)*"),
    "date": re.compile(rf"{_DATE})?)?"),
    "dateTime": re.compile(rf"{_DATE}(T{_CLOCK}{_ZONE})?)?)?"),
    "instant": re.compile(rf"\d{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T{_CLOCK}{_ZONE}"),
    "time": re.compile(_CLOCK),
    "uri": re.compile(r"\S+"),
    "url": re.compile(r"\S+"),
    "canonical": re.compile(r"\S+"),
    "oid": re.compile(r"urn:oid:[0-2](\.(0|[1-9]\d*))+"),
    "uuid": re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "base64Binary": re.compile(r"[A-Za-z0-9+/\s]*={0,2}\s*"),
}
"""What texts look like (R4 section 2.24.0.1)."""
_LEAST: Final = {"integer": -(2**31), "unsignedInt": 0, "positiveInt": 1}
_NAME: Final = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that R4 does not allow, and where."""

    code: str
    """FHIR issue type (http://hl7.org/fhir/issue-type)."""
    text: str
    expression: str
    """The element, as `Observation.component[0].code`."""


def faults(resource: Json) -> Iterator[Fault]:
    """Yield what is wrong with the shape of a resource whose type R4 has."""
    kind = resource["resourceType"]
    yield from _members(resource, kind, kind)


def _members(node: Json, owner: str, place: str) -> Iterator[Fault]:
    known = json_elements(owner)
    is_resource = owner in RESOURCE_TYPES
    if not node or (is_resource and len(node) == 1):
        yield Fault("structure", "nothing is in it", place)
    for name, value in node.items():
        if is_resource and name == "resourceType":
            continue
        shown = f"{place}.{name}" if _NAME.fullmatch(name) else place
        type_name, is_array = known.get(name.removeprefix("_"), ("", False))
        if not type_name or (name[0] == "_" and not is_primitive(type_name)):
            yield Fault("structure", f"{owner} has no such element", shown)
        elif is_array:
            yield from _list(node, name, value, type_name, shown)
        else:
            yield from _value(value, "Element" if name[0] == "_" else type_name, shown)
    for element in elements(owner).values():
        yield from _cardinality(node, element, place)


def _cardinality(node: Json, element: Element, place: str) -> Iterator[Fault]:
    names = [element.json_name(each) for each in element.types] if element.is_choice else [element.name]
    there = {name for name in names if name in node or f"_{name}" in node}
    if element.is_required and not there:
        yield Fault("required", "this may not be missing", f"{place}.{element.name}")
    if len(there) > 1:
        yield Fault("structure", "this is said in one way only", f"{place}.{element.name}")


def _list(node: Json, name: str, value: Any, type_name: str, place: str) -> Iterator[Fault]:
    if not isinstance(value, list) or not value:
        yield Fault("structure", "an array with something in it was expected", place)
        return
    is_extending = name[0] == "_"
    beside = node.get(name[1:] if is_extending else f"_{name}")
    others = beside if isinstance(beside, list) else []
    for number, each in enumerate(value):
        if each is None and number < len(others) and others[number] is not None:
            continue  # what is not known of a value may be said beside it
        yield from _value(each, "Element" if is_extending else type_name, f"{place}[{number}]")


def _value(value: Any, type_name: str, place: str) -> Iterator[Fault]:
    if is_primitive(type_name):
        yield from _primitive(value, type_name, place)
    elif not isinstance(value, dict):
        yield Fault("structure", "an object was expected", place)
    elif type_name == "Resource":
        yield from _contained(value, place)
    else:
        yield from _members(value, type_name, place)


def _contained(resource: Json, place: str) -> Iterator[Fault]:
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or kind not in RESOURCE_TYPES:
        yield Fault("structure", "a resource of R4 was expected", place)
    elif "contained" in resource and ".contained[" in f".{place}":
        yield Fault("structure", "what is contained contains nothing itself", f"{place}.contained")
    else:
        yield from _members(resource, kind, place)


def _primitive(value: Any, type_name: str, place: str) -> Iterator[Fault]:
    match type_name:
        case "boolean":
            is_right = isinstance(value, bool)
        case "decimal":
            is_right = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        case "integer" | "unsignedInt" | "positiveInt":
            is_right = type(value) is int and _LEAST[type_name] <= value < 2**31
        case _:
            pattern = _PATTERNS.get(type_name)
            is_text = isinstance(value, str) and bool(value.strip()) and "\0" not in value
            is_right = is_text and (pattern is None or pattern.fullmatch(value) is not None)
    if not is_right:
        yield Fault("value", f"this is no {type_name} of FHIR", place)
