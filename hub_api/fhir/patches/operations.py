"""A FHIRPath Patch as it is sent (R4 fhirpatch.html): a Parameters, read into its operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from hub_api.fhir.outcome import OutcomeError
from hub_api.fhir.patches.json_patch import MOST_OPERATIONS
from hub_core.errors import PathError
from hub_core.fhir.canonical import Json, dumps
from hub_core.fhir.fhirpath.parsing import parse
from hub_core.fhir.fhirpath.syntax import Path

_NEEDED: Final = {
    "add": {"path", "name", "value"},
    "insert": {"path", "index", "value"},
    "delete": {"path"},
    "replace": {"path", "value"},
    "move": {"path", "source", "destination"},
}
"""By type of operation, the parts that it has."""
_POSITIONS: Final = ("index", "source", "destination")
_LONGEST_PATH: Final = 1000


@dataclass(frozen=True, slots=True)
class Given:
    """A value that an operation brings."""

    type: str = ""
    """The type's name as it stands behind `value`: `HumanName`, `Code`; empty where it is made of parts."""
    content: bytes = b"null"
    """JSON; each time it is put in place, it is made anew."""
    extras: bytes = b"null"
    """Id and extensions of a primitive, likewise."""
    parts: tuple[tuple[str, Given], ...] = ()
    """Elements of what is of no data type."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a patch."""

    number: int
    kind: str
    path: Path
    name: str
    given: Given
    positions: dict[str, int]
    """`index`, `source` and `destination`."""

    def refused(self, text: str) -> OutcomeError:
        """Return the error of an operation that does not fit what stands."""
        return OutcomeError(422, f"operation {self.number} ({self.kind}): {text}", code="processing")


def read_operations(parameters: Json) -> list[Operation]:
    """Return the operations of a patch.

    Raises:
        OutcomeError: 400, if it is none.
    """
    told = parameters.get("parameter", []) if parameters.get("resourceType") == "Parameters" else None
    if not isinstance(told, list):
        raise OutcomeError(400, "a FHIRPath Patch is a Parameters with operations", code="structure")
    if len(told) > MOST_OPERATIONS:
        raise OutcomeError(400, f"a patch has at most {MOST_OPERATIONS} operations here", code="too-costly")
    return [_operation(number, each) for number, each in enumerate(told)]


def _operation(number: int, told: Any) -> Operation:
    is_named = isinstance(told, dict) and told.get("name") == "operation"
    parts = dict(_named(told)) if is_named else {}
    kind = _text(parts.pop("type", {}))
    if kind not in _NEEDED:
        raise _unreadable(number, f"one of {', '.join(_NEEDED)} was expected")
    if parts.keys() != _NEEDED[kind]:
        raise _unreadable(number, f"{kind} has {', '.join(sorted(_NEEDED[kind]))}")
    given = _given(number, parts["value"]) if "value" in parts else Given()
    positions = {name: _position(number, parts[name]) for name in _POSITIONS if name in parts}
    return Operation(number, kind, _path(number, _text(parts["path"])), _text(parts.get("name", {})), given, positions)


def _named(told: Json) -> list[tuple[str, Json]]:
    found = told.get("part")
    parts = found if isinstance(found, list) else []
    return [(str(each.get("name")), each) for each in parts if isinstance(each, dict)]


def _text(part: Json) -> str:
    found = part.get("valueCode", part.get("valueString"))
    return found if isinstance(found, str) else ""


def _position(number: int, part: Json) -> int:
    found = part.get("valueInteger")
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise _unreadable(number, "a valueInteger was expected: a place in a list, counted from 0")
    return found


def _path(number: int, text: str) -> Path:
    try:
        if len(text) > _LONGEST_PATH:
            raise PathError(f"is longer than {_LONGEST_PATH} characters", _LONGEST_PATH)
        return parse(text)
    except PathError as error:
        raise _unreadable(number, f"the path {error}") from error


def _given(number: int, part: Json) -> Given:
    if "part" in part:
        return Given(parts=tuple((name, _given(number, each)) for name, each in _named(part)))
    if "resource" in part:
        return Given("Resource", dumps(part["resource"]))
    keys = {key.removeprefix("_") for key in part if key.startswith(("value", "_value")) and part[key] is not None}
    if len(keys) != 1:
        raise _unreadable(number, "one value was expected")
    (key,) = keys
    return Given(key.removeprefix("value"), dumps(part.get(key)), dumps(part.get(f"_{key}")))


def _unreadable(number: int, text: str) -> OutcomeError:
    return OutcomeError(400, f"operation {number}: {text}", code="value")
