"""What the compiler asks of an SQL dialect: names, literals, types, JSON, lists, and the few functions that differ.

Whatever all dialects say alike (CASE, CAST, coalesce, comparisons) the compiler writes itself. Arguments and answers
are SQL, unless they are said to be something else. The types asked for are BOOLEAN, INTEGER, BIGINT, DOUBLE,
DECIMAL(p,s) and VARCHAR. Positions count from zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pipelines.views.structure import Shape


class Dialect(Protocol):
    """One SQL dialect; see the implementations beside this file."""

    name: str
    """As `wholechart view --dialect` calls it."""
    session: tuple[str, ...]
    """Statements that a session must have run before any query."""

    def identifier(self, name: str) -> str:
        """Return a name of a column."""
        ...

    def text(self, text: str) -> str:
        """Return the literal of a text.

        Raises:
            ViewRefusedError: if the text has a character no literal can hold.
        """
        ...

    def type(self, type_: str) -> str:
        """Return the dialect's name of a type."""
        ...

    def list_type(self, type_: str) -> str:
        """Return the type of lists of a type, which is of this dialect."""
        ...

    def row_type(self, fields: Sequence[tuple[str, str]]) -> str:
        """Return the type of a struct from the names and types of its fields, the types being of this dialect."""
        ...

    def read(self, body: str, shape: Shape) -> str:
        """Return a struct of just the elements of a shape, read from the text of a resource."""
        ...

    def read_loosely(self, body: str) -> str:
        """Return the text of a resource as JSON of no told structure."""
        ...

    def member(self, struct: str, name: str) -> str:
        """Return a field of a struct."""
        ...

    def json_member(self, json: str, name: str, shape: Shape) -> str:
        """Return a property of JSON of no told structure: such JSON again, or a primitive; a list of them if many."""
        ...

    def row(self, fields: Sequence[tuple[str, str]]) -> str:
        """Return a struct from the names and values of its fields."""
        ...

    def list(self, *items: str) -> str:
        """Return a list of items."""
        ...

    def transformed(self, items: str, name: str, made: str) -> str:
        """Return the list of what is made of each item, which goes by `name` there."""
        ...

    def numbered(self, items: str, name: str, position: str, made: str) -> str:
        """Return the list of what is made of each item and its place, which is `place(position)` there."""
        ...

    def place(self, position: str) -> str:
        """Return the place in its list, from the name `numbered` was given for it."""
        ...

    def kept(self, items: str, name: str, condition: str) -> str:
        """Return a list of the items, which go by `name` there, that meet a condition which is never NULL."""
        ...

    def flattened(self, lists: str) -> str:
        """Return one list of the items of a list of lists; NULL among these counts as empty."""
        ...

    def chained(self, first: str, second: str) -> str:
        """Return the items of two lists as one; NULL counts as empty."""
        ...

    def item(self, items: str, position: int) -> str:
        """Return an item of a list, the last being at -1; NULL where there is none."""
        ...

    def length(self, items: str) -> str:
        """Return how many items a list has; NULL of NULL."""
        ...

    def joined(self, items: str, separator: str) -> str:
        """Return the texts of a list as one, a separator between them."""
        ...

    def rows_of(self, items: str) -> str:
        """Return what, selected, gives a row for each item of a list."""
        ...

    def stop(self, reason: str) -> str:
        """Return what stops the query if it is evaluated; the reason is plain words."""
        ...

    def fits(self, text: str, pattern: str) -> str:
        """Return whether a regular expression (a plain pattern) is found in a text; NULL of NULL."""
        ...

    def matched(self, text: str, pattern: str, group: int) -> str:
        """Return what a group of a regular expression (a plain pattern) found first; an empty text if nothing."""
        ...

    def in_quotes(self, text: str, pattern: str) -> str:
        """Return a text with quotes around what the second of two groups of a pattern found, everywhere."""
        ...

    def starts_with(self, text: str, start: str) -> str:
        """Return whether a text starts with another."""
        ...

    def moment(self, text: str) -> str:
        """Return the point in time that a FHIR dateTime says; without a zone it is in UTC's."""
        ...

    def rounded(self, number: str, digits: str) -> str:
        """Return a DOUBLE with so many digits behind the point."""
        ...
