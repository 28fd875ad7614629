"""The search parameters of each R4 type, from `search_parameters.json`, and in which rows of the index each is found.

The table is generated from the specification and from US Core by `generate_search_parameters.py`. What one row of the
index says is not said again in another: a parameter whose values are some of another's, or those of several others, is
answered from their rows (`kept`), and a reference to the patient whom a resource is about from the record's own column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, TypeAlias

import orjson

from hub_core.fhir import elements
from hub_core.fhir.registry import RESOURCE_TYPES

Kind: TypeAlias = Literal["token", "string", "date", "reference", "quantity", "number", "uri", "composite"]
Step: TypeAlias = str | tuple[str, str]
"""A property, or a property and what must stand there."""

KINDS_OF_TYPES: Final[Mapping[str, tuple[Kind, ...]]] = {
    "Address": ("string",),
    "Age": ("quantity",),
    "CodeableConcept": ("token",),
    "Coding": ("token",),
    "ContactPoint": ("token",),
    "Count": ("quantity",),
    "Distance": ("quantity",),
    "Duration": ("quantity",),
    "HumanName": ("string",),
    "Identifier": ("token",),
    "Money": ("quantity",),
    "Period": ("date",),
    "Quantity": ("quantity",),
    "Range": ("quantity", "number"),
    "Reference": ("reference",),
    "Timing": ("date",),
    "boolean": ("token",),
    "canonical": ("reference", "uri", "token"),
    "code": ("token",),
    "date": ("date",),
    "dateTime": ("date",),
    "decimal": ("number",),
    "fact": ("token",),
    "id": ("token",),
    "instant": ("date",),
    "integer": ("number",),
    "markdown": ("string",),
    "oid": ("uri",),
    "positiveInt": ("number",),
    "string": ("string", "token"),
    "unsignedInt": ("number",),
    "uri": ("uri", "reference", "token"),
    "url": ("uri",),
    "uuid": ("uri",),
}
"""How values of a type can be compared; `fact` is whether an element is there and does not say false."""

_EVERYWHERE: Final = "Resource"
_LAYOUT: Final = 1
"""Counted up when the rows are written differently for the same parameters, and no migration writes those there are."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way through the JSON of a resource to values of a parameter."""

    type_name: str
    steps: tuple[Step, ...]
    target: str | None = None
    """The type a reference must be to."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows of the index: those of one stored parameter, or some of them."""

    param: str
    target: str | None = None
    """References to this type only."""
    system: str | None = None
    """Tokens of this system only."""


@dataclass(frozen=True, slots=True)
class Group:
    """What belongs together in a composite: values inside one repetition of a property, or of the whole resource."""

    within: str
    parts: tuple[tuple[str, bool], ...]
    """Parameters in order, each with whether it stands inside the repetition."""


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One search parameter of one type."""

    name: str
    kind: Kind
    ways: tuple[Way, ...] = ()
    targets: frozenset[str] | None = None
    """Types a reference may be to; None for any."""
    groups: tuple[Group, ...] = ()
    kept: tuple[Kept, ...] = field(default=(), compare=False)
    is_of_patient: bool = False
    """Whether a reference to a patient is in the record's column `patient_id` and not among the rows."""

    @property
    def is_stored(self) -> bool:
        """Return whether there are rows of this name."""
        return self.kept == (Kept(self.name),)


@cache
def parameters_of(resource_type: str) -> Mapping[str, SearchParameter]:
    """Return the search parameters of a type by name: its own, and those of every type."""
    if resource_type not in RESOURCE_TYPES:
        return {}
    table = _table()
    found = {
        name: _read(name, said) for name, said in sorted({**table[_EVERYWHERE], **table.get(resource_type, {})}.items())
    }
    return {name: _placed(resource_type, each, found) for name, each in found.items()}


@cache
def placed(resource_type: str) -> frozenset[tuple[str, str]]:
    """Return (property, parameter) of the stored values that composites keep apart by the property's repetitions."""
    return frozenset(
        (group.within, name)
        for each in parameters_of(resource_type).values()
        for group in each.groups
        for name, is_inside in group.parts
        if is_inside
    )


@cache
def codes_of_quantities(resource_type: str) -> Mapping[str, str]:
    """Return, by parameters of quantities, the parameter whose code says what each is a value of.

    That is what composites of the two tell: `value-quantity` of an Observation is of its `code`, what stands in a
    component is of the component's.
    """
    known = parameters_of(resource_type)
    pairs = [group.parts for each in known.values() for group in each.groups if len(group.parts) == 2]
    return {
        quantity: code
        for (code, is_inside), (quantity, is_beside) in pairs
        if (known[code].kind, known[quantity].kind) == ("token", "quantity") and is_inside == is_beside
    }


@cache
def definition_of(resource_type: str) -> str:
    """Return a name for how resources of a type are indexed: another one when something about that changed.

    It is kept in the database and compared by other processes: sets are put in order, for Python gives them any.
    """
    said = orjson.dumps([_LAYOUT, *parameters_of(resource_type).values()], default=sorted)
    return hashlib.sha256(said).hexdigest()[:16]


@cache
def _table() -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = orjson.loads(files(__package__).joinpath("search_parameters.json").read_bytes())
    return table


def _read(name: str, said: dict[str, Any]) -> SearchParameter:
    targets = said.get("targets")
    return SearchParameter(
        name,
        said["type"],
        tuple(_way(*way) for way in said.get("ways", ())),
        frozenset(targets) if targets else None,
        tuple(Group(within, tuple(map(tuple, parts))) for within, parts in said.get("groups", ())),
    )


def _way(type_name: str, *steps: Any) -> Way:
    kind, _, target = type_name.rstrip(")").partition("(")
    return Way(kind, tuple(_steps(steps)), target or None)


def _steps(said: tuple[Any, ...]) -> Iterator[Step]:
    for step in said:
        if isinstance(step, dict):
            yield from step.items()
        else:
            yield step


def _placed(resource_type: str, each: SearchParameter, known: dict[str, SearchParameter]) -> SearchParameter:
    """Return a parameter with the rows it is answered from."""
    return SearchParameter(
        each.name,
        each.kind,
        each.ways,
        each.targets,
        each.groups,
        () if each.kind == "composite" else _some_of(each, known) or _all_of(each, known) or (Kept(each.name),),
        _is_of_patient(resource_type, each),
    )


def _some_of(each: SearchParameter, known: dict[str, SearchParameter]) -> tuple[Kept, ...]:
    """Return rows of another parameter, if the values are those of it that refer to one type or have one system."""
    if len(each.ways) != 1:
        return ()
    (way,) = each.ways
    if way.target:
        wider, kept = Way(way.type_name, way.steps), {"target": way.target}
    elif way.type_name == "ContactPoint" and isinstance(last := way.steps[-1], tuple) and last[0] == "system":
        wider, kept = Way(way.type_name, way.steps[:-1]), {"system": last[1]}
    else:
        return ()
    return next(((Kept(other.name, **kept),) for other in known.values() if other.ways == (wider,)), ())


def _all_of(each: SearchParameter, known: dict[str, SearchParameter]) -> tuple[Kept, ...]:
    """Return the rows of several parameters that together have the values of this one."""
    parts = [
        other
        for other in known.values()
        if other.kind == each.kind and len(other.ways) < len(each.ways) and set(other.ways) < set(each.ways)
    ]
    ways = [way for other in parts for way in other.ways]
    if len(ways) == len(set(ways)) and set(ways) == set(each.ways):
        return tuple(Kept(other.name) for other in parts)
    return ()


def _is_of_patient(resource_type: str, each: SearchParameter) -> bool:
    path = RESOURCE_TYPES[resource_type].patient
    if each.kind != "reference" or [way.steps for way in each.ways] != [path]:
        return False
    owner = resource_type
    for name in path:
        found = elements.element(owner, name)
        if found is None or found.is_array:
            return False
        owner = found.types[0]
    return True
