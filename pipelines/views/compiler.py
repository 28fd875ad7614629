"""Compiles a ViewDefinition to one SQL query, or refuses it; it never compiles to something else than what it says.

Rows are built as lists of structs inside one row per resource and unnested once at the end, so nested, sibling and
united selects need no joins. JSON is read by `from_json` with the structure of just the elements the view names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub_core.fhir.fhirpath.syntax import Path
from pipelines.views.comparison import truth
from pipelines.views.definition import Column, Select, ViewDefinition
from pipelines.views.dialects.dialect import Dialect
from pipelines.views.dialects.duckdb import DUCKDB
from pipelines.views.repeat import descend
from pipelines.views.structure import Shape
from pipelines.views.translate import Scope, translate
from pipelines.views.value import Names, Value, ViewRefusedError, family

_SQL_TYPES = {
    "boolean": "BOOLEAN",
    "integer": "INTEGER",
    "positiveInt": "INTEGER",
    "unsignedInt": "INTEGER",
    "integer64": "BIGINT",
    "decimal": "DOUBLE",
}
_TEXTUAL = frozenset({"text", "date", "time"})


@dataclass(frozen=True, slots=True)
class CompiledView:
    """A view as a query over a relation that has the envelope columns of the lake and `body`."""

    name: str
    resource: str
    columns: tuple[str, ...]
    sql: str
    """With the relation as `{source}`."""

    def over(self, source: str) -> str:
        """Return the query over a relation (a name or a query in brackets)."""
        return self.sql.replace("{source}", source)


@dataclass(frozen=True, slots=True)
class _Field:
    """A column of a block of rows: where its value comes from, and its SQL type."""

    name: str
    sql_type: str
    sql: str


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a select gives: one row (`list` is None: each field has its own SQL) or a list of structs."""

    fields: tuple[_Field, ...]
    dialect: Dialect
    list: str | None = None

    @property
    def struct(self) -> str:
        """Return SQL of the one row as a struct."""
        return self.dialect.row([(each.name, each.sql) for each in self.fields])

    @property
    def as_list(self) -> str:
        """Return SQL of the rows as a list of structs."""
        return self.list or self.dialect.list(self.struct)


def compile_view(
    view: ViewDefinition, envelope: Sequence[tuple[str, str]] = (), dialect: Dialect = DUCKDB
) -> CompiledView:
    """Return the query of a view.

    Args:
        view: the view.
        envelope: columns to carry over from the relation into each row: (column of the relation, name in the view).
        dialect: whose SQL to write.

    Raises:
        ViewRefusedError: if it says something that is not supported; the message names view, column and path.
    """
    try:
        return _compile(view, envelope, dialect)
    except ViewRefusedError as error:
        raise ViewRefusedError(f"view {view.name}: {error}") from error


def _compile(view: ViewDefinition, envelope: Sequence[tuple[str, str]], dialect: Dialect) -> CompiledView:
    shape = Shape(view.resource)
    resource = Value("resource", view.resource, dialect, shape=shape)
    is_raw = any(map(_repeats, view.selects))
    has_digits = any(map(_counts_digits, view.selects)) or any("Boundary(" in text for _, text in view.conditions)
    scope = Scope(resource, resource, view.constants, Names(dialect), dialect, is_raw=is_raw, has_digits=has_digits)
    conditions = [_condition(path, text, scope) for path, text in view.conditions]
    blocks = [_rows(select, scope) for select in view.selects]
    names = [name for _, name in envelope] + [each.name for block in blocks for each in block.fields]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ViewRefusedError(f"column {doubled[0]} is there twice")
    kept = [f"{dialect.identifier(column)} AS {dialect.identifier(name)}" for column, name in envelope]
    where = " AND ".join(f"coalesce({condition}, false)" for condition in conditions)
    carried = "".join(f"{dialect.identifier(column)}, " for column, _ in envelope)
    body = _with_digits(shape, dialect) if has_digits else "body"
    read = dialect.read_loosely(body) if is_raw else dialect.read(body, shape)
    parsed = f"SELECT {carried}{read} AS resource FROM {{source}}"  # noqa: S608 - quoted above
    sql = _query(kept, blocks, parsed, where, scope)
    return CompiledView(view.name, view.resource, tuple(names), sql)


def _repeats(select: Select) -> bool:
    return bool(select.repeat) or any(map(_repeats, select.selects + select.unions))


def _counts_digits(select: Select) -> bool:
    texts = [select.each_text, *(column.text for column in select.columns)]
    return any("Boundary(" in text for text in texts) or any(map(_counts_digits, select.selects + select.unions))


def _with_digits(shape: Shape, dialect: Dialect) -> str:
    """Return SQL of the body with its decimals in quotes: the engine's JSON reader makes 1.1 of 1.10.

    A name in quotes before a colon and a number can only be a member: inside a text its quotes would be escaped.
    """
    names = "|".join(sorted(shape.written_names()))
    if not names:
        return "body"
    return dialect.in_quotes("body", rf'("(?:{names})"\s*:\s*)(-?[0-9][0-9.eE+-]*)')


def _query(kept: list[str], blocks: list[_Rows], parsed: str, where: str, scope: Scope) -> str:
    singles = [each for block in blocks if block.list is None for each in block.fields]
    lists = [block for block in blocks if block.list is not None]
    column = scope.dialect.identifier
    selected = kept + [f"{each.sql} AS {column(each.name)}" for each in singles]
    filtered = f"FROM ({parsed})" + (f" WHERE {where}" if where else "")
    if not lists:
        return f"SELECT {', '.join(selected)} {filtered}"
    rows = _cross(lists, scope)
    inner = f"SELECT {', '.join([*selected, f'{scope.dialect.rows_of(rows.as_list)} AS view_row'])} {filtered}"
    own = [part.rsplit(" AS ", 1)[1] for part in kept]
    ordered = [
        column(each.name)
        if block.list is None
        else f"{scope.dialect.member('view_row', each.name)} AS {column(each.name)}"
        for block in blocks
        for each in block.fields
    ]
    return f"SELECT {', '.join(own + ordered)} FROM ({inner})"  # noqa: S608 - made of checked names


def _condition(path: Path, text: str, scope: Scope) -> str:
    try:
        return truth(translate(path, scope))
    except ViewRefusedError as error:
        raise ViewRefusedError(f"where {text!r}: {error}") from error


def _rows(select: Select, scope: Scope) -> _Rows:
    """Return the rows of a select, its forEach, forEachOrNull or repeat done."""
    if select.repeat:
        reached = descend(select.repeat, scope)
        return _none(select, scope.dialect) if reached is None else _each(reached, select, scope)
    if select.each is None:
        return _body(select, scope)
    try:
        things = translate(select.each, scope)
    except ViewRefusedError as error:
        raise ViewRefusedError(f"forEach {select.each_text!r}: {error}") from error
    if things.choice is not None:
        raise ViewRefusedError(f"forEach {select.each_text!r}: pick one type by ofType()")
    return _each(replace(things, sql=things.as_list, many=True), select, scope)


def _none(select: Select, dialect: Dialect) -> _Rows:
    """Return the empty list of rows of a select that never gives one."""
    fields = _untold(select, dialect)
    rows = dialect.list_type(dialect.row_type([(each.name, each.sql_type) for each in fields]))
    return _Rows(fields, dialect, f"CAST({dialect.list()} AS {rows})")


def _untold(select: Select, dialect: Dialect) -> tuple[_Field, ...]:
    """Return the columns of a select that never gives a row, of the types they are declared to have."""
    own = [
        _Field(each.name, dialect.list_type(kind) if each.collection else kind, "NULL")
        for each in select.columns
        for kind in [dialect.type(each.sql_type or _SQL_TYPES.get(each.type or "string", "VARCHAR"))]
    ]
    below = [field for child in (*select.selects, *select.unions[:1]) for field in _untold(child, dialect)]
    return (*own, *below)


def _each(things: Value, select: Select, scope: Scope) -> _Rows:
    thing, position = scope.names.new("e"), scope.names.new("i")
    dialect = scope.dialect
    body = _body(select, scope.on(replace(things, sql=thing, many=False), dialect.place(position)))
    source = things.sql
    if select.or_null:
        source = f"CASE WHEN {things.is_empty} THEN {dialect.list('NULL')} ELSE {source} END"
    rows = dialect.numbered(source, thing, position, body.list or body.struct)
    return _Rows(body.fields, dialect, dialect.flattened(rows) if body.list is not None else rows)


def _body(select: Select, scope: Scope) -> _Rows:
    """Return the rows of a select for one focus: columns first, then nested selects, then the union."""
    columns = tuple(_column(column, scope) for column in select.columns)
    blocks = [_Rows(columns, scope.dialect)] if columns else []
    blocks += [_rows(child, scope) for child in select.selects]
    if select.unions:
        blocks.append(_union([_rows(child, scope) for child in select.unions], scope.dialect))
    return _cross(blocks, scope)


def _union(branches: list[_Rows], dialect: Dialect) -> _Rows:
    first = [(each.name, each.sql_type) for each in branches[0].fields]
    for branch in branches[1:]:
        if [(each.name, each.sql_type) for each in branch.fields] != first:
            raise ViewRefusedError("the branches of a unionAll differ in their columns")
    united = dialect.flattened(dialect.list(*(branch.as_list for branch in branches)))
    return _Rows(branches[0].fields, dialect, united)


def _cross(blocks: list[_Rows], scope: Scope) -> _Rows:
    """Return every combination of the rows of several blocks."""
    lists = [block for block in blocks if block.list is not None]
    fields: list[_Field] = []
    names = {id(block): scope.names.new("v") for block in lists}
    for block in blocks:
        source = names.get(id(block))
        fields += [
            replace(each, sql=scope.dialect.member(source, each.name)) if source else each for each in block.fields
        ]
    if not lists:
        return _Rows(tuple(fields), scope.dialect)
    if len(blocks) == 1:
        return blocks[0]
    made = _Rows(tuple(fields), scope.dialect).struct
    for depth, block in enumerate(reversed(lists)):
        made = scope.dialect.transformed(block.as_list, names[id(block)], made)
        made = made if depth == 0 else scope.dialect.flattened(made)
    return _Rows(tuple(fields), scope.dialect, made)


def _column(column: Column, scope: Scope) -> _Field:
    try:
        value = translate(column.path, scope)
        if value.choice is not None:
            raise ViewRefusedError(f"{value.choice} has several types: pick one by ofType()")
        if value.family == "object":
            raise ViewRefusedError(f"gives a {value.type}, not a primitive")
        sql_type = scope.dialect.type(_sql_type(column, value))
    except ViewRefusedError as error:
        raise ViewRefusedError(f"column {column.name}, path {column.text!r}: {error}") from error
    if column.collection:
        several = scope.dialect.list_type(sql_type)
        return _Field(column.name, several, f"CAST(coalesce({value.as_list}, {scope.dialect.list()}) AS {several})")
    return _Field(column.name, sql_type, f"CAST({value.one.sql} AS {sql_type})")


def _sql_type(column: Column, value: Value) -> str:
    """Return the type a dialect is asked for a column, whose declared type must be able to hold what the path gives."""
    if column.sql_type is not None:
        if value.family != "number":
            raise ViewRefusedError(f"gives a {value.type}, not a number")
        return column.sql_type
    declared = column.type or value.type
    wanted, given = family(declared), value.family
    fits = wanted == given or wanted == "text" or {wanted, given} <= _TEXTUAL
    if not fits or (value.type == "decimal" and wanted == "number" and declared != "decimal"):
        raise ViewRefusedError(f"gives a {value.type}, but the column is declared {declared}")
    return _SQL_TYPES.get(declared, "VARCHAR")
