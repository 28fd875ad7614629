"""Searching the record: criteria on one resource type, compiled to SQL over the search index.

What a criterion means is FHIR's (R4 section 3.1.1): values of one criterion are alternatives, criteria all hold. Every
value travels as a parameter; only this file's own words become SQL text.
"""
# ruff: noqa: S608 - SQL text is made of this file's own words; every value is bound

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

from psycopg.rows import class_row

from ehr_pm.record.queries import FOUND_COLUMNS, FOUND_TABLES, Found
from ehr_pm.record.scope import condition
from hub_core.fhir.search_parameters import parameters_of
from hub_core.fhir.search_values import fold

if TYPE_CHECKING:
    import psycopg

    from hub_core.access import Scope

Prefix: TypeAlias = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"]


@dataclass(frozen=True, slots=True)
class Token:
    """A code, in any system, in a given one, or (`system` None and `has_system` False) in none."""

    code: str | None
    system: str | None = None
    any_system: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """The beginning of a text (or all or part of it), compared without case and accents."""

    value: str
    match: Literal["start", "whole", "part"] = "start"


@dataclass(frozen=True, slots=True)
class Interval:
    """A date as the interval it stands for, from `starts_at` until before `ends_at`, and how to compare with it."""

    prefix: Prefix
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Reference:
    """A resource referred to, of any type when none is given."""

    target_id: str
    target_type: str | None = None


Value: TypeAlias = Token | Text | Interval | Reference


@dataclass(frozen=True, slots=True)
class Indexed:
    """A search parameter whose values are in the index: one of these must match."""

    param: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class IsOneOf:
    """The resource itself is one of these (`_id`); text that is no id of ours matches nothing."""

    resource_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IsAbout:
    """The resource is about one of these patients."""

    patient_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """The current version was recorded at one of these times (`_lastUpdated`)."""

    intervals: tuple[Interval, ...]


Criterion: TypeAlias = Indexed | IsOneOf | IsAbout | Recorded


@dataclass(frozen=True, slots=True)
class Search:
    """Which resources of one type are wanted."""

    resource_type: str
    criteria: tuple[Criterion, ...] = ()


def find(
    connection: psycopg.Connection[Any],
    search: Search,
    *,
    limit: int,
    before: int | None = None,
    scope: Scope | None = None,
) -> list[Found]:
    """Return up to `limit` matches, latest known resource first, those with a key below `before` only.

    A resource keeps its key, so pages neither repeat nor miss one while others are written.

    Args:
        connection: where to look.
        search: what is wanted.
        limit: how many at most.
        before: the key below which to look.
        scope: what may be seen; everything when nobody in particular asks.
    """
    bound = _Bound()
    where = _where(search, bound, scope)
    if before is not None:
        where += f" AND r.resource_key < {bound.add(before)}"
    with connection.cursor(row_factory=class_row(Found)) as cursor:
        return cursor.execute(
            f"SELECT {FOUND_COLUMNS} FROM {FOUND_TABLES} WHERE {where}"
            f" ORDER BY r.resource_key DESC LIMIT {bound.add(limit)}",
            bound.values,
        ).fetchall()


def count(connection: psycopg.Connection[Any], search: Search, *, scope: Scope | None = None) -> int:
    """Return how many resources match that may be seen."""
    bound = _Bound()
    row = connection.execute(
        f"SELECT count(*) FROM resource r WHERE {_where(search, bound, scope)}",
        bound.values,
    ).fetchone()
    return 0 if row is None else int(row[0])


class _Bound:
    """The values of a statement being written, and the placeholder each goes by."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def add(self, value: object) -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"%({name})s"


def _where(search: Search, bound: _Bound, scope: Scope | None) -> str:
    kind = bound.add(search.resource_type)
    conditions = [f"r.resource_type = {kind}", "NOT r.deleted"]
    conditions += [_criterion(each, kind, bound) for each in search.criteria]
    if scope is not None:
        text, values = condition(scope)
        bound.values |= values
        conditions.append(text)
    return " AND ".join(conditions)


def _criterion(criterion: Criterion, kind: str, bound: _Bound) -> str:
    match criterion:
        case IsOneOf(resource_ids):
            return f"r.resource_id = ANY({bound.add(_uuids(resource_ids))})"
        case IsAbout(patient_ids):
            return f"r.patient_id = ANY({bound.add(_uuids(patient_ids))})"
        case Recorded(intervals):
            return _any(_interval(each, "r.recorded_at", "r.recorded_at", bound) for each in intervals)
        case Indexed(param, values):
            known = parameters_of(bound.values[kind[2:-2]])[param]
            conditions = [
                f"EXISTS (SELECT 1 FROM {_table(value)} s WHERE s.resource_key = r.resource_key"
                f" AND s.resource_type = {kind} AND s.param = {bound.add(kept.param)} AND {_value(value, bound)}"
                + (f" AND s.target_type = {bound.add(kept.target)}" if kept.target else "")
                + (f" AND s.system = {bound.add(kept.system)}" if kept.system else "")
                + ")"
                for value in values
                for kept in known.kept
            ]
            if known.is_of_patient:
                ids = [v.target_id for v in values if isinstance(v, Reference) and v.target_type in (None, "Patient")]
                conditions.append(f"r.patient_id = ANY({bound.add(_uuids(ids))})")
            return _any(conditions)


def _any(conditions: Iterable[str]) -> str:
    return f"({' OR '.join(conditions) or 'false'})"


def _table(value: Value) -> str:
    match value:
        case Token():
            return "search_token"
        case Text():
            return "search_string"
        case Interval():
            return "search_date"
        case Reference():
            return "search_reference"


def _value(value: Value, bound: _Bound) -> str:
    match value:
        case Token():
            return _token(value, bound)
        case Text(text, match):
            return _text(fold(text), match, bound)
        case Interval():
            return _interval(value, "s.starts_at", "s.ends_at", bound)
        case Reference(target_id, target_type):
            conditions = [f"s.target_id = {bound.add(target_id)}"]
            if target_type is not None:
                conditions.append(f"s.target_type = {bound.add(target_type)}")
            return " AND ".join(conditions)


def _token(token: Token, bound: _Bound) -> str:
    conditions = []
    if token.code is not None:
        conditions.append(f"s.code = {bound.add(token.code)}")
    if not token.any_system:
        conditions.append("s.system IS NULL" if token.system is None else f"s.system = {bound.add(token.system)}")
    return " AND ".join(conditions) or "false"


def _text(text: str, match: str, bound: _Bound) -> str:
    if match == "whole":
        return f"s.value = {bound.add(text)}"
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = f"%{escaped}%" if match == "part" else f"{escaped}%"
    return f"s.value LIKE {bound.add(pattern)}"


def _interval(sought: Interval, starts: str, ends: str, bound: _Bound) -> str:
    """Compare a resource's interval with the sought one, as R4 section 3.1.1.4.3 tells for each prefix."""
    low, high = bound.add(sought.starts_at), bound.add(sought.ends_at)
    within = f"({starts} >= {low} AND {ends} <= {high})"
    conditions: dict[Prefix, str] = {
        "eq": within,
        "ne": f"NOT {within}",
        "gt": f"{ends} > {high}",
        "lt": f"{starts} < {low}",
        "ge": f"({ends} > {high} OR {within})",
        "le": f"({starts} < {low} OR {within})",
        "sa": f"{starts} >= {high}",
        "eb": f"{ends} <= {low}",
    }
    return conditions[sought.prefix]


def _uuids(texts: Sequence[str]) -> list[UUID]:
    return [found for text in texts if (found := _uuid(text)) is not None]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
