"""Truth beside warehouse: every check asked of both, and its answers compared row by row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from hub_core.snapshot import open_current
from pipelines.demo.checks import CHECKS
from pipelines.demo.checks.check import Check
from pipelines.demo.checks.people import HELD_RECORDS
from pipelines.demo.identity import Agreement, agreement, keep_known_persons
from pipelines.demo.truth import open_truth

if TYPE_CHECKING:
    import duckdb

    from hub_core.settings import Settings

Value: TypeAlias = int | Decimal | str | None
"""A count, money, or words; None where a side knows nothing of it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a check: of what, and its value on each side."""

    key: tuple[str, ...]
    truth: Value
    warehouse: Value

    @property
    def equal(self) -> bool:
        """Return whether both sides say the same."""
        return self.truth == self.warehouse


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one check."""

    name: str
    lines: tuple[Line, ...]

    @property
    def unequal(self) -> tuple[Line, ...]:
        """Return the rows on which the sides differ."""
        return tuple(line for line in self.lines if not line.equal)

    @property
    def equal(self) -> bool:
        """Return whether both sides say the same of everything."""
        return not self.unequal

    @property
    def truth(self) -> Value:
        """Return the sum of what the truth says, or how many rows of words it has."""
        return _total([line.truth for line in self.lines])

    @property
    def warehouse(self) -> Value:
        """Return the sum of what the warehouse says, or how many rows of words it has."""
        return _total([line.warehouse for line in self.lines])


@dataclass(frozen=True, slots=True)
class Comparison:
    """The truth table, and how near the persons of the warehouse are to the true ones."""

    outcomes: tuple[Outcome, ...]
    identity: Agreement

    @property
    def equal(self) -> bool:
        """Return whether every check is equal."""
        return all(outcome.equal for outcome in self.outcomes)


def compare(settings: Settings, *truth_folders: Path) -> Comparison:
    """Return the truth table of the published warehouse of an installation.

    Args:
        settings: the installation.
        truth_folders: the truth files; where there are several, what is true is all that they say.

    Raises:
        NotFoundError: if nothing has been published yet.
    """
    with open_truth(*truth_folders) as truth, open_current(settings) as warehouse:
        keep_known_persons(truth)
        outcomes = tuple(_outcome(check, truth, warehouse) for check in CHECKS)
        true_persons = dict(truth.execute("SELECT record_key, true_person FROM known_persons").fetchall())
        held_persons = dict(
            warehouse.execute(f"SELECT record_key, person_id FROM ({HELD_RECORDS})").fetchall()  # noqa: S608
        )
    return Comparison(outcomes, agreement(true_persons, held_persons))


def _outcome(check: Check, truth: duckdb.DuckDBPyConnection, warehouse: duckdb.DuckDBPyConnection) -> Outcome:
    expected = _answer(check, truth.execute(check.truth).fetchall())
    witness = warehouse if check.witness == "warehouse" else truth  # the hub's answers are kept beside the truth
    found = _answer(check, witness.execute(check.warehouse).fetchall())
    keys = sorted(expected.keys() | found.keys())
    return Outcome(check.name, tuple(Line(key, expected.get(key), found.get(key)) for key in keys))


def _answer(check: Check, rows: Iterable[Sequence[object]]) -> dict[tuple[str, ...], Value]:
    """Return the value of each row by what it is of, in small letters: systems that know no others send the same name.

    A row that comes again is kept apart, never lost.
    """
    answer: dict[tuple[str, ...], Value] = {}
    for row in rows:
        key = tuple(map(_word, row[:-1]))
        while key in answer:
            key = (*key, "again")
        answer[key] = _value(check, row[-1])
    return answer


def _word(value: object) -> str:
    return "(none)" if value is None else str(value).casefold()


def _value(check: Check, value: object) -> Value:
    if value is None or check.measure == "text":
        return None if value is None else str(value)
    whole = int(str(value))
    return Decimal(whole).scaleb(-2) if check.measure == "cents" else whole


def _total(values: Sequence[Value]) -> Value:
    stated = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in stated):
        return len(stated)
    return sum((value for value in stated if not isinstance(value, str)), start=0)
