"""What elements R4 gives each type: `element("Patient", "name")` is an array of HumanName.

The table is `elements.json`, generated from the specification (CC0) by `generate_elements.py` and read on first use.
Names are those of the specification, so a choice has no `[x]` and no type: `element("Observation", "value")`.
A backbone element is a type of its own, named by its path: `Observation.component`, `Bundle.entry.request`; an element
that repeats another's structure names that one (`Questionnaire.item.item` is of type `Questionnaire.item`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeAlias

import orjson

_Table: TypeAlias = dict[str, dict[str, dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type."""

    name: str
    """As in FHIRPath: `value`, never `value[x]` or `valueQuantity`."""
    types: tuple[str, ...]
    """Data types, `Resource` (any resource), or the path of a backbone element; several only for a choice."""
    is_array: bool
    """Whether JSON has an array here."""
    is_choice: bool
    """Whether JSON writes the type behind the name (`valueQuantity`)."""
    is_required: bool = False
    """Whether it may not be missing."""

    def json_name(self, type_name: str) -> str:
        """Return the name of the JSON property that holds a value of `type_name`."""
        return self.name + type_name[0].upper() + type_name[1:] if self.is_choice else self.name


def element(type_or_path: str, name: str) -> Element | None:
    """Return the element `name` of a resource, data type or backbone element; None when R4 has none."""
    return elements(type_or_path).get(name)


@cache
def elements(type_or_path: str) -> dict[str, Element]:
    """Return the elements of a resource, data type or backbone element by name; none for primitives."""
    table = _table()
    shapes = table["resources"].get(type_or_path) or table["datatypes"].get(type_or_path) or {}
    return {found.name: found for found in (_read(name, shape) for name, shape in shapes.items())}


@cache
def json_elements(type_or_path: str) -> dict[str, tuple[str, bool]]:
    """Return JSON property name -> (type, is_array), a choice once per type: `valueQuantity`, `valueString`."""
    return {
        found.json_name(type_name): (type_name, found.is_array)
        for found in elements(type_or_path).values()
        for type_name in found.types
    }


def is_resource_type(name: str) -> bool:
    """Return whether R4 has a resource type of that name (the abstract `Resource` and `DomainResource` included)."""
    return "." not in name and name in _table()["resources"]


@cache
def is_of_some_resource(name: str) -> bool:
    """Return whether any resource type of R4 has an element of that name at its top."""
    return any(name in shapes or f"{name}[x]" in shapes for shapes in _table()["resources"].values())


def is_primitive(type_name: str) -> bool:
    """Return whether a type's JSON is a string, number or boolean; R4 names only these in lower case."""
    return type_name[:1].islower()


@cache
def _table() -> _Table:
    table: _Table = orjson.loads(files(__package__).joinpath("elements.json").read_bytes())
    return table


def _read(name: str, shape: str) -> Element:
    types = shape.removesuffix("!").removesuffix("*")
    return Element(
        name.removesuffix("[x]"),
        tuple(types.split("|")),
        is_array="*" in shape,
        is_choice=name.endswith("[x]"),
        is_required=shape.endswith("!"),
    )
