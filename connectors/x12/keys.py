"""Whom a transaction set is about, so that the sets that speak of one member or one claim are applied in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.x12.transaction import Transaction

KEYED = ("GS", "ST", "TA1", "CLM", "CLP", "NM1")
"""Segments that tell kind, control numbers and keys of a set; all that an envelope needs read."""

_CLAIM_NUMBERS = {"CLM", "CLP"}
_MEMBERS = {"IL", "QC", "74"}


def keys_of(transaction: Transaction) -> tuple[str, ...]:
    """Return the claim numbers and member ids of a set, each once, in the order of the text."""
    keys: dict[str, None] = {}
    for segment in transaction.segments:
        name = segment.name
        if name in _CLAIM_NUMBERS and segment[1].strip():
            keys[f"claim|{segment[1].strip()}"] = None
        elif name == "NM1" and segment[1] in _MEMBERS and segment[9].strip():
            keys[f"member|{segment[9].strip()}"] = None
    return tuple(keys)
