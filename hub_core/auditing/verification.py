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

_PAGE = 10_000
"""Links read at once."""
_PAGES = (
    "SELECT shard, min(number), max(number) FROM audit_link"  # noqa: S608 - a number of ours
    f" GROUP BY shard, number / {_PAGE} ORDER BY shard, number / {_PAGE}"
)
# Each event by its id, whatever the planner thinks: a join may read all events anew for every page.
_LINKS = (
    "SELECT l.number, l.digest, event.payload FROM audit_link l LEFT JOIN LATERAL"  # noqa: S608 - words of ours
    f" (SELECT {PAYLOAD.format(form='l.form')} AS payload FROM audit_event e WHERE e.event_id = l.event_id OFFSET 0)"
    " AS event ON true WHERE l.shard = %s AND l.number BETWEEN %s AND %s ORDER BY l.number"
)
_UNLINKED = (
    "SELECT count(*) FROM audit_event e WHERE e.txid < (SELECT horizon FROM audit_sealed)"
    " AND NOT EXISTS (SELECT FROM audit_link l WHERE l.event_id = e.event_id)"
)
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
    chain = _Chain("")
    for shard, number, digest, payload in _links(connections):
        if shard != chain.shard:
            chain = _Chain(shard)
            found.chains += 1
        found.events += 1
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
    unlinked = connections[0].execute(_UNLINKED).fetchall()[0][0]
    if unlinked:
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


def _links(connections: Sequence[psycopg.Connection[Any]]) -> Iterator[tuple[str, int, bytes, bytes | None]]:
    """Yield every link with its event as text, in order."""
    for shard, page in _pages(connections):
        for number, digest, payload in page:
            yield shard, number, digest, payload


def _pages(
    connections: Sequence[psycopg.Connection[Any]],
) -> Iterator[tuple[str, list[tuple[int, bytes, bytes | None]]]]:
    """Yield the links a page at a time, in order; each connection reads one ahead."""
    spans = connections[0].execute(_PAGES).fetchall()
    idle: SimpleQueue[psycopg.Connection[Any]] = SimpleQueue()
    for connection in connections:
        idle.put(connection)

    def read(shard: str, first: int, last: int) -> tuple[str, list[Any]]:
        connection = idle.get()
        try:
            with connection.cursor(binary=True) as cursor:
                return shard, cursor.execute(_LINKS, (shard, first, last), prepare=False).fetchall()
        finally:
            idle.put(connection)

    with ThreadPoolExecutor(len(connections)) as readers:
        reading: deque[Future[tuple[str, list[Any]]]] = deque()
        for span in spans:
            reading.append(readers.submit(read, *span))
            if len(reading) > len(connections):
                yield reading.popleft().result()
        while reading:
            yield reading.popleft().result()
