"""What a resource can be found by: the values of its search parameters, ready for an index.

Which parameters a type has, and the ways through its JSON to their values, stand in `search_parameters`; how a value is
indexed follows from the type at the end of a way (`indexed_types`). All ways of a type are gone in one walk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from hub_core.fhir.indexed_types import Quantity, SearchValues, Take, taker
from hub_core.fhir.search_parameters import Step, codes_of_quantities, parameters_of, placed

if TYPE_CHECKING:
    from hub_core.fhir.canonical import Json

_Taken: TypeAlias = tuple[str, Take, bool]
"""Of a parameter with values at some place: its name, what takes a value, and whether with its place."""


@dataclass(slots=True)
class _Node:
    """What is looked for at one place in the JSON of a resource, and below it."""

    takes: list[_Taken] = field(default_factory=list)
    children: list[tuple[str, str | None, _Node]] = field(default_factory=list)
    """Below a property; or, with what it must say, in the same place."""

    def below(self, steps: Iterable[Step]) -> _Node:
        """Return the node that steps lead to, made where there is none."""
        node = self
        for step in steps:
            name, said = (step, None) if isinstance(step, str) else step
            known = next((child for key, text, child in node.children if (key, text) == (name, said)), None)
            if known is None:
                known = _Node()
                node.children.append((name, said, known))
            node = known
        return node


def index(resource: Json) -> SearchValues:
    """Return the search values of a resource; none for a type R4 does not have."""
    values = SearchValues()
    plan, facts = _plan(resource.get("resourceType", ""))
    for key, found in resource.items():
        if (node := plan.get(key)) is None:
            continue
        if type(found) is list:
            for place, each in enumerate(found, 1):
                _take(each, node, values, place)
        else:
            _take(found, node, values, None)
    for param, keys in facts:
        said = any(resource.get(key) not in (None, False) for key in keys)
        values.tokens.append((param, None, "true" if said else "false", None, None))
    if values.quantities and (coded := codes_of_quantities(resource["resourceType"])):
        values.quantities[:] = _coded(values, coded)
    for several in (values.tokens, values.strings, values.dates, values.references, values.quantities):
        if len(several) > 1:
            several[:] = dict.fromkeys(several)  # type: ignore[arg-type]
    return values


def _take(value: Any, node: _Node, values: SearchValues, place: int | None) -> None:
    for param, take, is_placed in node.takes:
        take(param, value, values, place if is_placed else None)
    if not node.children or type(value) is not dict:
        return
    for name, said, child in node.children:
        if name not in value:
            continue
        found = value[name] if said is None else value if value[name] == said else ()
        for each in found if type(found) is list else (found,):
            _take(each, child, values, place)


def _coded(values: SearchValues, coded: Mapping[str, str]) -> Iterator[Quantity]:
    """Return quantities with the codes of what they are values of; one that has several codes, once for each.

    What has codes has one value (R4): of more in one place, only the first is taken.
    """
    codes: dict[tuple[str, int | None], dict[str, None]] = {}
    for param, _, code, _, place in values.tokens:
        if code is not None:
            codes.setdefault((param, place), {})[code] = None
    taken: set[tuple[str, int | None]] = set()
    for quantity in values.quantities:
        stands = quantity[0], quantity[6]
        if (of := coded.get(quantity[0])) is None:
            yield quantity
        elif stands not in taken:
            taken.add(stands)
            for code in codes.get((of, quantity[6])) or (None,):
                yield (*quantity[:7], code)


@cache
def _plan(resource_type: str) -> tuple[dict[str, _Node], list[tuple[str, tuple[str, ...]]]]:
    """Return what to look for in a type, and which facts it always states."""
    plan = _Node()
    facts = []
    apart = placed(resource_type)
    for parameter in parameters_of(resource_type).values():
        if not parameter.is_stored:
            continue
        if parameter.ways[0].type_name == "fact":
            facts.append((parameter.name, tuple(str(way.steps[0]) for way in parameter.ways)))
            continue
        for way in parameter.ways:
            is_placed = (str(way.steps[0]), parameter.name) in apart
            plan.below(way.steps).takes.append((parameter.name, taker(parameter, way), is_placed))
    return {name: node for name, _, node in plan.children}, facts
