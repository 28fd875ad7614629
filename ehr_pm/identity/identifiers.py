"""Which identifiers say that two patient records are one person when they are equal.

Equal means same assigner (system) and same value. Numbers that families share, that people mistype when registering, or
that name an account or a document rather than a patient, do not count; they are for the matching that weighs evidence.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub_core.fhir.canonical import Json
from hub_core.fhir.protected import SYSTEMS, type_codes

_NOT_A_PATIENT = frozenset({"SS", "DL", "PPN", "AN", "VN", "MB", "SN", "TAX", "NPI", "EN", "FILL", "PLAC", "BC"})
"""Codes of v2 table 0203 whose equality does not make one person."""

_NATIONAL_NUMBERS = SYSTEMS | {"http://hl7.org/fhir/sid/us-mbi"}

_LONGEST = 200
"""Characters of a system or value; what is longer is no number of a patient, and no index holds it."""


def linking_identifiers(patient: Json) -> Iterator[tuple[str, str]]:
    """Yield the (system, value) pairs of a Patient that tie it to a person."""
    identifiers = patient.get("identifier")
    for identifier in identifiers if isinstance(identifiers, list) else []:
        if not isinstance(identifier, dict) or identifier.get("use") == "old":
            continue
        system, value = _text(identifier.get("system")), _text(identifier.get("value"))
        if not system or not value or system in _NATIONAL_NUMBERS or _is_placeholder(value):
            continue
        if not type_codes(identifier) & _NOT_A_PATIENT:
            yield system, value


def _text(value: object) -> str:
    """Return a text fit to be compared, else nothing."""
    return value.strip() if isinstance(value, str) and len(value) <= _LONGEST and "\0" not in value else ""


def _is_placeholder(value: str) -> bool:
    """Return whether it is one character repeated ("0000", "99999"), as registration desks type to get past a field."""
    return len(value) > 1 and len(set(value)) == 1
