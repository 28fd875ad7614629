"""Turns the tree of a path into SQL over a struct of the resource, noting each element it reads in the shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from hub_core.fhir.elements import element, is_primitive
from hub_core.fhir.fhirpath.syntax import (
    Call,
    Constant,
    Index,
    Member,
    Nothing,
    Operation,
    Path,
    Polarity,
    Position,
    Quantity,
    This,
    Total,
    TypeName,
    TypeOperation,
    Variable,
    type_name,
)
from pipelines.views import boundary
from pipelines.views.comparison import equal, operate, truth
from pipelines.views.dialects.dialect import Dialect
from pipelines.views.value import Names, Value, ViewRefusedError

_UNSUPPORTED = {
    Quantity: "a number with a unit is",
    Nothing: "the empty collection {} is",
    Position: "$index is",
    Total: "$total is",
}
_ID = "[A-Za-z0-9.-]{1,64}"
_TYPE = "[A-Z][A-Za-z]+"
_RELATIVE = r"^{type}/{id}\z"
_REFERENCE = r"^(?:https?://.+/)?{type}/({id})(?:/_history/[^/]+)?\z"
"""References to a resource: as most are, which is quickly seen; and with a server before it and a version behind."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a path can speak of."""

    resource: Value
    focus: Value
    constants: Mapping[str, Constant]
    names: Names
    dialect: Dialect
    row_index: str = "0"
    """SQL of the position of the row in the nearest forEach."""
    is_raw: bool = False
    """Whether elements are JSON, and not structs: where a view has `repeat`."""
    has_digits: bool = False
    """Whether decimals are read as their text, whose digits can be counted: where a view asks for boundaries."""
    is_counted: bool = False
    """Whether the digits of this very path are counted."""

    def on(self, focus: Value, row_index: str | None = None) -> Scope:
        """Return the scope of a path that starts from `focus`."""
        return replace(self, focus=focus, row_index=row_index or self.row_index)


def translate(path: Path, scope: Scope) -> Value:
    """Return the SQL of a path.

    Raises:
        ViewRefusedError: if it asks for an element R4 does not have or a function that is not supported.
    """
    match path:
        case This():
            return scope.focus
        case Constant():
            return _constant(path, scope)
        case Variable():
            return _variable(path.name, scope)
        case Member():
            return _member(translate(path.base, scope), path.name, scope)
        case Index():
            return _index(translate(path.base, scope), path.position, scope)
        case Polarity():
            operand = translate(path.operand, scope).one
            return replace(operate(path.sign, Value("0", "integer", scope.dialect), operand), type=operand.type)
        case TypeOperation():
            return _as(path, scope)
        case Operation():
            return operate(path.operator, translate(path.left, scope), translate(path.right, scope))
        case Call():
            return _call(path, scope)
        case Quantity() | Nothing() | Position() | Total():
            raise ViewRefusedError(f"{_UNSUPPORTED[type(path)]} not supported")


def _constant(constant: Constant, scope: Scope) -> Value:
    is_bare = constant.type in ("integer", "boolean")
    sql = constant.text if is_bare else scope.dialect.text(constant.text)
    if constant.type == "decimal":
        sql = f"CAST({constant.text} AS DOUBLE)"
    return Value(sql, constant.type, scope.dialect)


def _variable(name: str, scope: Scope) -> Value:
    if name == "rowIndex":
        return Value(scope.row_index, "integer", scope.dialect)
    if name in ("resource", "context"):
        return scope.resource
    if name not in scope.constants:
        raise ViewRefusedError(f"the view defines no constant %{name}")
    return _constant(scope.constants[name], scope)


def _member(base: Value, name: str, scope: Scope) -> Value:
    if base.choice is not None:
        raise ViewRefusedError(f"{base.choice} has several types: pick one by ofType() before .{name}")
    if name == base.type and base is scope.resource:
        return base  # Patient.name, from the patient itself
    found = element(base.type, name)
    if found is None or base.shape is None:
        raise ViewRefusedError(f"{base.type} has no element {name}")
    if found.is_choice:
        return replace(base, choice=name)
    if len(found.types) != 1:
        raise ViewRefusedError(f"{base.type}.{name} has no single type")
    return _property(base, name, found.types[0], found.is_array, scope)


def _property(base: Value, json_name: str, type_: str, is_array: bool, scope: Scope) -> Value:
    """Return the JSON property `json_name` of each of the base values."""
    if base.shape is None:
        raise ViewRefusedError(f"{base.type} has no elements")
    written = scope.has_digits and type_ == "decimal"
    shape = base.shape.child(json_name, type_, many=is_array, primitive=is_primitive(type_), written=written)

    def extract(parent: Value) -> Value:
        if scope.is_raw:
            sql = scope.dialect.json_member(parent.sql, json_name, shape)
        else:
            sql = scope.dialect.member(parent.sql, json_name)
        if written and not scope.is_counted:
            sql = f"CAST({sql} AS DOUBLE)"
        present = scope.names.present(sql) if is_array and shape.primitive else sql
        return Value(present, type_, scope.dialect, is_array, shape)

    return scope.names.each(base, extract)


def _index(base: Value, position: Path, scope: Scope) -> Value:
    _refuse_choice(base)
    at = translate(position, scope)
    if at.type not in ("integer", "positiveInt", "unsignedInt") or not at.sql.isdigit():
        raise ViewRefusedError("an index must be a whole number or a constant of the view")
    if base.many:
        return replace(base, sql=scope.dialect.item(base.sql, int(at.sql)), many=False)
    return base if int(at.sql) == 0 else replace(base, sql=f"CASE WHEN false THEN {base.sql} END")


def _refuse_choice(base: Value) -> None:
    if base.choice is not None:
        raise ViewRefusedError(f"{base.choice} has several types: pick one by ofType()")


def _as(path: TypeOperation, scope: Scope) -> Value:
    if path.operator == "is":
        raise ViewRefusedError("the operator is is not supported: use ofType(...).exists()")
    return _of_type(translate(path.operand, scope), _known_name(path.type), scope)


def _type_name(path: Path) -> str:
    named = type_name(path)
    if named is None:
        raise ViewRefusedError("the name of a type is expected")
    return _known_name(named)


def _known_name(named: TypeName) -> str:
    if named.namespace not in (None, "FHIR", "System"):
        raise ViewRefusedError(f"{named.namespace} is not a namespace of types")
    return named.name


def _of_type(base: Value, type_: str, scope: Scope) -> Value:
    if base.choice is None:
        if base.type != type_:
            raise ViewRefusedError(f"{base.type} is never a {type_}")
        return base
    choice = element(base.type, base.choice)
    if choice is None or type_ not in choice.types:
        raise ViewRefusedError(f"{base.type}.{base.choice} is never a {type_}")
    return _property(replace(base, choice=None), choice.json_name(type_), type_, choice.is_array, scope)


def _call(call: Call, scope: Scope) -> Value:
    function = _FUNCTIONS.get(call.name)
    if function is None:
        raise ViewRefusedError(f"the function {call.name}() is not supported")
    low, high, run = function
    if not low <= len(call.arguments) <= high:
        raise ViewRefusedError(f"{call.name}() does not take {len(call.arguments)} arguments")
    if call.name in _BOUNDARIES:
        scope = replace(scope, is_counted=True)
        if isinstance(call.base, Operation | Polarity | Constant | Variable):
            raise ViewRefusedError(f"{call.name}() is of an element of the resource only")
    base = translate(call.base, scope)
    if call.name not in ("ofType", "as", "exists", "empty"):
        _refuse_choice(base)
    return run(base, call.arguments, scope)


def _where(base: Value, arguments: tuple[Path, ...], scope: Scope) -> Value:
    scope = replace(scope, is_counted=False)
    if not base.many:
        condition = truth(translate(arguments[0], scope.on(base)))
        return replace(base, sql=f"CASE WHEN {condition} THEN {base.sql} END")
    name = scope.names.new("w")
    condition = truth(translate(arguments[0], scope.on(replace(base, sql=name, many=False))))
    return replace(base, sql=scope.dialect.kept(base.sql, name, f"coalesce({condition}, false)"))


def _exists(base: Value, arguments: tuple[Path, ...], scope: Scope) -> Value:
    if arguments:
        _refuse_choice(base)
        base = _where(base, arguments, scope)
    return Value(f"NOT ({_nothing(base, scope)})", "boolean", scope.dialect)


def _empty(base: Value, arguments: tuple[Path, ...], scope: Scope) -> Value:
    return Value(f"({_nothing(base, scope)})", "boolean", scope.dialect)


def _nothing(base: Value, scope: Scope) -> str:
    """Return SQL that says whether there is nothing, of any type a choice allows."""
    if base.choice is None:
        return base.is_empty
    choice = element(base.type, base.choice)
    types = choice.types if choice else ()
    return " AND ".join(_of_type(base, type_, scope).is_empty for type_ in types)


def _not(base: Value, arguments: tuple[Path, ...], scope: Scope) -> Value:
    return Value(f"NOT ({truth(base)})", "boolean", scope.dialect)


def _first(base: Value, arguments: tuple[Path, ...], scope: Scope) -> Value:
    return replace(base, sql=scope.dialect.item(base.sql, 0), many=False) if base.many else base


def _last(base: Value, arguments: tuple[Path, ...], scope: Scope) -> Value:
    return replace(base, sql=scope.dialect.item(base.sql, -1), many=False) if base.many else base


def _count(base: Value, arguments: tuple[Path, ...], scope: Scope) -> Value:
    several = f"coalesce({scope.dialect.length(base.sql)}, 0)"
    counted = several if base.many else f"CASE WHEN {base.is_empty} THEN 0 ELSE 1 END"
    return Value(counted, "integer", scope.dialect)


def _pick_type(base: Value, arguments: tuple[Path, ...], scope: Scope) -> Value:
    return _of_type(base, _type_name(arguments[0]), scope)


def _extension(base: Value, arguments: tuple[Path, ...], scope: Scope) -> Value:
    url = _text(arguments[0], scope)
    extensions = _member(base, "extension", scope)
    name = scope.names.new("x")
    each = replace(extensions, sql=name, many=False)
    condition = equal(_member(each, "url", scope), Value(scope.dialect.text(url), "uri", scope.dialect)).sql
    return replace(extensions, sql=scope.dialect.kept(extensions.sql, name, f"coalesce({condition}, false)"))


def _join(base: Value, arguments: tuple[Path, ...], scope: Scope) -> Value:
    if base.family != "text":
        raise ViewRefusedError("join() joins texts only")
    separator = scope.dialect.text(_text(arguments[0], scope)) if arguments else "''"
    if not base.many:
        return base
    joined = scope.dialect.joined(base.sql, separator)
    return Value(f"CASE WHEN {base.is_empty} THEN NULL ELSE {joined} END", "string", scope.dialect)


def _text(path: Path, scope: Scope) -> str:
    """Return the text of an argument that must be known before any data is read."""
    known = scope.constants.get(path.name) if isinstance(path, Variable) else path
    if not isinstance(known, Constant) or known.type != "string":
        raise ViewRefusedError("a text in quotes or a constant of the view is expected")
    return known.text


def _resource_key(base: Value, arguments: tuple[Path, ...], scope: Scope) -> Value:
    if base != scope.resource:
        raise ViewRefusedError("getResourceKey() is of the resource of the view only")
    return _member(base, "id", scope)


def _reference_key(base: Value, arguments: tuple[Path, ...], scope: Scope) -> Value:
    if base.type != "Reference":
        raise ViewRefusedError(f"getReferenceKey() is of a Reference, not of a {base.type}")
    wanted, dialect = re.escape(_type_name(arguments[0])) if arguments else _TYPE, scope.dialect

    def key(reference: Value) -> Value:
        is_relative = dialect.fits(reference.sql, _RELATIVE.format(type=wanted, id=_ID))
        found = dialect.matched(reference.sql, _REFERENCE.format(type=wanted, id=_ID), 1)
        sql = f"CASE WHEN {is_relative} THEN split_part({reference.sql}, '/', 2) ELSE nullif({found}, '') END"
        return Value(sql, "string", dialect)

    return scope.names.each(_member(base, "reference", scope), key)


def _starts_with(base: Value, arguments: tuple[Path, ...], scope: Scope) -> Value:
    if base.family != "text":
        raise ViewRefusedError("startsWith() is of a text")
    start = scope.dialect.text(_text(arguments[0], scope))
    return Value(scope.dialect.starts_with(base.one.sql, start), "boolean", scope.dialect)


def _low_boundary(base: Value, arguments: tuple[Path, ...], scope: Scope) -> Value:
    return boundary.low(base)


def _high_boundary(base: Value, arguments: tuple[Path, ...], scope: Scope) -> Value:
    return boundary.high(base)


_BOUNDARIES = frozenset({"lowBoundary", "highBoundary"})

_Function: TypeAlias = Callable[[Value, tuple[Path, ...], Scope], Value]
_FUNCTIONS: dict[str, tuple[int, int, _Function]] = {
    "where": (1, 1, _where),
    "exists": (0, 1, _exists),
    "empty": (0, 0, _empty),
    "not": (0, 0, _not),
    "first": (0, 0, _first),
    "last": (0, 0, _last),
    "count": (0, 0, _count),
    "ofType": (1, 1, _pick_type),
    "as": (1, 1, _pick_type),
    "extension": (1, 1, _extension),
    "join": (0, 1, _join),
    "getResourceKey": (0, 0, _resource_key),
    "getReferenceKey": (0, 1, _reference_key),
    "startsWith": (1, 1, _starts_with),
    "lowBoundary": (0, 0, _low_boundary),
    "highBoundary": (0, 0, _high_boundary),
}
