"""Where in a resource a FHIRPath leads: the places of what it gives, so that they can be written to.

Paths come with requests here. So only those are followed that lead down from the resource: elements, `[n]`, `first()`,
`last()`, `where(...)`, `ofType(...)`, `extension(...)`; and in `where`, comparisons of what is below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from hub_core.errors import PathError
from hub_core.fhir.canonical import Json
from hub_core.fhir.elements import Element, elements, is_primitive, is_resource_type
from hub_core.fhir.fhirpath.compiling import compiled
from hub_core.fhir.fhirpath.evaluation import CompiledPath
from hub_core.fhir.fhirpath.nodes import Node
from hub_core.fhir.fhirpath.syntax import (
    Call,
    Constant,
    Index,
    Member,
    Operation,
    Path,
    This,
    TypeOperation,
    children,
    type_name,
)
from hub_core.fhir.fhirpath.values import truth

_OPERATORS: Final = frozenset({"=", "!=", "~", "!~", "and", "or"})
_FUNCTIONS: Final = frozenset({"exists", "empty", "not", "where", "first", "last", "ofType", "extension", "startsWith"})
_ANY_RESOURCE: Final = ("Resource", "DomainResource")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one value stands: in a property of an object, or in the array of one."""

    parent: Json
    key: str
    number: int | None
    """Which of an array; None where the property has one value."""
    type: str
    """As in `hub_core.fhir.elements`."""
    element: Element | None = None
    """The element that it is a value of; None for a resource itself."""

    @property
    def value(self) -> Any:
        """Return the value; None where a primitive has only extensions."""
        return _one(self.parent.get(self.key), self.number)

    @property
    def extras(self) -> Json | None:
        """Return id and extensions of a primitive."""
        found = _one(self.parent.get(f"_{self.key}"), self.number)
        return found if isinstance(found, dict) else None

    @property
    def is_primitive(self) -> bool:
        """Return whether its extensions stand beside it."""
        return is_primitive(self.type)

    def known(self, name: str) -> Element | None:
        """Return the element of that name that may be below it."""
        return elements("Extension" if self.is_primitive else self.type).get(name)

    def holder(self) -> Json | None:
        """Return what holds the elements below it, of a primitive made if it is not there; None if nothing can."""
        if self.is_primitive and self.extras is None:
            self._make_extras()
        found = self.extras if self.is_primitive else self.value
        return found if isinstance(found, dict) else None

    def _make_extras(self) -> None:
        if self.number is None:
            self.parent[f"_{self.key}"] = {}
            return
        beside = padded(self.parent.get(f"_{self.key}"), length(self.parent, self.key))
        beside[self.number] = {}
        self.parent[f"_{self.key}"] = beside

    def below(self, name: str) -> list[Place]:
        """Return the places of an element below it, in order."""
        element, holder = self.known(name), self.extras if self.is_primitive else self.value
        if element is None or not isinstance(holder, dict):
            return []
        return [place for type_ in element.types for place in _places(holder, element, type_)]


def length(holder: Json, key: str) -> int:
    """Return how many values an array has, of a primitive those beside it included."""
    found = (holder.get(key), holder.get(f"_{key}"))
    return max((len(each) for each in found if isinstance(each, list)), default=0)


def padded(found: Any, size: int) -> list[Any]:
    """Return an array, or none, as one of a size: arrays of primitives and what is beside them keep step."""
    values = found if isinstance(found, list) else []
    return [*values, *[None] * (size - len(values))]


def root(resource: Json) -> Place:
    """Return the place of a whole resource."""
    return Place({"": resource}, "", None, resource["resourceType"])


def follow(path: Path, start: Place) -> list[Place]:
    """Return the places that a path leads to from a resource, in order.

    Raises:
        PathError: if it is none that leads down from there.
    """
    match path:
        case This():
            return [start]
        case Member(base=This(), name=name) if name == start.type or name in _ANY_RESOURCE:
            return [start]
        case Member(base=base, name=name):
            return [below for place in follow(base, start) for below in place.below(name)]
        case Index(base=base, position=Constant(text=text, type="integer")):
            return follow(base, start)[int(text) : int(text) + 1]
        case Call(base=base, name="first", arguments=()):
            return follow(base, start)[:1]
        case Call(base=base, name="last", arguments=()):
            return follow(base, start)[-1:]
        case Call(base=base, name="where", arguments=(criterion,)):
            fits = _criterion(criterion)
            return [place for place in follow(base, start) if _holds(fits, place, start.value)]
        case Call(base=base, name="extension", arguments=(Constant(text=url, type="string"),)):
            found = [below for place in follow(base, start) for below in place.below("extension")]
            return [place for place in found if place.value.get("url") == url]
        case Call(base=base, name="ofType", arguments=(argument,)) if (named := type_name(argument)) is not None:
            return [place for place in follow(base, start) if place.type == named.name]
        case TypeOperation(operator="as", operand=base, type=named):
            return [place for place in follow(base, start) if place.type == named.name]
    raise PathError("does not only lead down from the resource", path.at)


def _criterion(path: Path) -> CompiledPath:
    """Return the condition in a `where`, ready to be evaluated; it asks for nothing that takes long.

    Raises:
        PathError: if it does.
    """
    _hold_simple(path)
    return CompiledPath("", compiled(path), is_plain=False)


def _hold_simple(path: Path) -> None:
    is_simple = isinstance(path, This | Member | Constant | Index) or (
        path.operator in _OPERATORS
        if isinstance(path, Operation)
        else isinstance(path, Call) and path.name in _FUNCTIONS
    )
    if not is_simple:
        raise PathError("asks for more than a comparison", path.at)
    for each in children(path):
        _hold_simple(each)


def _holds(fits: CompiledPath, place: Place, resource: Json) -> bool:
    node = Node(place.value, place.type, place.extras)
    return truth(fits.of(node, resource), "where", 0) is True


def _places(holder: Json, element: Element, type_: str) -> list[Place]:
    key = element.json_name(type_)
    found = holder.get(key)
    beside = holder.get(f"_{key}") if is_primitive(type_) else None
    if isinstance(found, list) or isinstance(beside, list):
        values = [_one(found, number) for number in range(length(holder, key))]
        return [Place(holder, key, number, _meant(type_, value), element) for number, value in enumerate(values)]
    return [] if found is None and beside is None else [Place(holder, key, None, _meant(type_, found), element)]


def _meant(type_: str, value: Any) -> str:
    """Return the type of a value, which of a contained resource is its own."""
    named = value.get("resourceType") if type_ in _ANY_RESOURCE and isinstance(value, dict) else None
    return named if isinstance(named, str) and is_resource_type(named) else type_


def _one(found: Any, number: int | None) -> Any:
    if number is None:
        return found
    return found[number] if isinstance(found, list) and number < len(found) else None
