"""Verifying the audit trail: every event is there, unchanged, in its place, and no chain is shorter than it was."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from hub_core.auditing.chain import BEGINNING, PAYLOAD, link
from hub_core.auditing.checkpoints import Checkpoint

if TYPE_CHECKING:
    import psycopg

Fault: TypeAlias = Literal["changed", "missing", "unlinked", "cut off", "replaced"]
_Link: TypeAlias = tuple[str, int, bytes, bytes | None]
"""Chain, number and digest of a link, and what it was told of its event: None where that is gone."""

_PAGE = 10_000
"""Links read at once."""
_PAGES = f"""
WITH RECURSIVE page AS (
    (SELECT shard, number FROM audit_link ORDER BY shard, number LIMIT 1)
    UNION ALL
    SELECT following.* FROM page CROSS JOIN LATERAL (
        SELECT l.shard, l.number FROM audit_link l WHERE (l.shard, l.number) > (page.shard, page.number)
        ORDER BY l.shard, l.number OFFSET {_PAGE - 1} LIMIT 1
    ) AS following
) SELECT shard, number FROM page
"""  # noqa: S608 - a number of ours
# Each event by its id, whatever the planner thinks: a join may read all events anew for every page.
_LINKS = (
    "SELECT l.shard, l.number, l.digest, event.payload FROM audit_link l LEFT JOIN LATERAL"  # noqa: S608 - words of ours
    f" (SELECT {PAYLOAD.format(form='l.form')} AS payload FROM audit_event e WHERE e.event_id = l.event_id OFFSET 0)"
    f" AS event ON true WHERE (l.shard, l.number) >= (%s, %s) ORDER BY l.shard, l.number LIMIT {_PAGE}"
)
_SEALED = """
SELECT (SELECT count(*) FROM audit_event WHERE txid < horizon) + (
    SELECT count(*) FROM audit_event e
    WHERE e.txid >= horizon AND EXISTS (SELECT FROM audit_link l WHERE l.event_id = e.event_id)
) FROM audit_sealed
"""
"""How many events the sealer has passed, so that each has a link, or has linked although others may still come."""
_MOST = 100
"""Findings that are listed; a trail with more is not better described by more."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with the trail."""

    fault: Fault
    shard: str
    number: int
    """Of the link at fault; 0 where it is not known."""
    text: str


@dataclass(slots=True)
class Verification:
    """What was found."""

    events: int = 0
    chains: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_intact(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.findings


@dataclass(slots=True)
class _Chain:
    """One chain while it is walked."""

    shard: str
    number: int = 0
    digest: bytes = BEGINNING


def verify(
    connections: Sequence[psycopg.Connection[Any]], key: bytes, checkpoints: Iterable[Checkpoint]
) -> Verification:
    """Return what is wrong with the trail as it stands.

    Args:
        connections: they see the trail as of one moment (`Database.one_moment`), and read it side by side.
        key: of the chain.
        checkpoints: where the chains stood before.
    """
    due = {(each.head.shard, each.head.number): each for each in checkpoints}
    found = Verification()
    chain, linked = _Chain(""), 0
    for shard, number, digest, payload in _links(connections):
        if shard != chain.shard:
            chain = _Chain(shard)
            found.chains += 1
        found.events += 1
        linked += payload is not None
        is_next = number == chain.number + 1
        if not is_next or payload is None or link(key, chain.digest, payload) != digest:
            _note(found, _explain(chain, number, is_next=is_next, is_gone=payload is None))
        chain.number, chain.digest = number, digest
        if (shard, number) in due:
            checkpoint = due.pop((shard, number))
            if checkpoint.head.digest != digest:
                text = f"the chain is not the one that was signed at {checkpoint.at}"
                _note(found, Finding("replaced", shard, number, text))
    for checkpoint in due.values():
        text = f"the chain was at least {checkpoint.head.number} events long at {checkpoint.at}"
        _note(found, Finding("cut off", checkpoint.head.shard, checkpoint.head.number, text))
    [(sealed,)] = connections[0].execute(_SEALED).fetchall()
    if unlinked := sealed - linked:
        _note(found, Finding("unlinked", "", 0, f"{unlinked} events were put in behind the chain's back"))
    return found


def _explain(chain: _Chain, number: int, *, is_next: bool, is_gone: bool) -> Finding:
    if not is_next:
        return Finding("missing", chain.shard, number, f"links {chain.number + 1} to {number - 1} are gone")
    if is_gone:
        return Finding("missing", chain.shard, number, "its event is gone")
    return Finding("changed", chain.shard, number, "the event or its link is not what was sealed")


def _note(found: Verification, finding: Finding) -> None:
    if len(found.findings) < _MOST:
        found.findings.append(finding)


def _links(connections: Sequence[psycopg.Connection[Any]]) -> Iterator[_Link]:
    """Yield every link with its event, in order, read a page at a time; each connection reads one ahead."""
    pages = connections[0].execute(_PAGES).fetchall()
    idle: SimpleQueue[psycopg.Connection[Any]] = SimpleQueue()
    for connection in connections:
        idle.put(connection)

    def read(page: tuple[str, int]) -> list[_Link]:
        connection = idle.get()
        try:
            with connection.cursor(binary=True) as cursor:
                return cursor.execute(_LINKS, page, prepare=False).fetchall()
        finally:
            idle.put(connection)

    with ThreadPoolExecutor(len(connections)) as readers:
        reading: deque[Future[list[_Link]]] = deque()
        for page in pages:
            reading.append(readers.submit(read, page))
            if len(reading) > len(connections):
                yield from reading.popleft().result()
        while reading:
            yield from reading.popleft().result()
