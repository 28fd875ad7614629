"""The way from a number to the rows it counts: an address that says which mart, and what its rows must fulfil.

It names places, payers, codes and days, as the filters do, and never a person or the key of a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, TypeAlias, cast, get_args
from urllib.parse import quote, urlencode

from dashboards.figures.reading import NOT_STATED
from dashboards.filters import Filters

Test: TypeAlias = Literal["is", "not", "from", "before", "has", "missing"]
PAGE: Final = "rows"
_TESTS: Final = get_args(Test)
_SAID: Final = {
    "is": "is",
    "not": "is not",
    "from": "from",
    "before": "before",
    "has": "includes",
    "missing": "missing",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """What rows must fulfil: a column, or the first of several (with commas) that says something, against a value."""

    column: str
    test: Test
    value: str = ""

    @classmethod
    def read(cls, text: str) -> Condition | None:
        """Read what `written` wrote, None when it is something else."""
        column, _, rest = text.partition(" ")
        test, _, value = rest.partition(" ")
        return cls(column, cast(Test, test), value) if column and test in _TESTS else None

    def written(self) -> str:
        """Return the condition as an address holds it."""
        return f"{self.column} {self.test} {self.value}".strip()

    def words(self) -> str:
        """Return the condition as a person reads it."""
        subject = self.column.partition(",")[0].replace("_", " ").removeprefix("is ")
        if self.test == "before" and (day := _date(self.value)):
            return f"{subject} to {day - timedelta(days=1)}"
        return f"{subject} {_SAID[self.test]} {self.value}".strip()


@dataclass(frozen=True, slots=True)
class Drill:
    """Rows of a mart."""

    mart: str
    conditions: tuple[Condition, ...] = ()

    def where(self, *more: Condition) -> Drill:
        """Return the rows among these that fulfil more."""
        return Drill(self.mart, (*self.conditions, *more))

    def address(self, chosen: Mapping[str, str], page: str) -> str:
        """Return the address that shows the rows.

        Args:
            chosen: the filters, so that they stay when the way leads back or on.
            page: the address of the page that shows the number.
        """
        said = [("mart", self.mart), *(("where", each.written()) for each in dict.fromkeys(self.conditions))]
        return f"{PAGE}?{urlencode([*said, ('from', page), *chosen.items()], quote_via=quote)}"


def within(mart: str, filters: Filters, days: str | None = None, *, has_payer: bool = False) -> Drill:
    """Return the rows of a mart that the filters leave, as the figures count them.

    Args:
        mart: the name of the mart.
        filters: what is chosen.
        days: the column of the day that rows count by; None where rows are counted as they are now.
        has_payer: whether the rows are limited to the chosen payer.
    """
    found = [
        Condition(column, "is", value)
        for column, value in (
            ("location", filters.location),
            ("source", filters.source),
            ("payer_name", filters.payer if has_payer else None),
        )
        if value
    ]
    return Drill(mart, (*found, *(between(days, filters.starts, filters.ends) if days else ())))


def of_persons(filters: Filters) -> Drill:
    """Return the persons whom the filters leave: a person has several locations and sources."""
    found = [
        Condition(column, "has", value)
        for column, value in (("locations", filters.location), ("sources", filters.source))
        if value
    ]
    return Drill("patients", tuple(found))


def between(column: str, starts: date | None, ends: date | None) -> Iterable[Condition]:
    """Return the conditions of a span of days, from `starts` on and before `ends`."""
    if starts:
        yield Condition(column, "from", starts.isoformat())
    if ends:
        yield Condition(column, "before", ends.isoformat())


def same(column: str, value: str | None) -> Condition:
    """Return the condition that a column says this, or says nothing where it is not stated."""
    return Condition(column, "missing") if value in (None, NOT_STATED) else Condition(column, "is", str(value))


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
