"""A ViewDefinition as dataclasses, read from its JSON and checked before anything is compiled.

SQL-on-FHIR v2, StructureDefinition ViewDefinition (https://sql-on-fhir.org/ig/StructureDefinition-ViewDefinition.html).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hub_core.errors import PathError
from hub_core.fhir.canonical import Json
from hub_core.fhir.elements import is_resource_type
from hub_core.fhir.fhirpath.parsing import parse
from hub_core.fhir.fhirpath.syntax import Constant, LiteralType, Path
from pipelines.views.value import ViewRefusedError, family

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_DECIMAL = re.compile(r"DECIMAL\((\d{1,2}),\s?(\d{1,2})\)", re.ASCII)
_SELECT = frozenset({"column", "select", "unionAll", "forEach", "forEachOrNull", "repeat", "id", "extension"})
_COLUMN = frozenset({"name", "path", "type", "collection", "description", "tag", "id", "extension"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the rows a select gives."""

    name: str
    path: Path
    text: str
    type: str | None
    collection: bool
    sql_type: str | None
    """What the tag `ansi/type` asks for."""


@dataclass(frozen=True, slots=True)
class Select:
    """Columns, further selects and unions, for the resource or for each of what a path gives."""

    columns: tuple[Column, ...]
    selects: tuple[Select, ...]
    unions: tuple[Select, ...]
    each: Path | None = None
    each_text: str = ""
    or_null: bool = False
    repeat: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class ViewDefinition:
    """One view: the resource type it reads, its constants, its conditions and its rows."""

    name: str
    resource: str
    constants: dict[str, Constant]
    selects: tuple[Select, ...]
    conditions: tuple[tuple[Path, str], ...]


def read_definition(view: Json) -> ViewDefinition:
    """Return the view that the JSON describes.

    Raises:
        ViewRefusedError: if it is not a ViewDefinition or a path is not in the grammar.
    """
    name = view.get("name") or view.get("resource") or "view"
    try:
        resource = _text(view, "resource")
        if not is_resource_type(resource):
            raise ViewRefusedError(f"R4 has no resource type {resource}")
        return ViewDefinition(
            name=_identifier(str(name)),
            resource=resource,
            constants=dict(_constant(item) for item in _objects(view, "constant")),
            selects=tuple(_select(item) for item in _objects(view, "select", required=True)),
            conditions=tuple(_condition(item) for item in _objects(view, "where")),
        )
    except ViewRefusedError as error:
        raise ViewRefusedError(f"view {name}: {error}") from error


def _select(item: Json) -> Select:
    _refuse_unknown(item, _SELECT, "select")
    iterations = [key for key in ("forEach", "forEachOrNull", "repeat") if key in item]
    if len(iterations) > 1:
        raise ViewRefusedError(f"a select has {' and '.join(iterations)}")
    each_text = _text(item, iterations[0]) if iterations and iterations != ["repeat"] else ""
    select = Select(
        columns=tuple(_column(column) for column in _objects(item, "column")),
        selects=tuple(_select(child) for child in _objects(item, "select")),
        unions=tuple(_select(child) for child in _objects(item, "unionAll")),
        each=_path(each_text) if each_text else None,
        each_text=each_text,
        or_null="forEachOrNull" in item,
        repeat=tuple(_path(path) for path in _texts(item, "repeat")),
    )
    if not (select.columns or select.selects or select.unions):
        raise ViewRefusedError("a select has no columns")
    return select


def _column(item: Json) -> Column:
    _refuse_unknown(item, _COLUMN, "column")
    name = _identifier(_text(item, "name"))
    text = _text(item, "path")
    try:
        path = _path(text)
    except ViewRefusedError as error:
        raise ViewRefusedError(f"column {name}: {error}") from error
    type_ = item.get("type")
    if type_ is not None and (not isinstance(type_, str) or family(type_) == "object"):
        raise ViewRefusedError(f"column {name}: its type is not a primitive")
    return Column(name, path, text, type_, item.get("collection") is True, _sql_type(item, name))


def _sql_type(item: Json, name: str) -> str | None:
    for tag in _objects(item, "tag"):
        if tag.get("name") == "ansi/type":
            match = _DECIMAL.fullmatch(str(tag.get("value")))
            if match is None or not int(match[2]) <= int(match[1]) <= 38:
                raise ViewRefusedError(f"column {name}: the tag ansi/type is supported for DECIMAL(p,s) only")
            return match[0]
    return None


def _condition(item: Json) -> tuple[Path, str]:
    text = _text(item, "path")
    return _path(text), text


def _constant(item: Json) -> tuple[str, Constant]:
    name = _identifier(_text(item, "name"))
    values = {key: value for key, value in item.items() if key.startswith("value")}
    if len(values) != 1:
        raise ViewRefusedError(f"the constant {name} needs one value")
    key, value = next(iter(values.items()))
    type_ = key.removeprefix("value")
    return name, Constant(_written(value), _literal_type(type_[:1].lower() + type_[1:], value, name))


def _literal_type(type_: str, value: object, name: str) -> LiteralType:
    kind = family(type_)
    if isinstance(value, bool) != (kind == "boolean") or isinstance(value, int | float | Decimal) != (
        kind in ("number", "boolean")
    ):
        raise ViewRefusedError(f"the value of the constant {name} is not of its type")
    if kind == "number":
        return "decimal" if type_ == "decimal" else "integer"
    if kind == "date":
        return "date" if type_ == "date" else "dateTime"
    if kind in ("boolean", "time"):
        return "boolean" if kind == "boolean" else "time"
    return "string"


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _path(text: object) -> Path:
    if not isinstance(text, str):
        raise ViewRefusedError("a path is not a text")
    try:
        return parse(text)
    except PathError as error:
        raise ViewRefusedError(f"the path {text!r} {error}") from error


def _identifier(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ViewRefusedError(f"{name!r} cannot be the name of a column, a constant or a view")
    return name


def _text(item: Json, key: str) -> str:
    value = item.get(key)
    if not isinstance(value, str) or not value:
        raise ViewRefusedError(f"{key} is missing or not a text")
    return value


def _texts(item: Json, key: str) -> list[Any]:
    value = item.get(key, [])
    if not isinstance(value, list) or (key in item and not value):
        raise ViewRefusedError(f"{key} is not a list of paths")
    return value


def _objects(item: Json, key: str, *, required: bool = False) -> list[Json]:
    value = item.get(key, [])
    if not isinstance(value, list) or not all(isinstance(child, dict) for child in value) or (required and not value):
        raise ViewRefusedError(f"{key} is missing or not a list of objects")
    return value


def _refuse_unknown(item: Json, known: frozenset[str], what: str) -> None:
    unknown = sorted(key for key in item if key not in known and not key.startswith("_"))
    if unknown:
        raise ViewRefusedError(f"a {what} has the unknown member {unknown[0]}")
