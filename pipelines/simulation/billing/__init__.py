"""Money: what the care of a chapter costs, who is asked for it, who pays, and the truth about it."""

from __future__ import annotations

from random import Random

from pipelines.simulation.billing.accounts import keep_accounts
from pipelines.simulation.billing.claims import bill_pediatrics
from pipelines.simulation.billing.eligibility import ask
from pipelines.simulation.billing.remittances import Ledger
from pipelines.simulation.billing.truth import truth_tables
from pipelines.simulation.money import Books
from pipelines.simulation.world import Chapter

__all__ = ["keep_books", "truth_tables"]


def keep_books(chapter: Chapter, seed: int) -> Books:
    """Return all money of a chapter; the same chapter and seed give the same books."""
    books, ledger = Books(), Ledger(chapter.number)
    keep_accounts(chapter, books, _random(seed, chapter, "accounts"))
    bill_pediatrics(chapter, ledger, _random(seed, chapter, "claims"))
    ask(chapter, books, _random(seed, chapter, "eligibility"))
    books.claims, books.remittances = ledger.claims, list(ledger.remittances())
    return books


def _random(seed: int, chapter: Chapter, purpose: str) -> Random:
    return Random(f"{seed}:{chapter.number}:{purpose}")  # noqa: S311
