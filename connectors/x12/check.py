"""Every issue of one transaction set, in the order of the text: envelope, structure, elements, balance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from connectors.x12.adjudicated import AdjudicatedClaim, claim_loops, read_adjudicated
from connectors.x12.balance import claim_balance, remittance_balance
from connectors.x12.element_rules import ELIGIBILITY_RULES
from connectors.x12.envelope import envelope_issues
from connectors.x12.guide_271 import GUIDE_271
from connectors.x12.guide_835 import GUIDE_835
from connectors.x12.guide_837p import GUIDE_837P
from connectors.x12.loops import Loop, read_loops
from connectors.x12.service import service_issues
from connectors.x12.sets import ELIGIBILITY, PROFESSIONAL_CLAIM, REMITTANCE, is_mapped, kind_of
from connectors.x12.structure import Finding, situation_findings, structure_findings
from hub_core.collecting import collector_paused
from hub_core.errors import UnreadableError

if TYPE_CHECKING:
    from connectors.connector import Issue
    from connectors.x12.transaction import Segment, Transaction


def check_set(transaction: Transaction) -> Iterator[Issue]:
    """Yield the issues of a set; of sets that are not mapped only those of the envelope."""
    if is_mapped(transaction):
        with collector_paused():
            findings = sorted(_findings(transaction), key=lambda finding: finding[0])
        for _, issue in findings:
            yield issue
    yield from envelope_issues(transaction)


def _findings(transaction: Transaction) -> Iterator[Finding]:
    body = transaction.segments[1:-1] if transaction.trailer else transaction.segments[1:]
    yield from _FINDINGS[kind_of(transaction)](body)


def _claim_findings(body: list[Segment]) -> Iterator[Finding]:
    root = read_loops(GUIDE_837P, body)
    yield from structure_findings(GUIDE_837P, root)
    for claim in (loop for loop in root.walk() if loop.name == "2300"):
        yield from situation_findings(claim)
        yield from ((claim.opener.ordinal, issue) for issue in claim_balance(claim))
    yield from _service_findings(root, "2400", "SV1")


def _remittance_findings(body: list[Segment]) -> Iterator[Finding]:
    root = read_loops(GUIDE_835, body)
    yield from structure_findings(GUIDE_835, root)
    yield from _service_findings(root, "2110", "SVC")
    yield from ((len(body) + 2, issue) for issue in _remittance_balance(root))


def _eligibility_findings(body: list[Segment]) -> Iterator[Finding]:
    yield from structure_findings(GUIDE_271, read_loops(GUIDE_271, body), ELIGIBILITY_RULES)


def _service_findings(root: Loop, loop_name: str, segment_name: str) -> Iterator[Finding]:
    for loop in root.walk():
        if loop.name == loop_name:
            for issue in service_issues([loop], segment_name, loop_name):
                yield loop.opener.ordinal, issue


def _remittance_balance(root: Loop) -> Iterator[Issue]:
    claims: list[AdjudicatedClaim] = []
    for loop in claim_loops(root):
        try:
            claims.append(read_adjudicated(loop))
        except UnreadableError:
            return  # the element rules say which amount is none; sums without it mean nothing
    yield from remittance_balance(root, claims)


_FINDINGS: dict[str, Callable[[list[Segment]], Iterator[Finding]]] = {
    PROFESSIONAL_CLAIM: _claim_findings,
    REMITTANCE: _remittance_findings,
    ELIGIBILITY: _eligibility_findings,
}
