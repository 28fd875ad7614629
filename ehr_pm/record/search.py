"""Searching the record: what a search asks for, found page after page, counted, with what belongs beside it."""
# ruff: noqa: S608 - SQL text is made of this package's own words; every value is bound

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row

from ehr_pm.record.queries import FOUND_COLUMNS, FOUND_TABLES, Found
from ehr_pm.record.searching.conditions import Conditions, is_about_patients
from ehr_pm.record.searching.criteria import Reach, Search
from ehr_pm.record.searching.sorting import Order, Place
from ehr_pm.record.searching.values import Bound

if TYPE_CHECKING:
    import psycopg

    from hub_core.access import Scope


@dataclass(frozen=True, slots=True)
class Page:
    """Some matches in order, and where they end if there are more."""

    found: list[Found]
    end: Place | None


def everything(_resource_type: str) -> Scope | None:
    """Return that all of a type may be seen: nobody in particular asks."""
    return None


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
        search: what is wanted, in no order of its own.
        limit: how many at most.
        before: the key below which to look.
        scope: what may be seen of any type; everything when nobody in particular asks.
    """
    return _latest(connection, search, limit, before, lambda _: scope)


def page(
    connection: psycopg.Connection[Any],
    search: Search,
    *,
    limit: int,
    after: Place | None = None,
    reach: Reach = everything,
) -> Page:
    """Return up to `limit` matches in the order asked for, those behind a place only.

    Args:
        connection: where to look.
        search: what is wanted.
        limit: how many at most; at least one.
        after: where the page before ended.
        reach: what of each type may be seen.
    """
    if not search.sort:
        found = _latest(connection, search, limit + 1, None if after is None else after.resource_key, reach)
        end = Place(found[limit - 1].resource_key) if len(found) > limit else None
        return Page(found[:limit], end)
    bound = Bound()
    order = Order(search, bound)
    where = Conditions(bound, reach).where(search.resource_type, search.criteria)
    if after is not None:
        where += f" AND {order.after(after)}"
    names = [f"key_{n}" for n in range(len(search.sort))]
    rows = connection.execute(
        f"WITH m AS MATERIALIZED (SELECT {', '.join(['r.resource_key', *order.columns])} FROM resource r{order.joins}"
        f" WHERE {where} ORDER BY {order.by([f'k{n}.k' for n in range(len(names))], 'r.resource_key')}"
        f" LIMIT {bound.add(limit + 1)})"
        f" SELECT {FOUND_COLUMNS}, {', '.join(f'm.{name}::text' for name in names)}"
        f" FROM m JOIN resource r USING (resource_key)"
        f" JOIN resource_version v ON v.batch_key = r.batch_key AND v.ordinal = r.ordinal"
        f" ORDER BY {order.by([f'm.{name}' for name in names], 'm.resource_key')}",
        bound.values,
    ).fetchall()
    size = len(names)
    found = [Found(*row[:-size]) for row in rows]
    end = Place(found[limit - 1].resource_key, rows[limit - 1][-size:]) if len(rows) > limit else None
    return Page(found[:limit], end)


def count(
    connection: psycopg.Connection[Any], search: Search, *, scope: Scope | None = None, reach: Reach | None = None
) -> int:
    """Return how many resources match that may be seen."""
    bound = Bound()
    where = Conditions(bound, reach or (lambda _: scope)).where(search.resource_type, search.criteria)
    row = connection.execute(f"SELECT count(*) FROM resource r WHERE {where}", bound.values).fetchone()
    return 0 if row is None else int(row[0])


def _latest(
    connection: psycopg.Connection[Any], search: Search, limit: int, before: int | None, reach: Reach
) -> list[Found]:
    bound = Bound()
    where = Conditions(bound, reach).where(search.resource_type, search.criteria)
    if before is not None:
        where += f" AND r.resource_key < {bound.add(before)}"
    # What some patients have is soon sorted; walking down all keys until a page is full of it can take the whole table.
    key = "r.resource_key + 0" if is_about_patients(search) else "r.resource_key"
    with connection.cursor(row_factory=class_row(Found)) as cursor:
        return cursor.execute(
            f"SELECT {FOUND_COLUMNS} FROM {FOUND_TABLES} WHERE {where} ORDER BY {key} DESC LIMIT {bound.add(limit)}",
            bound.values,
        ).fetchall()
