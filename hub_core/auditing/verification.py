"""Verifying the audit trail: every event is there, unchanged, in its place, and no chain is shorter than it was."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from hub_core.auditing.chain import BEGINNING, PAYLOAD, link
from hub_core.auditing.checkpoints import Checkpoint

if TYPE_CHECKING:
    import psycopg

Fault: TypeAlias = Literal["changed", "missing", "unlinked", "cut off", "replaced"]

_PAGE = 20_000
"""Links read at once."""
_CHAINS = "SELECT shard, min(number), max(number) FROM audit_link GROUP BY shard ORDER BY shard"
_LINKS = (
    "SELECT l.number, l.digest,"  # noqa: S608 - words of the chain's file
    f" CASE WHEN e.event_id IS NOT NULL THEN convert_to({PAYLOAD}, 'UTF8') END"
    " FROM audit_link l LEFT JOIN audit_event e ON e.event_id = l.event_id"
    " WHERE l.shard = %s AND l.number BETWEEN %s AND %s ORDER BY l.number"
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


def verify(connection: psycopg.Connection[Any], key: bytes, checkpoints: Iterable[Checkpoint]) -> Verification:
    """Return what is wrong with the trail as it stands.

    Args:
        connection: a transaction; it sees the trail as of one moment.
        key: of the chain.
        checkpoints: where the chains stood before.
    """
    due = {(each.head.shard, each.head.number): each for each in checkpoints}
    found = Verification()
    chain = _Chain("")
    for shard, number, digest, payload in _links(connection):
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
    unlinked = connection.execute(_UNLINKED).fetchall()[0][0]
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


def _links(connection: psycopg.Connection[Any]) -> Iterator[tuple[str, int, bytes, bytes | None]]:
    """Yield every link with its event as text, in order."""
    for shard, page in _pages(connection):
        for number, digest, payload in page:
            yield shard, number, digest, payload


def _pages(connection: psycopg.Connection[Any]) -> Iterator[tuple[str, list[tuple[int, bytes, bytes | None]]]]:
    """Yield the links a page at a time; the next one is read while this one is being verified."""
    spans = [
        (shard, first, first + _PAGE - 1)
        for shard, lowest, highest in connection.execute(_CHAINS).fetchall()
        for first in range(lowest, highest + 1, _PAGE)
    ]
    with connection.cursor(binary=True) as cursor, ThreadPoolExecutor(1) as ahead:

        def read(span: tuple[str, int, int]) -> tuple[str, list[Any]]:
            return span[0], cursor.execute(_LINKS, span, prepare=False).fetchall()

        reading = deque(ahead.submit(read, span) for span in spans[:1])
        for following in [*spans[1:], None]:
            if following is not None:
                reading.append(ahead.submit(read, following))
            if reading:
                yield reading.popleft().result()
