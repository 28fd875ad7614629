"""DuckDB's SQL: the dialect of `wholechart build` and `wholechart view`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pipelines.views.structure import Shape
from pipelines.views.value import quoted


class DuckDB:
    """DuckDB: lists count from one, `from_json` wants the structure told as JSON."""

    name = "duckdb"
    session: tuple[str, ...] = ("SET TimeZone = 'UTC'",)

    def identifier(self, name: str) -> str:
        """Return a name of a column."""
        return f'"{name}"'

    def text(self, text: str) -> str:
        """Return the literal of a text."""
        return quoted(text)

    def type(self, type_: str) -> str:
        """Return the dialect's name of a type."""
        return type_

    def list_type(self, type_: str) -> str:
        """Return the type of lists of a type."""
        return f"{type_}[]"

    def row_type(self, fields: Sequence[tuple[str, str]]) -> str:
        """Return the type of a struct."""
        return "STRUCT(" + ", ".join(f'"{name}" {type_}' for name, type_ in fields) + ")"

    def read(self, body: str, shape: Shape) -> str:
        """Return a struct of the elements of a shape."""
        structure = json.dumps(_object(shape), separators=(",", ":"))
        return f"from_json({body}, {quoted(structure)})"

    def read_loosely(self, body: str) -> str:
        """Return the text of a resource as JSON."""
        return f"CAST({body} AS JSON)"

    def member(self, struct: str, name: str) -> str:
        """Return a field of a struct."""
        return f"struct_extract({struct}, {quoted(name)})"

    def json_member(self, json: str, name: str, shape: Shape) -> str:
        """Return a property of JSON."""
        path = quoted(f"$.{name}[*]" if shape.many else f"$.{name}")
        if not shape.primitive:
            return f"json_extract({json}, {path})"
        stored = f"{shape.stored_as}[]" if shape.many else shape.stored_as
        return f"CAST(json_extract_string({json}, {path}) AS {stored})"

    def row(self, fields: Sequence[tuple[str, str]]) -> str:
        """Return a struct."""
        return "struct_pack(" + ", ".join(f'"{name}" := {sql}' for name, sql in fields) + ")"

    def list(self, *items: str) -> str:
        """Return a list."""
        return f"[{', '.join(items)}]"

    def transformed(self, items: str, name: str, made: str) -> str:
        """Return what is made of each item."""
        return f"list_transform({items}, lambda {name}: {made})"

    def numbered(self, items: str, name: str, position: str, made: str) -> str:
        """Return what is made of each item and its place."""
        return f"list_transform({items}, lambda {name}, {position}: {made})"

    def place(self, position: str) -> str:
        """Return the place in a list."""
        return f"({position} - 1)"

    def kept(self, items: str, name: str, condition: str) -> str:
        """Return the items that meet a condition."""
        return f"list_filter({items}, lambda {name}: {condition})"

    def flattened(self, lists: str) -> str:
        """Return one list of the items of lists."""
        return f"flatten({lists})"

    def chained(self, first: str, second: str) -> str:
        """Return two lists as one."""
        return f"list_concat({first}, {second})"

    def item(self, items: str, position: int) -> str:
        """Return an item of a list."""
        return f"list_extract({items}, {position if position < 0 else position + 1})"

    def length(self, items: str) -> str:
        """Return how many items a list has."""
        return f"len({items})"

    def joined(self, items: str, separator: str) -> str:
        """Return texts as one."""
        return f"array_to_string({items}, {separator})"

    def rows_of(self, items: str) -> str:
        """Return a row for each item."""
        return f"unnest({items})"

    def stop(self, reason: str) -> str:
        """Return what stops the query."""
        return f"error({quoted(reason)})"

    def fits(self, text: str, pattern: str) -> str:
        """Return whether a pattern is found."""
        return f"regexp_matches({text}, {quoted(pattern)})"

    def matched(self, text: str, pattern: str, group: int) -> str:
        """Return what a group found."""
        return f"regexp_extract({text}, {quoted(pattern)}, {group})"

    def in_quotes(self, text: str, pattern: str) -> str:
        """Return a text with quotes around the second group, everywhere."""
        return rf"""regexp_replace({text}, {quoted(pattern)}, '\1"\2"', 'g')"""

    def starts_with(self, text: str, start: str) -> str:
        """Return whether a text starts with another."""
        return f"starts_with({text}, {start})"

    def moment(self, text: str) -> str:
        """Return a point in time."""
        return f"CAST({text} AS TIMESTAMPTZ)"

    def rounded(self, number: str, digits: str) -> str:
        """Return a number rounded."""
        return f"round({number}, {digits})"


DUCKDB = DuckDB()


def _object(shape: Shape) -> dict[str, Any]:
    return {name: _whole(child) for name, child in shape.children.items()}


def _whole(shape: Shape) -> Any:
    inner: Any = shape.stored_as if shape.primitive else _object(shape) or "JSON"
    return [inner] if shape.many else inner
