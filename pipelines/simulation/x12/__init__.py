"""What the billing company, payers and the clearinghouse send, as X12 005010 text."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge

from pipelines.simulation.money import Books
from pipelines.simulation.sending import Sent
from pipelines.simulation.world import Chapter
from pipelines.simulation.x12.claims import claim_batches
from pipelines.simulation.x12.eligibility import eligibility_batches
from pipelines.simulation.x12.remittances import remittances

__all__ = ["interchanges"]


def interchanges(chapter: Chapter, books: Books) -> Iterator[Sent]:
    """Yield every interchange of a chapter, in the order of time; the same chapter and books give the same bytes."""
    yield from merge(
        claim_batches(chapter, books.claims),
        remittances(chapter, books.claims, books.remittances),
        eligibility_batches(chapter, books.eligibility),
        key=lambda each: each.sent_at,
    )
