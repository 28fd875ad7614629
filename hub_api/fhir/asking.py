"""One search parameter as it comes in an address or a form, read into a criterion (R4 section 3.1.1).

A name may carry a modifier (`name:exact`), lead on to what is referred to (`subject:Patient.name`), or come from what
refers here (`_has:Observation:patient:code`). Which parameters a type has follows from `search_parameters`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ehr_pm.record.searching.criteria import (
    Chained,
    Criterion,
    Having,
    Indexed,
    IsOneOf,
    Missing,
    Recorded,
    Together,
    Value,
)
from hub_api.fhir.asked_values import plain, read_interval, read_value, split, unsupported
from hub_core.errors import UnreadableError
from hub_core.fhir.indexed_types import IDENTIFIER, OF_TYPE
from hub_core.fhir.registry import RESOURCE_TYPES
from hub_core.fhir.search_parameters import SearchParameter, parameters_of

MAX_ALTERNATIVES: Final = 200
MAX_LINKS: Final = 4
"""How many resources one parameter may lead through."""
MAX_TARGETS: Final = 12
"""How many types one link may lead to."""
MAX_JOINS: Final = 30
"""How many joins with other resources one search may cost."""
_SUFFIXES: Final = {"of-type": OF_TYPE, "identifier": IDENTIFIER}


@dataclass(frozen=True, slots=True)
class Asked:
    """One parameter as it was asked."""

    name: str
    value: str
    base: str
    """Address of this server, for references written in full."""
    links: int = 0
    """How many resources away it is from the one searched."""

    def inner(self, name: str) -> Asked:
        """Return what is asked of the resource that a link leads to.

        Raises:
            UnreadableError: if that is too far.
        """
        if self.links >= MAX_LINKS:
            raise UnreadableError(f"leads through more than {MAX_LINKS} resources", location="_has", code="too-costly")
        return Asked(name, self.value, self.base, self.links + 1)


def read_criterion(resource_type: str, asked: Asked) -> Criterion | None:
    """Return what one parameter demands of a type; None if it has no such parameter.

    Raises:
        UnreadableError: for a value that cannot be read, or a modifier not supported.
    """
    if asked.name.startswith("_has:"):
        return _having(resource_type, asked)
    head, dot, rest = asked.name.partition(".")
    param, _, modifier = head.partition(":")
    known = parameters_of(resource_type).get(param)
    if dot:
        return None if known is None else _chained(known, modifier, asked.inner(rest))
    alternatives = [part for part in split(asked.value) if part]
    if len(alternatives) > MAX_ALTERNATIVES:
        raise UnreadableError(f"more than {MAX_ALTERNATIVES} alternatives", location=param, code="too-costly")
    if param == "_id":
        if modifier not in ("", "not"):
            raise unsupported(param)
        return IsOneOf(tuple(map(plain, alternatives)), is_negated=modifier == "not")
    if param == "_lastUpdated":
        if modifier:
            raise unsupported(param)
        return Recorded(tuple(read_interval(param, plain(each)) for each in alternatives))
    return None if known is None else _criterion(resource_type, known, modifier, alternatives, asked.base)


def links_of(criterion: Criterion) -> int:
    """Return how many joins with other resources a criterion costs."""
    match criterion:
        case Chained(targets=targets):
            return sum(1 + links_of(inner) for _, inner in targets)
        case Having(criterion=inner):
            return 1 + links_of(inner)
        case _:
            return 0


def _criterion(
    resource_type: str, known: SearchParameter, modifier: str, alternatives: list[str], base: str
) -> Criterion:
    if modifier == "missing":
        if alternatives not in (["true"], ["false"]):
            raise UnreadableError("true or false was expected", location=known.name, code="value")
        return Missing(known.name, alternatives == ["true"])
    if known.kind == "composite":
        if modifier:
            raise unsupported(known.name)
        return Together(known.name, tuple(_together(resource_type, known, each, base) for each in alternatives))
    if modifier == "of-type" and all(way.type_name != "Identifier" for way in known.ways):
        raise unsupported(known.name)
    values = tuple(read_value(known, modifier, each, base) for each in alternatives)
    return Indexed(known.name, values, is_negated=modifier == "not", suffix=_SUFFIXES.get(modifier, ""))


def _together(resource_type: str, known: SearchParameter, text: str, base: str) -> tuple[Value, ...]:
    """Return the values of a composite, one of each of its parts: `code$value`."""
    parts = list(split(text, "$"))
    first = known.groups[0].parts
    if len(parts) != len(first):
        raise UnreadableError(
            f"{len(first)} values with $ between them were expected", location=known.name, code="value"
        )
    types = parameters_of(resource_type)
    return tuple(read_value(types[name], "", part, base) for (name, _), part in zip(first, parts, strict=True))


def _chained(known: SearchParameter, modifier: str, inner: Asked) -> Criterion | None:
    """Return the criterion on what a parameter refers to, for each type it may refer to that knows what is asked."""
    if known.kind != "reference" or all(way.type_name != "Reference" for way in known.ways):
        raise unsupported(known.name, "only a reference leads on to another resource")
    if modifier and modifier not in RESOURCE_TYPES:
        raise unsupported(known.name)
    types = [modifier] if modifier else sorted(known.targets or ())
    if not types or len(types) > MAX_TARGETS:
        raise unsupported(known.name, f"leads to many types: say which, such as {known.name}:Patient.name")
    found = [(each, criterion) for each in types if (criterion := read_criterion(each, inner)) is not None]
    chained = Chained(known.name, tuple(found))
    if links_of(chained) > MAX_JOINS:
        raise UnreadableError("leads to too many types of resources", location=known.name, code="too-costly")
    return chained if found else None


def _having(resource_type: str, asked: Asked) -> Criterion | None:
    """Return the criterion that a resource refers here: `_has:Observation:patient:code`, which may be nested."""
    _, source_type, param, name = [*asked.name.split(":", 3), "", "", ""][:4]
    if source_type not in RESOURCE_TYPES or not name:
        raise UnreadableError(
            "_has:Type:reference:parameter was expected, such as _has:Observation:patient:code",
            location="_has",
            code="value",
        )
    known = parameters_of(source_type).get(param)
    if known is None:
        return None
    if known.kind != "reference" or (known.targets is not None and resource_type not in known.targets):
        raise unsupported("_has", f"{source_type} does not refer to {resource_type} by {param}")
    inner = read_criterion(source_type, asked.inner(name))
    return None if inner is None else Having(source_type, param, inner)
