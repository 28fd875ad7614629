"""What the codes of adjustments and denials mean, in a few words of our own: the codes' texts belong to X12."""

from __future__ import annotations

from typing import Final

from dashboards.figures.reading import NOT_STATED

_GROUPS: Final = {
    "CO": "Contract",
    "PR": "Patient's share",
    "OA": "Other",
    "PI": "Payer's decision",
    "CR": "Correction",
}
_REASONS: Final = {
    "1": "deductible",
    "2": "coinsurance",
    "3": "copay",
    "4": "modifier does not fit",
    "11": "diagnosis does not fit",
    "15": "authorization number wrong",
    "16": "information missing",
    "18": "sent before",
    "22": "another payer first",
    "23": "paid by the payer before",
    "24": "covered by capitation",
    "26": "before coverage began",
    "27": "after coverage ended",
    "29": "sent too late",
    "31": "member not known",
    "45": "above the agreed fee",
    "50": "not seen as necessary",
    "94": "paid above the charge",
    "96": "not covered",
    "97": "part of another service",
    "109": "not this payer's",
    "119": "maximum reached",
    "151": "too often",
    "167": "diagnosis not covered",
    "197": "no authorization",
    "204": "not in the plan",
    "253": "federal payment cut",
}


def group(code: str | None) -> str:
    """Return who bears an adjustment, by its group code."""
    return f"{_GROUPS[code]} ({code})" if code in _GROUPS else code or NOT_STATED


def reason(code: str | None) -> str:
    """Return an adjustment reason code, with its meaning where we have words for it."""
    return f"{code} · {_REASONS[code]}" if code in _REASONS else code or NOT_STATED
