"""One transaction set to its outcome: mapped, stored only, or rejected, with the reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeAlias

from connectors.connector import Fact, Issue, Origin, Outcome
from connectors.x12.claim import read_claims
from connectors.x12.elements import moment
from connectors.x12.eligibility import read_eligibility
from connectors.x12.envelope import envelope_issues, is_cut_short
from connectors.x12.facts import FactSet
from connectors.x12.guide_271 import GUIDE_271
from connectors.x12.guide_835 import GUIDE_835
from connectors.x12.guide_837p import GUIDE_837P
from connectors.x12.loops import Guide, Loop, read_loops
from connectors.x12.remittance import read_remittance
from connectors.x12.sets import ELIGIBILITY, PROFESSIONAL_CLAIM, REMITTANCE, is_mapped, kind_of, reason_unmapped
from connectors.x12.transaction import Transaction
from hub_core.collecting import collector_paused

Mapping: TypeAlias = Callable[[FactSet, Loop, datetime | None], Iterator[Issue]]
"""Keeps what the loops of a set say as facts, and yields what could not be kept or does not add up."""


def convert_set(transaction: Transaction, origin: Origin) -> Outcome:
    """Return what becomes of one transaction set."""
    kind = kind_of(transaction)
    envelope = tuple(envelope_issues(transaction))
    if transaction.header and is_cut_short(transaction):
        return Outcome(1, kind, "rejected", issues=envelope)
    if not is_mapped(transaction):
        reason = Issue("information", "not-supported", reason_unmapped(transaction), "GS08")
        return Outcome(1, kind, "filtered", issues=(*envelope, reason))
    with collector_paused():
        kept, found = _map(transaction, origin, *_MAPPINGS[kind])
    if any(fact.resource["resourceType"] == _MAIN[kind] for fact in kept):
        return Outcome(1, kind, "processed", kept, envelope + found)
    nothing = Issue("error", "required", "the set holds nothing that could be mapped", "ST")
    return Outcome(1, kind, "rejected", issues=envelope + (found or (nothing,)))


def _map(
    transaction: Transaction, origin: Origin, guide: Guide, read: Mapping
) -> tuple[tuple[Fact, ...], tuple[Issue, ...]]:
    """Return the facts of a set that has a mapping, and what was found while they were read."""
    root = read_loops(guide, transaction.segments[1:-1])
    event_at = _event_at(transaction, root, origin.zone)
    facts = FactSet(origin, event_at)
    found = tuple(read(facts, root, event_at))
    return facts.all(), found


def _event_at(transaction: Transaction, root: Loop, zone: str) -> datetime | None:
    """Return when the set was written: BHT04 and 05, else GS04 and 05, else the payment date BPR16."""
    begin, payment, group = root.segment("BHT"), root.segment("BPR"), transaction.group
    stated = (
        (begin[4], begin[5]) if begin else None,
        (group[4], group[5]) if group else None,
        (payment[16], "") if payment else None,
    )
    return next((when for pair in stated if pair and (when := moment(*pair, zone))), None)


_MAPPINGS: dict[str, tuple[Guide, Mapping]] = {
    PROFESSIONAL_CLAIM: (GUIDE_837P, read_claims),
    REMITTANCE: (GUIDE_835, read_remittance),
    ELIGIBILITY: (GUIDE_271, read_eligibility),
}
_MAIN = {
    PROFESSIONAL_CLAIM: "Claim",
    REMITTANCE: "PaymentReconciliation",
    ELIGIBILITY: "CoverageEligibilityResponse",
}
"""The resource without which nothing of a set is kept."""
