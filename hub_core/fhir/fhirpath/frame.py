"""What a path may speak of besides what it starts from: the resource, variables, the time, other resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from hub_core import clock
from hub_core.fhir.canonical import Json
from hub_core.fhir.fhirpath.nodes import Node, Nodes

Resolver: TypeAlias = Callable[[str], Json | None]
"""Gives the resource that a reference's text means, None where it is not known."""


class Given:
    """What stays the same for one whole evaluation."""

    __slots__ = ("_now", "context", "resolver", "resource", "variables")

    def __init__(
        self,
        resource: Node,
        context: Nodes,
        variables: Mapping[str, Nodes],
        resolver: Resolver | None,
        now: datetime | None,
    ) -> None:
        self.resource = resource
        self.context = context
        self.variables = variables
        self.resolver = resolver
        self._now = now

    @property
    def now(self) -> datetime:
        """Return the time of the evaluation, however often it is asked for."""
        if self._now is None:
            self._now = clock.now()
        return self._now


class Frame:
    """Where an evaluation is: what was given, and how far the functions around have gone."""

    __slots__ = ("given", "position", "total")

    def __init__(self, given: Given, position: int | None = None, total: Nodes | None = None) -> None:
        self.given = given
        self.position = position
        """`$index`"""
        self.total = total
        """`$total`"""

    def at_position(self, position: int) -> Frame:
        """Return the frame for one of the things a function goes through."""
        return Frame(self.given, position, self.total)

    def with_total(self, total: Nodes, position: int) -> Frame:
        """Return the frame for one of the things that are gathered."""
        return Frame(self.given, position, total)


Evaluator: TypeAlias = Callable[[Nodes, Frame], Nodes]
"""A path made ready: (`$this`, frame) -> what it gives."""
