"""JSON Patch (RFC 6902) on a resource: read, held within bounds, applied in order, all of it or nothing.

Numbers keep their digits, and `test` compares them as numbers. A patch that cannot be read is the sender's mistake
(400); one that does not fit what stands is refused with 422, and names the operation (R4 section 3.1.0.6).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeAlias

from hub_api.fhir.outcome import OutcomeError
from hub_core.fhir.canonical import MAX_DEPTH, Json, dumps, loads

MOST_OPERATIONS: Final = 500
MOST_COPIED: Final = 1024 * 1024
"""Bytes that the copies of one patch may come to: copies of copies grow without end."""

_INDEX: Final = re.compile(r"0|[1-9]\d{0,8}")
_ESCAPE: Final = re.compile(r"~(?![01])")
_END: Final = "-"
_WITH_VALUE: Final = ("add", "replace", "test")
_WITH_SOURCE: Final = ("move", "copy")
_KINDS: Final = (*_WITH_VALUE, *_WITH_SOURCE, "remove")

Pointer: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a patch."""

    number: int
    kind: str
    path: Pointer
    source: Pointer = ()
    """Where `move` and `copy` take it from."""
    value: bytes = b""
    """What `add`, `replace` and `test` bring, as JSON: each time it is applied, it is made anew."""


def read_patch(body: bytes) -> list[Operation]:
    """Return the operations of a patch.

    Raises:
        OutcomeError: 400, if it is none.
        UnreadableError: if it is no JSON.
    """
    told = loads(body)
    if not isinstance(told, list):
        raise OutcomeError(400, "a JSON Patch is an array of operations", code="structure")
    if len(told) > MOST_OPERATIONS:
        raise OutcomeError(400, f"a patch has at most {MOST_OPERATIONS} operations here", code="too-costly")
    return [_operation(number, each) for number, each in enumerate(told)]


def patched(resource: Json, operations: list[Operation]) -> Json:
    """Return a resource as a patch makes it; what was given is changed in place.

    Raises:
        OutcomeError: 422, if an operation does not fit what it finds; 400, if it copies too much.
    """
    whole: dict[str, Any] = {"": resource}
    room = MOST_COPIED
    for each in operations:
        if each.kind == "copy":
            room -= len(dumps(_at(whole, each, each.source)))
            if room < 0:
                raise _refused(each, "this patch copies too much", 400)
        _APPLIED[each.kind](whole, each)
    left = whole.get("")
    if not isinstance(left, dict):
        raise OutcomeError(422, "what the patch leaves is no resource", code="processing")
    return left


def _operation(number: int, told: Any) -> Operation:
    kind = told.get("op") if isinstance(told, dict) else None
    if kind not in _KINDS:
        raise OutcomeError(400, f"operation {number}: one of {', '.join(_KINDS)} was expected", code="value")
    if kind in _WITH_VALUE and "value" not in told:
        raise OutcomeError(400, f"operation {number}: there is no value", code="required")
    source = _pointer(number, told.get("from")) if kind in _WITH_SOURCE else ()
    path = _pointer(number, told.get("path"))
    if kind == "move" and path[: len(source)] == source and path != source:
        raise OutcomeError(400, f"operation {number}: nothing moves into itself", code="value")
    return Operation(number, kind, path, source, dumps(told["value"]) if kind in _WITH_VALUE else b"")


def _pointer(number: int, text: Any) -> Pointer:
    """Return the names a JSON Pointer leads along (RFC 6901)."""
    if not isinstance(text, str) or (text and not text.startswith("/")) or _ESCAPE.search(text):
        raise OutcomeError(400, f"operation {number}: a JSON Pointer such as /name/0/family was expected", code="value")
    if text.count("/") > MAX_DEPTH:
        raise OutcomeError(400, f"operation {number}: this path leads deeper than any resource", code="too-costly")
    return ("", *(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]))


def _at(whole: Json, operation: Operation, path: Pointer) -> Any:
    found: Any = whole
    for name in path:
        found = found[_place(found, name, operation)]
    return found


def _place(parent: Any, name: str, operation: Operation) -> Any:
    """Return the key or the index of something that is there."""
    if isinstance(parent, dict) and name in parent:
        return name
    if isinstance(parent, list) and _INDEX.fullmatch(name) and int(name) < len(parent):
        return int(name)
    raise _refused(operation, "there is nothing at this path")


def _put(whole: Json, operation: Operation, value: Any) -> None:
    *way, name = operation.path
    parent = _at(whole, operation, tuple(way))
    if isinstance(parent, dict):
        parent[name] = value
    elif isinstance(parent, list) and (name == _END or name == str(len(parent))):
        parent.append(value)
    else:
        place = _place(parent, name, operation)
        parent.insert(place, value)


def _take(whole: Json, operation: Operation, path: Pointer) -> Any:
    *way, name = path
    parent = _at(whole, operation, tuple(way))
    return parent.pop(_place(parent, name, operation))


def _anew(value: Any) -> Any:
    """Return an equal value that shares nothing, and is nested no deeper than a resource may be."""
    return loads(dumps(value))


def _replace(whole: Json, operation: Operation) -> None:
    *way, name = operation.path
    parent = _at(whole, operation, tuple(way))
    parent[_place(parent, name, operation)] = loads(operation.value)


def _test(whole: Json, operation: Operation) -> None:
    if not _is_same(_at(whole, operation, operation.path), loads(operation.value)):
        raise _refused(operation, "the test failed: another value stands there")


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    if _is_number(one) and _is_number(other):
        return Decimal(str(one)) == Decimal(str(other))
    return type(one) is type(other) and bool(one == other)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _refused(operation: Operation, text: str, status: int = 422) -> OutcomeError:
    return OutcomeError(status, f"operation {operation.number} ({operation.kind}): {text}", code="processing")


_APPLIED: Final[dict[str, Callable[[Json, Operation], object]]] = {
    "add": lambda whole, each: _put(whole, each, loads(each.value)),
    "remove": lambda whole, each: _take(whole, each, each.path),
    "replace": _replace,
    "move": lambda whole, each: _put(whole, each, _anew(_take(whole, each, each.source))),
    "copy": lambda whole, each: _put(whole, each, _anew(_at(whole, each, each.source))),
    "test": _test,
}
