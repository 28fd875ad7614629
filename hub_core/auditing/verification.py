"""Verifying the audit trail: every event is there, unchanged, in its place, and no chain is shorter than it was."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING, Any

from hub_core.auditing.walking import MOST, Finding, Page, Walk, pages, walk

if TYPE_CHECKING:
    import psycopg

    from hub_core.auditing.checkpoints import Checkpoint
    from hub_core.connecting import Moment

_PAGE = 10_000
"""Links read at once."""
_WORTH = 5
"""Pages that are worth a process of their own."""
_AHEAD = 2
"""Pages that are walked here while other processes start."""
_SEALED = """
SELECT (SELECT count(*) FROM audit_event WHERE txid < horizon) + (
    SELECT count(*) FROM audit_event e
    WHERE e.txid >= horizon AND EXISTS (SELECT FROM audit_link l WHERE l.event_id = e.event_id OFFSET 0)
) FROM audit_sealed
"""
"""How many events the sealer has passed, so that each has a link, or has linked although others may still come.

The latter are few, and looked up one by one: a join would read all links for them.
"""
_SIGNED = """
SELECT shard, number, digest FROM audit_link
WHERE (shard, number) IN (SELECT * FROM unnest(%s::text[], %s::bigint[]))
"""


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


def verify(moment: Moment, key: bytes, checkpoints: Iterable[Checkpoint]) -> Verification:
    """Return what is wrong with the trail as of one moment.

    Args:
        moment: the trail is read at, side by side by as many processes as there are cores and it is worth.
        key: of the chain.
        checkpoints: where the chains stood before.
    """
    with moment.connect() as connection:
        own, *others = _segments(pages(connection, _PAGE))
        with _apart(moment, key, others) as walks:
            [(sealed,)] = connection.execute(_SEALED).fetchall()
            walked = [walk(moment, key, own), *(each.result() for each in walks)]
        findings = chain(
            chain.from_iterable(each.findings for each in walked),
            _not_as_signed(connection, checkpoints),
            _unlinked(sealed - sum(each.linked for each in walked)),
        )
        events, chains = sum(each.links for each in walked), sum(each.chains for each in walked)
        return Verification(events, chains, list(islice(findings, MOST)))


def _segments(trail: Sequence[Page]) -> Iterator[Sequence[Page]]:
    """Cut a trail into segments of like length, the first a little longer: it alone is walked at once."""
    count = max(1, min(os.cpu_count() or 1, len(trail) // _WORTH))
    ahead = _AHEAD if count > 1 else 0
    ends = (ahead + (len(trail) - ahead) * number // count for number in range(1, count + 1))
    for start, end in pairwise([0, *ends]):
        yield trail[start:end]


@contextmanager
def _apart(moment: Moment, key: bytes, segments: Sequence[Sequence[Page]]) -> Iterator[list[Future[Walk]]]:
    """Have segments walked by a process each, which is told the key through a pipe."""
    if not segments:
        yield []
        return
    with ProcessPoolExecutor(len(segments), multiprocessing.get_context("spawn")) as pool:
        yield [pool.submit(walk, moment, key, segment) for segment in segments]


def _not_as_signed(connection: psycopg.Connection[Any], checkpoints: Iterable[Checkpoint]) -> Iterator[Finding]:
    """Yield which chains do not reach what was signed, or are others there."""
    due = {(each.head.shard, each.head.number): each for each in checkpoints}
    places = [shard for shard, _ in due], [number for _, number in due]
    kept = {(shard, number): digest for shard, number, digest in connection.execute(_SIGNED, places).fetchall()}
    for (shard, number), checkpoint in due.items():
        if (shard, number) not in kept:
            yield Finding("cut off", shard, number, f"the chain was at least {number} events long at {checkpoint.at}")
        elif kept[shard, number] != checkpoint.head.digest:
            text = f"the chain is not the one that was signed at {checkpoint.at}"
            yield Finding("replaced", shard, number, text)


def _unlinked(count: int) -> Iterator[Finding]:
    if count:
        yield Finding("unlinked", "", 0, f"{count} events were put in behind the chain's back")
