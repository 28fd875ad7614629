"""FHIRPath Patch (R4 fhirpatch.html) on a resource: its operations applied in order, all of them or nothing.

An operation that does not fit what stands is refused with 422, and named. What is deleted takes the objects and arrays
along that it leaves empty, for FHIR has no empty ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hub_api.fhir.outcome import OutcomeError
from hub_api.fhir.patches.operations import Given, Operation
from hub_api.fhir.patches.places import Place, follow, length, padded, root
from hub_core.errors import PathError
from hub_core.fhir.canonical import Json, loads
from hub_core.fhir.elements import Element, is_primitive
from hub_core.fhir.fhirpath.syntax import Member


def patched(resource: Json, operations: list[Operation]) -> Json:
    """Return a resource as a patch makes it; what was given is changed in place.

    Raises:
        OutcomeError: 422, if an operation does not fit what it finds.
    """
    for each in operations:
        try:
            _APPLIED[each.kind](root(resource), each)
        except PathError as error:
            raise each.refused(f"the path {error}") from error
    left = _without_empties(resource) if any(each.kind == "delete" for each in operations) else resource
    if not isinstance(left, dict):
        raise OutcomeError(422, "what the patch leaves is no resource", code="processing")
    return left


def _add(start: Place, operation: Operation) -> None:
    _put(_only(start, operation), operation.name, operation.given, operation)


def _put(place: Place, name: str, given: Given, operation: Operation) -> None:
    """Put a value below a place: at the end of a list, or where nothing stands."""
    element, holder = place.known(name), place.holder()
    if element is None or holder is None:
        raise operation.refused("there is no element of this name here")
    if element.is_array:
        key, type_ = _written(element, given, operation)
        _insert(holder, key, length(holder, key), _made(type_, given, operation))
    elif place.below(name):
        raise operation.refused("there is a value already")
    else:
        _set(holder, element, given, operation)


def _replace(start: Place, operation: Operation) -> None:
    place = _only(start, operation)
    if place.element is None:
        raise operation.refused("a patch changes parts of a resource")
    _take(place)
    if place.number is None:
        _set(place.parent, place.element, operation.given, operation)
    else:
        _insert(place.parent, place.key, place.number, _made(place.type, operation.given, operation))


def _delete(start: Place, operation: Operation) -> None:
    found = follow(operation.path, start)
    if len(found) > 1 or (found and found[0].element is None):
        raise operation.refused("this path does not lead to one element")
    for place in found:
        _take(place)


def _insert_into(start: Place, operation: Operation) -> None:
    holder, key, element = _list(start, operation)
    if operation.positions["index"] > length(holder, key):
        raise operation.refused("the list is shorter than that")
    _insert(holder, key, operation.positions["index"], _made(element.types[0], operation.given, operation))


def _move(start: Place, operation: Operation) -> None:
    holder, key, element = _list(start, operation)
    source, destination = operation.positions["source"], operation.positions["destination"]
    if max(source, destination) >= length(holder, key):
        raise operation.refused("the list is shorter than that")
    place = Place(holder, key, source, element.types[0], element)
    moved = place.value, place.extras
    _take(place)
    _insert(holder, key, destination, moved)


_APPLIED: Final[dict[str, Callable[[Place, Operation], None]]] = {
    "add": _add,
    "insert": _insert_into,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}


def _only(start: Place, operation: Operation) -> Place:
    found = follow(operation.path, start)
    if len(found) != 1:
        text = "this path leads to several elements" if found else "there is nothing at this path"
        raise operation.refused(text)
    return found[0]


def _list(start: Place, operation: Operation) -> tuple[Json, str, Element]:
    """Return the object that has a list, its property, and the element; the list may be empty."""
    path = operation.path
    owners = follow(path.base, start) if isinstance(path, Member) else []
    element = owners[0].known(path.name) if isinstance(path, Member) and len(owners) == 1 else None
    holder = owners[0].holder() if element is not None and element.is_array else None
    if element is None or holder is None:
        raise operation.refused("this path does not lead to one list")
    return holder, element.json_name(element.types[0]), element


def _written(element: Element, given: Given, operation: Operation) -> tuple[str, str]:
    """Return the property that a value goes to, and its type there."""
    if not element.is_choice:
        return element.name, element.types[0]
    for type_ in element.types:
        if element.json_name(type_) == element.name + given.type:
            return element.json_name(type_), type_
    raise operation.refused("this element takes no value of that type")


def _made(type_: str, given: Given, operation: Operation) -> tuple[Any, Any]:
    """Return a value of a type made anew, and what of a primitive stands beside it."""
    made = _assembled(type_, given, operation) if given.parts else loads(given.content)
    fits = not isinstance(made, dict | list) if is_primitive(type_) else isinstance(made, dict)
    if not fits:
        raise operation.refused("this element takes no value of that type")
    return made, loads(given.extras)


def _assembled(type_: str, given: Given, operation: Operation) -> Json:
    made: Json = {}
    for name, each in given.parts:
        _put(Place({"": made}, "", None, type_), name, each, operation)
    return made


def _set(holder: Json, element: Element, given: Given, operation: Operation) -> None:
    key, type_ = _written(element, given, operation)
    _write(holder, key, *_made(type_, given, operation))


def _insert(holder: Json, key: str, number: int, made: tuple[Any, Any]) -> None:
    size = length(holder, key)
    values, beside = padded(holder.get(key), size), padded(holder.get(f"_{key}"), size)
    values.insert(number, made[0])
    beside.insert(number, made[1])
    _write(holder, key, values, beside)


def _take(place: Place) -> None:
    if place.number is None:
        _write(place.parent, place.key, None, None)
        return
    size = length(place.parent, place.key)
    values, beside = padded(place.parent.get(place.key), size), padded(place.parent.get(f"_{place.key}"), size)
    del values[place.number], beside[place.number]
    _write(place.parent, place.key, values, beside)


def _write(holder: Json, key: str, value: Any, beside: Any) -> None:
    """Let a property and what stands beside it be these; what says nothing is not written."""
    for name, each in ((key, value), (f"_{key}", beside)):
        if each is None or (isinstance(each, list) and all(one is None for one in each)):
            holder.pop(name, None)
        else:
            holder[name] = each


def _without_empties(value: Any, name: str = "") -> Any:
    """Return a value without the objects and arrays in it that hold nothing; None if it is one."""
    if isinstance(value, dict):
        return {key: left for key, each in value.items() if (left := _without_empties(each, key)) is not None} or None
    if isinstance(value, list):
        left = [(each, _without_empties(each)) for each in value]
        kept = [new for old, new in left if new is not None or old is None or name.startswith("_")]
        return kept if any(each is not None for each in kept) else None
    return value
