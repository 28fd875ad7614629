"""Evaluates FHIRPath over a resource: `compile_path("Patient.name.given")(resource)` gives nodes with their types.

A path is made into closures once and kept. Paths are trusted: they come from definitions (search parameters, views,
profiles), never from a request. What they are evaluated over may be hostile: no function takes more than linear time in
it unless the path itself goes through it again for each of its parts, and patterns are matched in linear time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from hub_core.fhir.canonical import Json
from hub_core.fhir.fhirpath.compiling import compiled
from hub_core.fhir.fhirpath.frame import Evaluator, Frame, Given, Resolver
from hub_core.fhir.fhirpath.nodes import Node, Nodes, of_resource
from hub_core.fhir.fhirpath.parsing import parse
from hub_core.fhir.fhirpath.syntax import Call, Path, Variable, children
from hub_core.fhir.fhirpath.values import decimal, made

_NONE: Mapping[str, Any] = {}
_NOTHING = Frame(Given(Node({}, "Resource"), [], _NONE, None, None))
_ASKING = frozenset({"resolve", "now", "today", "timeOfDay"})
"""Functions of more than what they are called on."""


@dataclass(frozen=True, slots=True)
class CompiledPath:
    """A path ready to be evaluated, any number of times and in any thread."""

    text: str
    run: Evaluator
    is_plain: bool
    """Whether it speaks of nothing but what it starts from, and so needs to be given nothing else."""

    def __call__(
        self,
        resource: Json,
        variables: Mapping[str, Any] = _NONE,
        *,
        resolver: Resolver | None = None,
        now: datetime | None = None,
    ) -> Nodes:
        """Return what the path gives for a resource.

        Args:
            resource: the resource, as `hub_core.fhir.canonical` reads it.
            variables: what the path may call `%name`: a text, number or boolean, or nodes.
            resolver: gives the resource a reference means; without it `resolve()` knows contained resources and, of
                others, type and id as far as the reference's text tells them.
            now: the time of the evaluation; the clock's if not given.

        Raises:
            PathError: if the path means nothing for this resource, such as several values where one is asked for.
        """
        if self.is_plain:
            return list(self.run([of_resource(resource)], _NOTHING))
        return self.of(of_resource(resource), resource, variables, resolver=resolver, now=now)

    def of(
        self,
        node: Node,
        resource: Json,
        variables: Mapping[str, Any] = _NONE,
        *,
        resolver: Resolver | None = None,
        now: datetime | None = None,
    ) -> Nodes:
        """Return what the path gives for a node of a resource, such as an element that an invariant is about.

        Raises:
            PathError: if the path means nothing for this node.
        """
        start = [node]
        known: Mapping[str, Nodes] = _NONE
        if variables:
            known = {name: _given(value) for name, value in variables.items()}
        root = node if node.value is resource else of_resource(resource)
        return list(self.run(start, Frame(Given(root, start, known, resolver, now))))


@lru_cache(maxsize=4096)
def compile_path(text: str) -> CompiledPath:
    """Return a path ready to be evaluated; the same text is compiled once.

    Raises:
        PathError: if it is not FHIRPath, or asks for a function or a type that is not known.
    """
    path = parse(text)
    return CompiledPath(text, compiled(path), _is_plain(path))


def evaluate(path: str, resource: Json, variables: Mapping[str, Any] = _NONE) -> Nodes:
    """Return what a path gives for a resource.

    Raises:
        PathError: if it is not FHIRPath or means nothing for this resource.
    """
    return compile_path(path)(resource, variables)


def _is_plain(path: Path) -> bool:
    if isinstance(path, Variable) or (isinstance(path, Call) and path.name in _ASKING):
        return False
    return all(map(_is_plain, children(path)))


def _given(value: Any) -> Nodes:
    if isinstance(value, list):
        return value
    return made(decimal(value) if isinstance(value, float) else value)
