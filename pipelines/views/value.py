"""What a path gives, as SQL: one value or a list of values, of a known FHIR type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Literal, TypeAlias

from hub_core.errors import BuildError
from hub_core.quoting import literal

if TYPE_CHECKING:
    from pipelines.views.dialects.dialect import Dialect
    from pipelines.views.structure import Shape

Family: TypeAlias = Literal["text", "number", "boolean", "date", "time", "object"]

_NUMBERS = frozenset({"integer", "integer64", "positiveInt", "unsignedInt", "decimal"})
_DATES = frozenset({"date", "dateTime", "instant"})


class ViewRefusedError(BuildError):
    """A view says something that cannot be compiled; the message names the view, the column and the path."""


def family(type_: str) -> Family:
    """Return which values a type can be compared with."""
    if type_ in _NUMBERS:
        return "number"
    if type_ in _DATES:
        return "date"
    if type_ in ("boolean", "time"):
        return "boolean" if type_ == "boolean" else "time"
    return "text" if type_[:1].islower() else "object"


@dataclass(frozen=True, slots=True)
class Value:
    """SQL that gives what a path means: NULL or an empty list where FHIRPath has the empty collection."""

    sql: str
    type: str
    dialect: Dialect
    many: bool = False
    shape: Shape | None = None
    choice: str | None = None
    """The choice element (`value`) of which `sql` is the parent, until a type is picked."""

    @property
    def family(self) -> Family:
        """Return which values this can be compared with."""
        return family(self.type)

    @property
    def one(self) -> Value:
        """Return this as a single value; where there are several, the query stops (FHIRPath 4.5, singletons)."""
        if not self.many:
            return self
        first = self.dialect.item(self.sql, 0)
        stop = self.dialect.stop("a path gives several values where one is asked for")
        several = f"{self.dialect.length(self.sql)} > 1"
        return replace(self, sql=f"CASE WHEN {several} THEN {stop} ELSE {first} END", many=False)

    @property
    def is_empty(self) -> str:
        """Return SQL that says whether there is nothing."""
        return f"coalesce({self.dialect.length(self.sql)}, 0) = 0" if self.many else f"({self.sql}) IS NULL"

    @property
    def as_list(self) -> str:
        """Return SQL of a list, also of a single value; NULL may stand for the empty list."""
        one = self.dialect.list(self.sql)
        return self.sql if self.many else f"CASE WHEN ({self.sql}) IS NOT NULL THEN {one} END"


class Names:
    """Names for lambda parameters, none used twice in a query."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._numbers = count(1)

    def new(self, letter: str) -> str:
        """Return a name that was not given before."""
        return f"{letter}_{next(self._numbers)}"

    def each(self, value: Value, change: Callable[[Value], Value]) -> Value:
        """Return what `change` makes of each of the values, leaving out where it makes nothing."""
        if not value.many:
            return change(value)
        name = self.new("e")
        changed = change(replace(value, sql=name, many=False))
        kept = self.present(self._dialect.transformed(value.sql, name, changed.sql))
        return replace(changed, sql=self._dialect.flattened(kept) if changed.many else kept, many=True)

    def present(self, list_sql: str) -> str:
        """Return SQL of a list without its NULLs: a primitive array has one where only an extension is given."""
        name = self.new("n")
        return self._dialect.kept(list_sql, name, f"{name} IS NOT NULL")


def quoted(text: str) -> str:
    """Return the literal of a text that a view says.

    Raises:
        ViewRefusedError: if the text has a character no SQL literal can hold.
    """
    if "\0" in text:
        raise ViewRefusedError("a text has a NUL character in it")
    return literal(text)
