"""Spark's SQL (4.0 and later), for lakes that have outgrown one machine."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.views.structure import Shape
from pipelines.views.value import ViewRefusedError


class Spark:
    """Spark: lists count from zero, `from_json` wants the structure as a type, JSON of no structure is a VARIANT."""

    name = "spark"
    session: tuple[str, ...] = (
        "SET spark.sql.ansi.enabled = true",
        "SET spark.sql.session.timeZone = UTC",
        # lambdas are resolved one level a turn, and those of `repeat` may have more than the 100 that are allowed
        "SET spark.sql.analyzer.maxIterations = 1000",
    )

    def identifier(self, name: str) -> str:
        """Return a name of a column."""
        return f"`{name}`"

    def text(self, text: str) -> str:
        """Return the literal of a text; Spark reads backslashes in it, and takes two quotes for two literals."""
        if "\0" in text:
            raise ViewRefusedError("a text has a NUL character in it")
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def type(self, type_: str) -> str:
        """Return the dialect's name of a type."""
        return "STRING" if type_ == "VARCHAR" else type_

    def list_type(self, type_: str) -> str:
        """Return the type of lists of a type."""
        return f"ARRAY<{type_}>"

    def row_type(self, fields: Sequence[tuple[str, str]]) -> str:
        """Return the type of a struct."""
        return "STRUCT<" + ", ".join(f"`{name}`: {type_}" for name, type_ in fields) + ">"

    def read(self, body: str, shape: Shape) -> str:
        """Return a struct of the elements of a shape."""
        return f"from_json({body}, {self.text(self._object(shape))})"

    def read_loosely(self, body: str) -> str:
        """Return the text of a resource as JSON."""
        return f"parse_json({body})"

    def member(self, struct: str, name: str) -> str:
        """Return a field of a struct."""
        return f"({struct}).`{name}`"

    def json_member(self, json: str, name: str, shape: Shape) -> str:
        """Return a property of JSON."""
        type_ = self.type(shape.stored_as) if shape.primitive else "VARIANT"
        path = self.text(f"$.{name}")
        return f"try_variant_get({json}, {path}, {self.text(self.list_type(type_) if shape.many else type_)})"

    def row(self, fields: Sequence[tuple[str, str]]) -> str:
        """Return a struct."""
        return "named_struct(" + ", ".join(f"{self.text(name)}, {sql}" for name, sql in fields) + ")"

    def list(self, *items: str) -> str:
        """Return a list."""
        return f"array({', '.join(items)})"

    def transformed(self, items: str, name: str, made: str) -> str:
        """Return what is made of each item."""
        return f"transform({items}, {name} -> {made})"

    def numbered(self, items: str, name: str, position: str, made: str) -> str:
        """Return what is made of each item and its place."""
        return f"transform({items}, ({name}, {position}) -> {made})"

    def place(self, position: str) -> str:
        """Return the place in a list."""
        return position

    def kept(self, items: str, name: str, condition: str) -> str:
        """Return the items that meet a condition."""
        return f"filter({items}, {name} -> {condition})"

    def flattened(self, lists: str) -> str:
        """Return one list of the items of lists; of a NULL among them `flatten` would make NULL of all."""
        return f"flatten(filter({lists}, part -> part IS NOT NULL))"

    def chained(self, first: str, second: str) -> str:
        """Return two lists as one."""
        return self.flattened(self.list(first, second))

    def item(self, items: str, position: int) -> str:
        """Return an item of a list; `try_element_at` counts from one."""
        return f"try_element_at({items}, {position if position < 0 else position + 1})"

    def length(self, items: str) -> str:
        """Return how many items a list has."""
        return f"array_size({items})"

    def joined(self, items: str, separator: str) -> str:
        """Return texts as one."""
        return f"array_join({items}, {separator})"

    def rows_of(self, items: str) -> str:
        """Return a row for each item."""
        return f"explode({items})"

    def stop(self, reason: str) -> str:
        """Return what stops the query."""
        return f"raise_error({self.text(reason)})"

    def fits(self, text: str, pattern: str) -> str:
        """Return whether a pattern is found."""
        return f"({text} RLIKE {self.text(pattern)})"

    def matched(self, text: str, pattern: str, group: int) -> str:
        """Return what a group found."""
        return f"regexp_extract({text}, {self.text(pattern)}, {group})"

    def in_quotes(self, text: str, pattern: str) -> str:
        """Return a text with quotes around the second group, everywhere."""
        return f"""regexp_replace({text}, {self.text(pattern)}, '$1"$2"')"""

    def starts_with(self, text: str, start: str) -> str:
        """Return whether a text starts with another."""
        return f"startswith({text}, {start})"

    def moment(self, text: str) -> str:
        """Return a point in time."""
        return f"CAST({text} AS TIMESTAMP)"

    def rounded(self, number: str, digits: str) -> str:
        """Return a number rounded; Spark's own `round` wants to know the digits before it reads a row."""
        return f"round(({number}) * pow(10, {digits})) / pow(10, {digits})"

    def _object(self, shape: Shape) -> str:
        """Return the type of an object; names are quoted, since FHIR has elements called `end` and `use`."""
        return self.row_type([(name, self._whole(child)) for name, child in shape.children.items()])

    def _whole(self, shape: Shape) -> str:
        inner = self._object(shape) if shape.children else self.type(shape.stored_as)
        return self.list_type(inner) if shape.many else inner


SPARK = Spark()
