"""What paths give: values of a resource with their R4 types, and the way from one to those below it.

JSON is taken as it comes. What is not what R4 says of it (a text where an object should be, a list where one value
should be) is passed over or gone through, never an error: a resource is judged by the validator, not by a path.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import zip_longest
from typing import Any, TypeAlias

from hub_core.fhir.canonical import Json
from hub_core.fhir.elements import elements, is_primitive, is_resource_type, json_elements
from hub_core.fhir.fhirpath.kinds import TYPE_INFO, is_a


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

_Way: TypeAlias = tuple[tuple[str, str], ...]
"""(name in JSON, type), several for a choice."""


def of_resource(resource: Json) -> Node:
    """Return a resource as a node; one whose type R4 does not have is an empty `Resource`."""
    return Node(resource, _resource_type(resource))


def step(nodes: Nodes, name: str) -> Nodes:
    """Return the element `name` of each node: `value`, never `valueQuantity`."""
    below: Nodes = []
    for node in nodes:
        value = node.value
        if type(value) is dict:
            way = _way(node.type, name)
            if way is None:
                continue
            if len(way) > len(value):
                way = tuple(each for each in _written(node.type, name, value))
            for key, type_ in way:
                if key in value or "_" + key in value:
                    _add(below, value.get(key), type_, value.get("_" + key))
        elif node.extras is not None and name in ("extension", "id"):
            found = node.extras.get(name)
            _add(below, found, "Extension" if name == "extension" else "string", None)
    return below


def children(node: Node) -> Nodes:
    """Return all elements of a node, in the order of the resource."""
    below: Nodes = []
    if type(node.value) is dict:
        known = json_elements(node.type)
        for key in node.value:
            element = known.get(key) or (known.get(key[1:]) if key[:1] == "_" and key[1:] not in node.value else None)
            if element is not None:
                name = key.removeprefix("_")
                _add(below, node.value.get(name), element[0], node.value.get("_" + name))
    elif node.extras is not None:
        _add(below, node.extras.get("extension"), "Extension", None)
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
                self._run(node.value, plan, below)
            else:
                below += self._steps([node])
        return below

    def _run(self, value: Json, plan: tuple[tuple[str, ...], _Way], below: Nodes) -> None:
        level = [value]
        for key in plan[0]:
            reached: list[Json] = []
            for parent in level:
                found = parent.get(key)
                if type(found) is dict:
                    reached.append(found)
                elif type(found) is list:
                    reached += [each for each in found if type(each) is dict]
            if not reached:
                return
            level = reached
        for parent in level:
            for key, type_ in plan[1]:
                if key in parent or "_" + key in parent:
                    _add(below, parent.get(key), type_, parent.get("_" + key))

    def _plan(self, start: str) -> tuple[tuple[str, ...], _Way] | None:
        names = self._names
        type_ = start
        keys: list[str] = []
        for name in names[:-1]:
            way = _way(type_, name)
            if way is None or len(way) != 1 or is_primitive(way[0][1]) or _is_any_resource(way[0][1]):
                return None
            keys.append(way[0][0])
            type_ = way[0][1]
        last = _way(type_, names[-1])
        return None if last is None else (tuple(keys), last)

    def _steps(self, nodes: Nodes) -> Nodes:
        for name in self._names:
            nodes = step(nodes, name)
            if not nodes:
                break
        return nodes


def is_named(node: Node, name: str) -> bool:
    """Return whether a path may begin with `name` to mean the node itself: `Patient.name` of a patient."""
    return is_a(node.type, name, "FHIR")


def _add(below: Nodes, found: Any, type_: str, extras: Any) -> None:
    """Add one value or all of a list, a primitive's with what JSON has beside it."""
    if _is_any_resource(type_):
        for each in found if type(found) is list else (found,):
            if type(each) is dict:
                below.append(of_resource(each))
    elif not is_primitive(type_):
        if type(found) is list:
            below += [Node(each, type_) for each in found if type(each) is dict]
        elif type(found) is dict:
            below.append(Node(found, type_))
    elif extras is None and type(found) is not list:
        if found is not None and type(found) is not dict:
            below.append(Node(found, type_))
    else:
        _add_primitives(below, found, type_, extras)


def _add_primitives(below: Nodes, found: Any, type_: str, extras: Any) -> None:
    values = found if type(found) is list else [found]
    besides = extras if type(extras) is list else [extras]
    for value, beside in zip_longest(values, besides):
        known = beside if type(beside) is dict else None
        if (value is not None or known is not None) and type(value) not in (dict, list):
            below.append(Node(value, type_, known))


@cache
def _way(type_: str, name: str) -> _Way | None:
    if type_ == TYPE_INFO:
        return ((name, "string"),)
    found = elements(type_).get(name)
    return None if found is None else tuple((found.json_name(each), each) for each in found.types)


def _written(type_: str, name: str, value: Json) -> Iterator[tuple[str, str]]:
    """Yield what the JSON object has of a choice of many types."""
    known = _choice(type_, name)
    for key in value:
        found = known.get(key)
        if found is not None:
            yield key, found
        elif key[:1] == "_" and key[1:] in known and key[1:] not in value:
            yield key[1:], known[key[1:]]


@cache
def _choice(type_: str, name: str) -> dict[str, str]:
    return dict(_way(type_, name) or ())


def _is_any_resource(type_: str) -> bool:
    return type_ in ("Resource", "DomainResource")


def _resource_type(resource: Json) -> str:
    named = resource.get("resourceType")
    return named if type(named) is str and is_resource_type(named) else "Resource"
