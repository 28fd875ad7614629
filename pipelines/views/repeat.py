"""`repeat`: everything reached by following paths again and again, such as the items within items of a questionnaire.

How deep a resource goes is not known beforehand. Levels are followed to a fixed depth, and below it the query stops
with an error rather than leave rows out. Views with `repeat` read JSON as JSON: no structure could be told for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub_core.fhir.elements import is_of_some_resource
from hub_core.fhir.fhirpath.syntax import Member, Path
from pipelines.views.translate import Scope, translate
from pipelines.views.value import Value, ViewRefusedError

_DEEPEST = 10
"""Levels that are followed; questionnaires in use have three or four."""
_TOO_DEEP = f"repeat goes deeper than {_DEEPEST} levels"


def descend(paths: Sequence[Path], scope: Scope) -> Value | None:
    """Return all elements below the focus that the paths reach, each before those below it.

    None where the paths name elements of other resources only, and so reach nothing in this one.

    Raises:
        ViewRefusedError: if a path names what no resource has, or the paths reach elements of different types.
    """
    first, unknown_at_first = _reached(paths, scope)
    if first is None:
        if all(isinstance(path, Member) and is_of_some_resource(path.name) for path in paths):
            return None
        raise ViewRefusedError("repeat: no path leads from here to an element")
    name = scope.names.new("r")
    _, unknown_below = _reached(paths, scope.on(Value(name, first.type, scope.dialect, shape=first.shape)))
    if unknown_at_first & unknown_below:
        raise ViewRefusedError("repeat: a path leads to no element")
    below = _below(first, paths, scope, _DEEPEST)
    return Value(below, first.type, scope.dialect, many=True, shape=first.shape)


def _below(things: Value, paths: Sequence[Path], scope: Scope, levels: int) -> str:
    """Return SQL of a list with the things and all below each."""
    dialect, name = scope.dialect, scope.names.new("r")
    children, _ = _reached(paths, scope.on(Value(name, things.type, scope.dialect, shape=things.shape)))
    if children is None:
        return things.sql
    if children.type != things.type:
        raise ViewRefusedError(f"repeat: the paths reach both {things.type} and {children.type}")
    if levels == 0:
        kept = f"CASE WHEN {children.is_empty} THEN {name} ELSE {dialect.stop(_TOO_DEEP)} END"
        return dialect.transformed(things.sql, name, kept)
    below = _below(children, paths, scope, levels - 1)
    with_below = dialect.chained(dialect.list(name), below)
    return dialect.flattened(dialect.transformed(things.sql, name, with_below))


def _reached(paths: Sequence[Path], scope: Scope) -> tuple[Value | None, set[int]]:
    """Return all that the paths reach from the focus in one step, and which of them name no element of it."""
    reached: list[Value] = []
    unknown: set[int] = set()
    for number, path in enumerate(paths):
        try:
            value = translate(path, scope)
        except ViewRefusedError:
            unknown.add(number)
            continue
        if value.choice is not None or value.family != "object":
            raise ViewRefusedError("repeat: a path reaches a primitive")
        reached.append(value)
    if not reached:
        return None, unknown
    types = sorted({value.type for value in reached})
    if len(types) > 1:
        raise ViewRefusedError(f"repeat: the paths reach both {' and '.join(types)}")
    lists = scope.dialect.list(*(f"coalesce({value.as_list}, {scope.dialect.list()})" for value in reached))
    found = scope.dialect.flattened(lists)
    return Value(found, types[0], scope.dialect, many=True, shape=reached[0].shape), unknown
