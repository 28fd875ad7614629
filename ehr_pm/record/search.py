"""Searching the record: what a search asks for, found page after page, counted, with what belongs beside it.

No statement is prepared: which plan is good depends on how frequent the values asked for are, and a plan for any values
is good for none.
"""
# ruff: noqa: S608 - SQL text is made of this package's own words; every value is bound

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import class_row

from ehr_pm.record.queries import FOUND_COLUMNS, Found
from ehr_pm.record.searching.conditions import Conditions, is_selective
from ehr_pm.record.searching.criteria import Reach, Search
from ehr_pm.record.searching.sorting import Order, Place
from ehr_pm.record.searching.values import Bound

if TYPE_CHECKING:
    import psycopg

    from hub_core.access import Scope


WINDOW: Final = 5_000
"""Newest keys that are looked through first, for what may be frequent."""
FARTHEST: Final = 20
"""Windows that are looked through after the first, at most, where it had some matches."""
ABOVE_ALL: Final = 2**63 - 1
"""A key that no resource reaches."""
CANDIDATES: Final = (100, 1_000)
"""Latest candidates that are looked at, and more of them where they do not fill the page."""


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
        prepare=False,
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
    row = connection.execute(f"SELECT count(*) FROM resource r WHERE {where}", bound.values, prepare=False).fetchone()
    return 0 if row is None else int(row[0])


def _latest(
    connection: psycopg.Connection[Any], search: Search, limit: int, before: int | None, reach: Reach
) -> list[Found]:
    """Return the latest matches; how frequent a type is, the planner knows, where nothing more is asked."""
    if not search.criteria:
        return _matches(connection, search, limit, before, reach, down_to=0)
    if is_selective(search):
        return _matches(connection, search, limit, before, reach)
    found, before = _among_candidates(connection, search, limit, before, reach)
    if len(found) < limit and before != 0:
        found += _in_windows(connection, search, limit - len(found), before, reach)
    return found


def _among_candidates(
    connection: psycopg.Connection[Any], search: Search, limit: int, before: int | None, reach: Reach
) -> tuple[list[Found], int | None]:
    """Return matches among the latest candidates, where an index knows them in order, and the key they go down to.

    That is 0 where there are no more candidates. Many are not looked at: where their page does not fill, what else is
    asked may be rarer.
    """
    bound = Bound()
    query = Conditions(bound, reach).candidates(search.resource_type, search.criteria)
    found: list[Found] = []
    if query is None:
        return found, before
    for few in CANDIDATES:
        keys = _keys(connection, query, bound.values, few, before)
        if keys:
            found += _matches(connection, search, limit - len(found), None, reach, among=keys)
        before = keys[-1] if len(keys) == few else 0
        if len(found) == limit or before == 0:
            break
    return found, before


def _in_windows(
    connection: psycopg.Connection[Any], search: Search, limit: int, before: int | None, reach: Reach
) -> list[Found]:
    """Return the latest matches: of what is frequent, a page is full before many keys were looked at.

    What is not found so is collected and sorted. Walking down until a page is full of it could take the whole table.
    """
    end = (before or _newest(connection) + 1) - WINDOW
    found = _matches(connection, search, limit, before, reach, down_to=end)
    if 0 < len(found) < limit and (windows := 2 * limit // len(found)) <= FARTHEST:  # the rest is likely there
        begin, end = end, end - windows * WINDOW
        found += _matches(connection, search, limit - len(found), begin, reach, down_to=end)
    if len(found) == limit or end <= 0:
        return found
    return _matches(connection, search, limit, before, reach)


def _keys(
    connection: psycopg.Connection[Any], query: str, values: dict[str, Any], limit: int, below: int | None
) -> list[int]:
    """Return the latest keys below one, by an index that has them in this order."""
    rows = connection.execute(
        f"{query} AND s.resource_key < %(below)s ORDER BY s.resource_key DESC LIMIT %(limit)s",
        {**values, "below": ABOVE_ALL if below is None else below, "limit": limit},
        prepare=False,
    ).fetchall()
    return [key for (key,) in rows]


def _newest(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT max(resource_key) FROM resource").fetchone()
    return 0 if row is None or row[0] is None else int(row[0])


def _matches(
    connection: psycopg.Connection[Any],
    search: Search,
    limit: int,
    before: int | None,
    reach: Reach,
    *,
    down_to: int | None = None,
    among: list[int] | None = None,
) -> list[Found]:
    """Return matches below a key by walking down the keys to another; without that, by sorting all that there are."""
    bound = Bound()
    where = Conditions(bound, reach).where(search.resource_type, search.criteria)
    if before is not None:
        where += f" AND r.resource_key < {bound.add(before)}"
    if down_to is not None:
        where += f" AND r.resource_key >= {bound.add(down_to)}"
    if among is not None:
        where += f" AND r.resource_key = ANY({bound.add(among)})"
    found = f"SELECT r.resource_key FROM resource r WHERE {where}"
    if down_to is None:  # collected first: where few are wanted, the planner would bet on a page that is soon full
        found = f"WITH k AS MATERIALIZED ({found}) SELECT r.resource_key FROM k r"
    with connection.cursor(row_factory=class_row(Found)) as cursor:
        return cursor.execute(
            f"WITH m AS MATERIALIZED ({found} ORDER BY r.resource_key DESC LIMIT {bound.add(limit)})"
            f" SELECT {FOUND_COLUMNS} FROM m JOIN resource r USING (resource_key)"
            " JOIN resource_version v ON v.batch_key = r.batch_key AND v.ordinal = r.ordinal"
            " ORDER BY r.resource_key DESC",
            bound.values,
            prepare=False,
        ).fetchall()
