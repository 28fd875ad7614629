"""The history of whole types: every version of every resource that may be seen, latest first."""
# ruff: noqa: S608 - SQL text is made of this package's own words; every value is bound

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ehr_pm.record.queries import VERSION_COLUMNS, VERSION_TABLES, Found
from ehr_pm.record.searching.conditions import any_of, seen
from ehr_pm.record.searching.values import Bound

if TYPE_CHECKING:
    import psycopg

    from hub_core.access import Scope

_COLUMNS: Final = ", ".join(field.name for field in fields(Found))


@dataclass(frozen=True, slots=True)
class Written:
    """Where in the order of writing a version stands."""

    batch_key: int
    ordinal: int


def written(
    connection: psycopg.Connection[Any],
    scopes: Mapping[str, Scope],
    *,
    limit: int,
    since: datetime | None = None,
    before: Written | None = None,
) -> list[tuple[Found, Written]]:
    """Return up to `limit` versions of resources of some types, latest written first, each with its place.

    Args:
        connection: where to look.
        scopes: by type what may be seen; an old version is as sensitive as it was, and as its resource is now.
        limit: how many at most.
        since: the moment since which they were recorded.
        before: the place before which to look.
    """
    bound = Bound()
    conditions = [_within(scopes, bound)]
    if since is not None:
        conditions.append(f"r.recorded_at >= {bound.add(since)}")
    if before is not None:
        conditions.append(f"(r.batch_key, r.ordinal) < ({bound.add(before.batch_key)}, {bound.add(before.ordinal)})")
    rows = connection.execute(
        f"SELECT {_COLUMNS}, batch_key, ordinal"
        f" FROM (SELECT {VERSION_COLUMNS}, v.batch_key, v.ordinal FROM {VERSION_TABLES}) r"
        f" WHERE {' AND '.join(conditions)} ORDER BY r.batch_key DESC, r.ordinal DESC LIMIT {bound.add(limit)}",
        bound.values,
    ).fetchall()
    return [(Found(*row[:-2]), Written(*row[-2:])) for row in rows]


def _within(scopes: Mapping[str, Scope], bound: Bound) -> str:
    """Return that a resource is of one of some types, and may be seen; types that are seen alike share a condition."""
    alike: dict[Scope, list[str]] = {}
    for resource_type, scope in scopes.items():
        alike.setdefault(scope, []).append(resource_type)
    return any_of(f"({_is_of(types, bound)} AND {seen(scope, bound)})" for scope, types in alike.items())


def _is_of(types: list[str], bound: Bound) -> str:
    if len(types) == 1:
        return f"r.resource_type = {bound.add(types[0])}"
    return f"r.resource_type = ANY({bound.add(types)})"
