"""What paths give: values of a resource with their R4 types, and the way from one to those below it.

JSON is taken as it comes. What is not what R4 says of it (a text where an object should be, a list where one value
should be) is passed over or gone through, never an error: a resource is judged by the validator, not by a path.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import zip_longest
from typing import Any, NamedTuple, TypeAlias

from hub_core.fhir.canonical import Json
from hub_core.fhir.elements import elements, is_primitive, is_resource_type, json_elements
from hub_core.fhir.fhirpath.kinds import TYPE_INFO


class Node:
    """One value and its type."""

    __slots__ = ("extras", "type", "value")

    value: Any
    """As JSON has it; None where a primitive has extensions only."""
    type: str
    """As in `hub_core.fhir.elements`, or a type of FHIRPath's own with `System.` before it."""
    extras: Json | None
    """Id and extensions of a primitive: what JSON has under its name with an underscore before it."""

    def __init__(self, value: Any, type_: str, extras: Json | None = None) -> None:
        self.value = value
        self.type = type_
        self.extras = extras

    def __repr__(self) -> str:
        """Return the type alone: values are patients' data."""
        return f"Node({self.type})"


Nodes: TypeAlias = list[Node]

_CONTAINERS = (dict, list)


class _Property(NamedTuple):
    """A property of a JSON object that an element is written as."""

    key: str
    beside: str
    """Where JSON has id and extensions of a primitive."""
    type: str
    is_primitive: bool
    is_any_resource: bool


class _Way(NamedTuple):
    """How JSON writes an element: in one property, or in one of several where it is a choice."""

    properties: tuple[_Property, ...]
    by_key: dict[str, _Property]


def of_resource(resource: Json) -> Node:
    """Return a resource as a node; one whose type R4 does not have is an empty `Resource`."""
    named = resource.get("resourceType")
    return Node(resource, _resource_type(named) if type(named) is str else "Resource")


def step(nodes: Nodes, name: str) -> Nodes:
    """Return the element `name` of each node: `value`, never `valueQuantity`."""
    below: Nodes = []
    for node in nodes:
        value = node.value
        if type(value) is dict:
            way = _way(node.type, name)
            if way is not None:
                _add_all(below, value, way)
        elif node.extras is not None and name in ("extension", "id"):
            _add(below, node.extras, _properties("Extension")[name])
    return below


def children(node: Node) -> Nodes:
    """Return all elements of a node, in the order of the resource."""
    below: Nodes = []
    if type(node.value) is dict:
        known = _properties(node.type)
        for key in node.value:
            found = known.get(key) or (known.get(key[1:]) if key[:1] == "_" and key[1:] not in node.value else None)
            if found is not None:
                _add(below, node.value, found)
    elif node.extras is not None:
        _add(below, node.extras, _properties("Extension")["extension"])
    return below


def descendants(nodes: Nodes) -> Iterator[Node]:
    """Yield everything below the nodes, those above before those below them."""
    level = nodes
    while level:
        level = [child for node in level for child in children(node)]
        yield from level


class Chain:
    """Elements of elements, `Patient.name.given`, gone through without making nodes of what is on the way.

    Where an element on the way can be of several types, or a primitive's, it is gone step by step.
    """

    __slots__ = ("_names", "_plans")

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._plans: dict[str, tuple[tuple[str, ...], _Way] | None] = {}

    def __call__(self, nodes: Nodes) -> Nodes:
        """Return what the elements of the nodes come to."""
        below: Nodes = []
        for node in nodes:
            try:
                plan = self._plans[node.type]
            except KeyError:
                plan = self._plans[node.type] = self._plan(node.type)
            if plan is not None and type(node.value) is dict:
                keys, way = plan
                for parent in _reached(node.value, keys) if keys else (node.value,):
                    _add_all(below, parent, way)
            else:
                below += self._steps([node])
        return below

    def _plan(self, start: str) -> tuple[tuple[str, ...], _Way] | None:
        type_ = start
        keys: list[str] = []
        for name in self._names[:-1]:
            way = _way(type_, name)
            if way is None or len(way.properties) != 1:
                return None
            (only,) = way.properties
            if only.is_primitive or only.is_any_resource:
                return None
            keys.append(only.key)
            type_ = only.type
        last = _way(type_, self._names[-1])
        return None if last is None else (tuple(keys), last)

    def _steps(self, nodes: Nodes) -> Nodes:
        for name in self._names:
            nodes = step(nodes, name)
            if not nodes:
                break
        return nodes


def _reached(value: Json, keys: tuple[str, ...]) -> list[Json]:
    """Return the objects at the end of some properties, through arrays."""
    level = [value]
    for key in keys:
        below: list[Json] = []
        for parent in level:
            found = parent.get(key)
            if type(found) is dict:
                below.append(found)
            elif type(found) is list:
                below += [each for each in found if type(each) is dict]
        level = below
    return level


def _add_all(below: Nodes, parent: Json, way: _Way) -> None:
    if len(way.properties) <= len(parent):
        for each in way.properties:
            if each.key in parent or each.beside in parent:
                _add(below, parent, each)
        return
    known = way.by_key
    for key in parent:
        found = known.get(key) or (known.get(key[1:]) if key[:1] == "_" and key[1:] not in parent else None)
        if found is not None:
            _add(below, parent, found)


def _add(below: Nodes, parent: Json, written: _Property) -> None:
    """Add one value or all of a list, a primitive's with what JSON has beside it."""
    found, type_ = parent.get(written.key), written.type
    if written.is_primitive:
        if written.beside in parent:
            _add_primitives(below, found, type_, parent[written.beside])
        elif type(found) is list:
            below += [Node(each, type_) for each in found if each is not None and type(each) not in _CONTAINERS]
        elif found is not None and type(found) is not dict:
            below.append(Node(found, type_))
    elif written.is_any_resource:
        for each in found if type(found) is list else (found,):
            if type(each) is dict:
                below.append(of_resource(each))
    elif type(found) is list:
        below += [Node(each, type_) for each in found if type(each) is dict]
    elif type(found) is dict:
        below.append(Node(found, type_))


def _add_primitives(below: Nodes, found: Any, type_: str, extras: Any) -> None:
    values = found if type(found) is list else [found]
    besides = extras if type(extras) is list else [extras]
    for value, beside in zip_longest(values, besides):
        known = beside if type(beside) is dict else None
        if (value is not None or known is not None) and type(value) not in _CONTAINERS:
            below.append(Node(value, type_, known))


@cache
def _way(type_: str, name: str) -> _Way | None:
    if type_ == TYPE_INFO:
        return _Way((_property(name, "string"),), {})
    found = elements(type_).get(name)
    if found is None:
        return None
    properties = tuple(_property(found.json_name(each), each) for each in found.types)
    return _Way(properties, {each.key: each for each in properties})


@cache
def _properties(type_: str) -> dict[str, _Property]:
    return {key: _property(key, found) for key, (found, _) in json_elements(type_).items()}


def _property(key: str, type_: str) -> _Property:
    return _Property(key, "_" + key, type_, is_primitive(type_), type_ in ("Resource", "DomainResource"))


@lru_cache(maxsize=512)
def _resource_type(named: str) -> str:
    return named if is_resource_type(named) else "Resource"
