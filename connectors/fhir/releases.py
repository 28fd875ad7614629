"""Reads resources of STU3 and R5 as R4: what R4 says otherwise is converted, what it cannot say is kept or refused.

Which release a resource speaks is what its sender says; where nobody said anything, it is seen in itself: it has
elements, forms or codes that only that release has. One that has none of those says the same in R4 (and R4B, whose
common types are those of R4). What was said is held against what is seen: a resource that has what only another release
has is refused. What R4 has no place for becomes
the extension that the specification reserves for it (R4, "Extensions for converting between versions":
`extension-Condition.abatementBoolean`) where one data type says it; else the resource is refused, naming the element.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeAlias

import orjson

from connectors.connector import Issue
from connectors.fhir import r5, stu3
from connectors.fhir.rules import Rules
from connectors.fhir.structure import shown
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json

_Marks: TypeAlias = dict[str, Any]


class _OfType(dict[str, Any]):
    """The marks of a data type: wherever it stands, its elements are named after it."""

    def __init__(self, name: str, marks: _Marks) -> None:
        super().__init__(marks)
        self.name = name


_RULES: Final[dict[str, Rules]] = {"STU3": stu3.RULES, "R5": r5.RULES}
_VALUES: Final = {"STU3": stu3.VALUES, "R5": r5.VALUES}
_EXTENSIONS: Final = {
    "STU3": "http://hl7.org/fhir/3.0/StructureDefinition/extension-",
    "R5": "http://hl7.org/fhir/5.0/StructureDefinition/extension-",
}
_PARTS: Final = {
    "CodeableConcept": frozenset({"id", "extension", "coding", "text"}),
    "Reference": frozenset({"id", "extension", "reference", "type", "identifier", "display"}),
}
"""What tells a concept from a reference, and both from other objects."""
_NOT_EXTENDABLE: Final = frozenset(
    {
        "CodeableReference",
        "VirtualServiceDetail",
        "ExtendedContactDetail",
        "Availability",
        "MonetaryComponent",
        "Resource",
    }
)
"""Data types that R4 does not have, and what is none."""


def to_r4(resource: Json, location: str, said: str | None = None) -> tuple[Json, list[Issue]]:
    """Return a resource as R4 says it, the same object where it does already, and what is to be told of that.

    Args:
        resource: the resource.
        location: what to call it.
        said: the release it is said to be of; None where it has to show it.

    Raises:
        UnreadableError: if R4 has no place for an element, or the release that was said has it not.
    """
    issues: list[Issue] = []
    contained = resource.get("contained")
    if isinstance(contained, list):
        told = [_one(each, f"{location}.contained[{place}]", said, issues) for place, each in enumerate(contained)]
        if issues:
            resource = {**resource, "contained": told}
    return _one(resource, location, said, issues), issues


def _one(resource: Any, location: str, said: str | None, issues: list[Issue]) -> Any:
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(kind, str) or _suspects(kind).isdisjoint(resource):
        return resource
    release = _seen(resource, kind) if said is None else _said(resource, kind, said, location)
    if release is None:
        return resource
    converted = _Conversion(release).convert(resource, _marks(release).get(kind, {}), kind, location)
    issues.append(Issue("information", "informational", f"read as FHIR {release} and converted to R4", location))
    return converted


def _said(resource: Json, kind: str, said: str, location: str) -> str | None:
    """Return the release to read a resource by, as was said; None where that is R4.

    Raises:
        UnreadableError: if it has what only another release has.
    """
    release = said if said in _RULES else None
    own = set() if release is None else set(_foreign(resource, _marks(release).get(kind, {})))
    for other in _RULES.keys() - {release}:
        for name in _foreign(resource, _marks(other).get(kind, {})):
            if name not in own:
                text = f"{kind}{name} is of FHIR {other}, but this is said to be FHIR {said}"
                raise UnreadableError(text, location=f"{location}{name}", code="not-supported")
    return release


def _seen(resource: Json, kind: str) -> str | None:
    """Return the release that has most of what R4 has not, of what a resource has; None if it has nothing of that."""
    found = {release: sum(1 for _ in _foreign(resource, _marks(release).get(kind, {}))) for release in _RULES}
    status = str(resource.get("status"))
    for release, values in _VALUES.items():
        found[release] += status in values.get(f"{kind}.status", ())
    best = max(found, key=lambda each: found[each])
    return best if found[best] else None


@cache
def _suspects(kind: str) -> frozenset[str]:
    """Return the elements of a type that may tell its release."""
    names = {name for release in _RULES for name in _marks(release).get(kind, {})}
    has_codes = any(f"{kind}.status" in values for values in _VALUES.values())
    return frozenset(names | ({"status"} if has_codes else set()))


def _foreign(node: Json, marks: _Marks, path: str = "") -> Iterator[str]:
    """Yield the path of each element that has the form of another release."""
    for name, spec in marks.items():
        if (value := node.get(name)) is None:
            continue
        if isinstance(spec, str):
            if _fits(value, spec):
                yield f"{path}.{name}"
            continue
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, dict):
                yield from _foreign(each, spec, f"{path}.{name}")


def _fits(value: Any, spec: str) -> bool:
    """Return whether a value has the form that another release has here, and R4 has not."""
    if spec.endswith("*"):
        return isinstance(value, list) and bool(value) and all(_fits(each, spec[:-1]) for each in value)
    if isinstance(value, list) or value is None:
        return False
    if spec[0].islower():
        return not isinstance(value, dict)
    if not isinstance(value, dict):
        return False
    if spec == "CodeableReference":
        return "concept" in value or isinstance(value.get("reference"), dict)
    kind, _, told_by = spec.partition("?")
    if told_by:
        return any(_tells(value, name) for name in told_by.split(","))
    return kind not in _PARTS or value.keys() <= _PARTS[kind]


def _tells(value: Json, name: str) -> bool:
    """Return whether an object has an element, as an array where its name says so."""
    return isinstance(value.get(name[:-1]), list) if name.endswith("+") else name in value


class _Conversion:
    """One resource of another release becoming one of R4."""

    def __init__(self, release: str) -> None:
        self._release = release

    def convert(self, node: Json, marks: _Marks, path: str, location: str) -> Json:
        """Return an object with each element that R4 has not said as R4 does.

        Raises:
            UnreadableError: if R4 has no place for one.
        """
        named = sorted(node.keys() & marks.keys())  # whatever the order they were sent in
        foreign = [name for name in named if isinstance(marks[name], str) and _fits(node[name], marks[name])]
        away = {*foreign, *(f"_{name}" for name in foreign)}
        said = {name: value for name, value in node.items() if name not in away}
        for name in said.keys() & marks.keys():
            if not isinstance(marks[name], str):
                said[name] = self._nested(said[name], marks[name], f"{path}.{name}", f"{location}.{shown(name)}")
        for name in foreign:
            self._place(said, node, name, marks[name], path, location)
        self._name_codes(said, path)
        return said

    def _nested(self, value: Any, marks: _Marks, path: str, location: str) -> Any:
        if isinstance(value, list):
            return [self._nested(each, marks, path, f"{location}[{place}]") for place, each in enumerate(value)]
        if not isinstance(value, dict):
            return value
        return self.convert(value, marks, marks.name if isinstance(marks, _OfType) else path, location)

    def _place(self, said: Json, node: Json, name: str, spec: str, path: str, location: str) -> None:
        """Put one element where R4 has it, or else into an extension.

        Raises:
            UnreadableError: if it goes into neither.
        """
        value, twin = node[name], node.get(f"_{name}")
        rule = _RULES[self._release].get(f"{path}.{name}")
        try:
            if twin is None and rule is not None and rule(said, name, value):
                return
        except (KeyError, TypeError, AttributeError):
            # A rule met something of a form that no release has; it is refused like what has no place.
            spec = "@"
        kind = spec.removesuffix("*").partition("?")[0]
        if kind.startswith("@") or kind in _NOT_EXTENDABLE or twin is not None:
            text = f"{path}.{name} of FHIR {self._release} has no place in R4"
            raise UnreadableError(text, location=f"{location}.{shown(name)}", code="not-supported")
        for each in value if spec.endswith("*") else [value]:
            self._keep(said, f"{path}.{name}", kind, each)

    def _keep(self, said: Json, path: str, kind: str, value: Any) -> None:
        extension = {"url": f"{_EXTENSIONS[self._release]}{path}", f"value{kind[0].upper()}{kind[1:]}": value}
        said["extension"] = [*said.get("extension", ()), extension]

    def _name_codes(self, said: Json, path: str) -> None:
        """Let a status that R4 has not be the nearest that it has, and keep it as it was."""
        nearest = _VALUES[self._release].get(f"{path}.status", {})
        status = said.get("status")
        if isinstance(status, str) and status in nearest:
            said["status"] = nearest[status]
            self._keep(said, f"{path}.status", "code", status)


@cache
def _marks(release: str) -> dict[str, _Marks]:
    table: dict[str, dict[str, _Marks]] = orjson.loads(files(__package__).joinpath("releases.json").read_bytes())
    types = table[release]
    return {kind: _with_types(marks, types) for kind, marks in types.items()}


def _with_types(marks: _Marks, types: dict[str, _Marks]) -> _Marks:
    """Return marks with those of the data types in them, where the table has just their names."""
    found: _Marks = {}
    for name, spec in marks.items():
        if isinstance(spec, dict):
            found[name] = _with_types(spec, types)
        elif spec.startswith("#"):
            found[name] = _OfType(spec[1:], _with_types(types[spec[1:]], types))
        else:
            found[name] = spec
    return found
