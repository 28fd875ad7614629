"""The question behind the rows of a mart: which columns are tested against what, with every value bound.

Names come from the warehouse's own catalog and are quoted; what was asked for is only ever compared with them.
"""
# ruff: noqa: S608 - SQL text is made of the catalog's names and this file's own words; every value is bound

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import duckdb
from pydantic import BaseModel, ConfigDict, Field

from hub_core.errors import AccessDeniedError, UnreadableError

if TYPE_CHECKING:
    from hub_core.marts import Mart

Test: TypeAlias = Literal["is", "not", "from", "before", "has", "missing"]

_TESTS: Final[dict[Test, str]] = {
    "is": "{0} = CAST(? AS {1})",
    "not": "{0} IS DISTINCT FROM CAST(? AS {1})",
    "from": "{0} >= CAST(? AS {1})",
    "before": "{0} < CAST(? AS {1})",
    "has": "list_contains({0}, ?)",
    "missing": "{0} IS NULL",
}
_PERSON: Final = "struct_pack(name := person.full_name, birth_date := person.birth_date, phone := person.phone)"
_PATIENTS: Final = "list_filter(one.traces, lambda trace: starts_with(trace, 'Patient/'))"
_FROM_NOTHING_CLOSED: Final = (
    "NOT EXISTS (SELECT 1 FROM (SELECT unnest(one.traces) AS trace)"
    " WHERE trace IN (SELECT unnest(CAST(? AS VARCHAR[]))))"
)
"""A join: however much is closed, each row is looked at once."""
_JOIN: Final = "LEFT JOIN marts.patients AS person ON person.person_id = one.person_id"


class Condition(BaseModel):
    """What rows must fulfil: a column, or the first of several that says something, tested against a value."""

    model_config = ConfigDict(extra="forbid")

    column: str = Field(max_length=200, description="A column's name; several with commas between.")
    test: Test
    value: str = Field(default="", max_length=500)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a mart."""

    values: dict[str, Any]
    person: dict[str, Any] | None
    """Whom it is about, where the mart names a person."""
    patients: tuple[str, ...]
    """The patient records it is about, as `Patient/uuid`."""


def read_rows(
    warehouse: duckdb.DuckDBPyConnection,
    mart: Mart,
    conditions: Sequence[Condition],
    *,
    limit: int,
    offset: int,
    places: frozenset[str] | None = None,
    closed: Sequence[str] = (),
) -> tuple[int, list[Row]]:
    """Return how many rows of a mart fulfil all conditions, and some of them, the newest first.

    Args:
        warehouse: the snapshot.
        mart: the mart.
        conditions: what rows must fulfil.
        limit: how many rows at most.
        offset: how many to pass over.
        places: the locations whose rows may be seen and counted; None is all.
        closed: resources, as `Type/uuid`; a row that was made from one of them is neither shown nor counted.

    Raises:
        UnreadableError: if a condition names no column of the mart, or a value does not fit its column.
        AccessDeniedError: if the mart does not say whose its rows are, to somebody who may not see all.
    """
    tests = " AND ".join([_placed(mart, places), _open(closed), *(_tested(mart, each) for each in conditions)])
    values: list[Any] = [*([] if places is None else [sorted(places)]), *([list(closed)] if closed else [])]
    values += [condition.value for condition in conditions if condition.test != "missing"]
    relation = f'marts."{mart.name}" AS one'
    names = [name for name in mart.columns if name != "traces"]
    shown = ", ".join([*(f'one."{name}"' for name in names), *_about(mart)])
    question = f"SELECT {shown} FROM {relation} {_join(mart)} WHERE {tests} ORDER BY {_order(mart)} LIMIT ? OFFSET ?"
    try:
        total = warehouse.execute(f"SELECT count(*) FROM {relation} WHERE {tests}", values).fetchall()[0][0]
        found = warehouse.execute(question, [*values, limit, offset]).fetchall()
    except (duckdb.ConversionException, duckdb.BinderException):
        raise UnreadableError("a value or a test does not fit its column", code="value") from None
    return total, [
        Row(dict(zip(names, values, strict=True)), person, tuple(patients or ())) for *values, person, patients in found
    ]


def is_within(
    warehouse: duckdb.DuckDBPyConnection,
    mart: Mart,
    key: str,
    places: frozenset[str] | None,
    closed: Sequence[str] = (),
) -> bool:
    """Return whether somebody who may see the rows of these locations, but for what is closed, may see this row.

    Raises:
        AccessDeniedError: if the mart does not say whose its rows are, to somebody who may not see all.
    """
    tests = f'{_placed(mart, places)} AND {_open(closed)} AND one."{mart.key}" = ?'
    values = [*([] if places is None else [sorted(places)]), *([list(closed)] if closed else []), key]
    return warehouse.execute(f'SELECT 1 FROM marts."{mart.name}" AS one WHERE {tests}', values).fetchone() is not None


def patients_behind(warehouse: duckdb.DuckDBPyConnection, mart: Mart, key: str) -> list[str]:
    """Return the patient records that one row is about, as `Patient/uuid`."""
    _, patients = _about(mart)
    question = f'SELECT {patients} FROM marts."{mart.name}" AS one {_join(mart)} WHERE one."{mart.key}" = ?'
    return [patient for (found,) in warehouse.execute(question, [key]).fetchall() for patient in found or ()]


def _placed(mart: Mart, places: frozenset[str] | None) -> str:
    """Return the condition that rows are of some locations, which it binds as a list; without any, that they are."""
    if places is None:
        return "true"
    if "location" not in mart.columns:
        raise AccessDeniedError("the rows of this mart are of no location: a role for the whole group is needed")
    return "list_contains(CAST(? AS VARCHAR[]), one.location)"


def _open(closed: Sequence[str]) -> str:
    """Return the condition that rows are made from nothing closed, which it binds as a list."""
    return _FROM_NOTHING_CLOSED if closed else "true"


def _tested(mart: Mart, condition: Condition) -> str:
    columns = condition.column.split(",")
    if not set(columns) <= mart.columns.keys():
        raise UnreadableError(f"the mart {mart.name} has no such column", location="column", code="value")
    subject = ", ".join(f'one."{column}"' for column in columns)
    return _TESTS[condition.test].format(f"coalesce({subject})", mart.columns[columns[0]])


def _about(mart: Mart) -> tuple[str, str]:
    """Return the expressions for the person and the patient records of a row."""
    if not _names_a_person(mart):
        return "NULL", _PATIENTS
    # Not every row is made from a Patient; then all records of the person are what it is about.
    return _PERSON, f"coalesce(nullif({_PATIENTS}, []), person.traces)"


def _join(mart: Mart) -> str:
    return _JOIN if _names_a_person(mart) else ""


def _names_a_person(mart: Mart) -> bool:
    return "person_id" in mart.columns and mart.name != "patients"


def _order(mart: Mart) -> str:
    """Return an order that never changes: the newest first by the first day or else the first moment of the mart."""
    kinds = {kind: name for name, kind in reversed(list(mart.columns.items()))}
    newest = kinds.get("DATE") or kinds.get("TIMESTAMP WITH TIME ZONE")
    return (f'one."{newest}" DESC NULLS LAST, ' if newest else "") + f'one."{mart.key}"'
