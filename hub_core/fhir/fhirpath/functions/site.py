"""Where a function is called, and the forms most functions have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from hub_core.errors import PathError
from hub_core.fhir.fhirpath.frame import Evaluator, Frame
from hub_core.fhir.fhirpath.kinds import is_a, is_known
from hub_core.fhir.fhirpath.nodes import Nodes
from hub_core.fhir.fhirpath.syntax import Path, Position, TypeName, children, type_name
from hub_core.fhir.fhirpath.values import Scalar, made, scalar, single

MOST = 1_000_000
"""Values that one function may make; a path that asks for more is wrong."""


@dataclass(frozen=True, slots=True)
class Site:
    """A call: what it is made on and with."""

    name: str
    base: Evaluator
    paths: tuple[Path, ...]
    compiled: Callable[[Path], Evaluator]
    at: int

    @property
    def arguments(self) -> tuple[Evaluator, ...]:
        """Return the arguments ready to be evaluated: where the call stands, or for each thing gone through."""
        return tuple(map(self.compiled, self.paths))

    @property
    def type(self) -> TypeName:
        """Return the type that the first argument names.

        Raises:
            PathError: if it names none.
        """
        named = type_name(self.paths[0])
        if named is None:
            raise PathError(f"gives {self.name}() what is no name of a type", self.at)
        return known_type(named, self.at)

    @property
    def counts(self) -> bool:
        """Return whether the first argument, asked of each thing, asks how many came before it."""
        return _asks_position(self.paths[0])

    def refuse(self, reason: str) -> PathError:
        """Return the error that something about the call is wrong."""
        return PathError(f"{reason} in {self.name}()", self.at)


Build: TypeAlias = Callable[[Site], Evaluator]
Functions: TypeAlias = dict[str, tuple[int, int, Build]]
"""By name: the fewest and the most arguments, and what makes the call ready."""


def known_type(named: TypeName, at: int) -> TypeName:
    """Return the name of a type as it is, if there is such a type.

    Raises:
        PathError: if there is none.
    """
    if named.namespace not in (None, "FHIR", "System") or (named.namespace != "System" and not is_known(named.name)):
        raise PathError(f"names a type {named.name}, which is not known,", at)
    return named


def of_type(nodes: Nodes, wanted: TypeName) -> Nodes:
    """Return the nodes that are of a type: `as` goes through collections too, as R4's own definitions expect."""
    name, namespace = wanted.name, wanted.namespace
    return [node for node in nodes if is_a(node.type, name, namespace)]


def on_all(run: Callable[[Nodes], Nodes | bool | int | None]) -> Build:
    """Return the form of a function that takes all there is, and no arguments."""

    def build(site: Site) -> Evaluator:
        base = site.base

        def call(this: Nodes, frame: Frame) -> Nodes:
            result = run(base(this, frame))
            return result if isinstance(result, list) else made(result)

        return call

    return build


def with_other(run: Callable[[Nodes, Nodes], Nodes | bool]) -> Build:
    """Return the form of a function of two collections."""

    def build(site: Site) -> Evaluator:
        base, (other,) = site.base, site.arguments

        def call(this: Nodes, frame: Frame) -> Nodes:
            result = run(base(this, frame), other(this, frame))
            return result if isinstance(result, list) else made(result)

        return call

    return build


def on_one(run: Callable[..., Any], *types: type | tuple[type, ...]) -> Build:
    """Return the form of a function of one value and single arguments: nothing where one of them is missing.

    Args:
        run: gets the values and gives one, a list of them or None.
        types: what each of the values must be.
    """

    def build(site: Site) -> Evaluator:
        sources = (site.base, *site.arguments)

        def call(this: Nodes, frame: Frame) -> Nodes:
            given: list[Scalar] = []
            for source, wanted in zip(sources, types, strict=False):
                node = single(source(this, frame), f"what {site.name}() is of", site.at)
                if node is None:
                    return []
                given.append(_fitting(scalar(node), wanted, site))
            result = run(*given)
            return [each for value in result for each in made(value)] if isinstance(result, list) else made(result)

        return call

    return build


def _fitting(value: Scalar | None, wanted: type | tuple[type, ...], site: Site) -> Scalar:
    if wanted is Decimal and isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if value is None or not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise site.refuse("finds a value of a type it cannot take")
    return value


def _asks_position(path: Path) -> bool:
    return isinstance(path, Position) or any(map(_asks_position, children(path)))
