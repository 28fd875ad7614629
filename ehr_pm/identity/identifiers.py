"""Which identifiers say that two patient records are one person when they are equal.

Equal means same assigner (system) and same value. Numbers that families share, that people mistype when registering, or
that name an account or a document rather than a patient, do not count; they are for the matching that weighs evidence.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub_core.fhir.canonical import Json

_NOT_A_PATIENT = frozenset({"SS", "DL", "PPN", "AN", "VN", "MB", "SN", "TAX", "NPI", "EN", "FILL", "PLAC", "BC"})
"""Codes of v2 table 0203 whose equality does not make one person."""

_NATIONAL_NUMBERS = (
    "http://hl7.org/fhir/sid/us-ssn",
    "http://hl7.org/fhir/sid/us-mbi",
    "http://hl7.org/fhir/sid/us-itin",
)


def linking_identifiers(patient: Json) -> Iterator[tuple[str, str]]:
    """Yield the (system, value) pairs of a Patient that tie it to a person."""
    for identifier in patient.get("identifier", []):
        system, value = identifier.get("system"), str(identifier.get("value", "")).strip()
        if not system or not value or system.startswith(_NATIONAL_NUMBERS) or identifier.get("use") == "old":
            continue
        codes = {coding.get("code") for coding in identifier.get("type", {}).get("coding", [])}
        if not codes & _NOT_A_PATIENT and not _is_placeholder(value):
            yield system, value


def _is_placeholder(value: str) -> bool:
    """Return whether it is one character repeated ("0000", "99999"), as registration desks type to get past a field."""
    return len(value) > 1 and len(set(value)) == 1
