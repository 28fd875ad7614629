"""The transaction sets of HIPAA by the version they state, and which of them are mapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.x12.transaction import Transaction

PROFESSIONAL_CLAIM = "837P"
REMITTANCE = "835"
ELIGIBILITY = "271"

MAPPED = {
    PROFESSIONAL_CLAIM: ("005010X222", "005010X222A1", "005010X222A2"),
    REMITTANCE: ("005010X221", "005010X221A1"),
    ELIGIBILITY: ("005010X279", "005010X279A1"),
}
"""Kind of set and the implementation versions (GS08) that are mapped to FHIR."""

_KINDS = {
    "X096": "837I", "X097": "837D", "X098": "837P", "X222": "837P", "X223": "837I", "X224": "837D",
    "X214": "277CA", "X167": "277CA", "X070": "277CA",
}  # fmt: skip
"""Guides of one ST01 that serve different purposes, by the guide number in the version."""

_OURS = {"270": "is a question that a provider asks; the payer's answer, a 271, is mapped"}
"""Sets that a group sends and does not receive, with why they are stored only."""


def kind_of(transaction: Transaction) -> str:
    """Return the kind of message in words of the field: `837P`, `835`, `277CA`, `TA1`; `interchange` when empty."""
    if not transaction.set_id:
        return "TA1" if transaction.acknowledgement else "interchange"
    if transaction.set_id in ("837", "277"):
        return _KINDS.get(transaction.version[6:10], transaction.set_id)
    return transaction.set_id


def is_mapped(transaction: Transaction) -> bool:
    """Return whether the set has a mapping to FHIR in the version it states."""
    return transaction.version in MAPPED.get(kind_of(transaction), ())


def reason_unmapped(transaction: Transaction) -> str:
    """Return why a set without mapping is stored only."""
    kind = kind_of(transaction)
    if kind in MAPPED:
        stated = transaction.version or "no version"
        return f"{kind} {stated} is stored but not mapped; mapped are {', '.join(MAPPED[kind])}"
    version = f" {transaction.version}" if transaction.version else ""
    if kind in _OURS:
        return f"{kind}{version} {_OURS[kind]}"
    return f"{kind}{version} is stored but not mapped; mapped are 837P, 835 and 271 of version 005010"
