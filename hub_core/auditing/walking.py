"""Walking a segment of the audit trail: each link must follow the one before it, and speak for its event.

What a link is held against is the digest that is stored with the link before, so segments can be walked side by side:
each begins with what is stored before its first link, and what was changed there the segment before ends with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from hub_core.auditing.chain import BEGINNING, PAYLOAD, Head, keyed, link
from hub_core.collecting import collector_paused
from hub_core.connecting import Moment

if TYPE_CHECKING:
    import hashlib

    import psycopg

Fault: TypeAlias = Literal["changed", "missing", "unlinked", "cut off", "replaced"]
_Place: TypeAlias = tuple[str, int]
"""Chain and number of a link."""
_Link: TypeAlias = tuple[str, int, bytes, bytes | None]
"""Chain, number and digest of a link, and what it was told of its event: None where that is gone."""

MOST: Final = 100
"""Findings that are listed; a trail with more is not better described by more."""

_NOWHERE = Head("", 0, BEGINNING)
_PAGES = """
WITH RECURSIVE page AS (
    (SELECT shard, number FROM audit_link ORDER BY shard, number LIMIT 1)
    UNION ALL
    SELECT following.* FROM page CROSS JOIN LATERAL (
        SELECT l.shard, l.number FROM audit_link l WHERE (l.shard, l.number) > (page.shard, page.number)
        ORDER BY l.shard, l.number OFFSET %s LIMIT 1
    ) AS following
) SELECT shard, number FROM page
"""
# The events of a page by all their ids at once: one walk of the index finds those that stand together, as most do.
# The planner takes a page for a row or two; a loop over them would read the events of the page anew for each link.
_NO_LOOPS = "SET LOCAL enable_nestloop = off"
_LINKS = """
WITH page AS MATERIALIZED (SELECT * FROM audit_link WHERE (shard, number) >= (%s, %s){end})
SELECT page.shard, page.number, page.digest, CASE WHEN e.event_id IS NOT NULL THEN {payload} END
FROM page LEFT JOIN (SELECT * FROM audit_event WHERE event_id = ANY (ARRAY(SELECT event_id FROM page))) AS e
    USING (event_id)
"""
_END = " AND (shard, number) < (%s, %s)"
_BEFORE = (
    "SELECT shard, number, digest FROM audit_link WHERE (shard, number) < (%s, %s)"
    " ORDER BY shard DESC, number DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Page:
    """Links that are read at once: from a place up to where the next page begins, or to the end."""

    start: _Place
    end: _Place | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with the trail."""

    fault: Fault
    shard: str
    number: int
    """Of the link at fault; 0 where it is not known."""
    text: str


@dataclass(slots=True)
class Walk:
    """What was met on a segment."""

    links: int = 0
    linked: int = 0
    """Links whose event is there."""
    chains: int = 0
    """Chains that begin here."""
    findings: list[Finding] = field(default_factory=list)


def pages(connection: psycopg.Connection[Any], size: int) -> list[Page]:
    """Return the whole trail as pages, in order."""
    starts = connection.execute(_PAGES, (size - 1,)).fetchall()
    return [Page(start, end) for start, end in zip_longest(starts, starts[1:])]


def walk(moment: Moment, key: bytes, segment: Sequence[Page]) -> Walk:
    """Return what is met on pages that follow each other."""
    beginning, found = keyed(key), Walk()
    with moment.connect() as connection, collector_paused():
        head = _before(connection, segment[0]) if segment else _NOWHERE
        connection.execute(_NO_LOOPS)
        for page in segment:
            links = _read(connection, page)
            found.links += len(links)
            head = _follow(links, head, beginning, found)
    return found


def _read(connection: psycopg.Connection[Any], page: Page) -> list[_Link]:
    text = _LINKS.format(end=_END if page.end else "", payload=PAYLOAD.format(form="page.form"))
    with connection.cursor(binary=True) as cursor:
        links = cursor.execute(text, (*page.start, *(page.end or ())), prepare=False).fetchall()
    links.sort(key=itemgetter(0, 1))
    return links


def _before(connection: psycopg.Connection[Any], page: Page) -> Head:
    """Return the link before a page, by which its first one is held."""
    for shard, number, digest in connection.execute(_BEFORE, page.start).fetchall():
        return Head(shard, number, digest)
    return _NOWHERE


def _follow(links: Iterable[_Link], head: Head, beginning: hashlib.blake2b, found: Walk) -> Head:
    """Hold links against those before them, and return the last: once for every event, so without a detour."""
    chain, last, before = head.shard, head.number, head.digest
    for shard, number, digest, payload in links:
        if shard != chain:
            chain, last, before = shard, 0, BEGINNING
            found.chains += 1
        if payload is not None:
            found.linked += 1
        if number != last + 1 or payload is None or link(beginning, before, payload) != digest:
            _note(found, _explain(chain, last, number, is_gone=payload is None))
        last, before = number, digest
    return Head(chain, last, before)


def _note(found: Walk, finding: Finding) -> None:
    if len(found.findings) < MOST:
        found.findings.append(finding)


def _explain(chain: str, last: int, number: int, *, is_gone: bool) -> Finding:
    if number != last + 1:
        return Finding("missing", chain, number, f"links {last + 1} to {number - 1} are gone")
    if is_gone:
        return Finding("missing", chain, number, "its event is gone")
    return Finding("changed", chain, number, "the event or its link is not what was sealed")
