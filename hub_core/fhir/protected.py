"""Identifiers too dangerous to keep in clear: replaced by a keyed token and the last four before the record sees them.

A social security number opens credit lines. Equal numbers give equal tokens, so matching still works; nobody can read
the number back from the record, the lake or the warehouse. The raw message keeps it, sealed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub_core.fhir.canonical import Json, dumps

LAST_FOUR = "https://wholechart.example/fhir/StructureDefinition/last-four"
"""Extension with the last four characters of a number kept as a token."""

SYSTEMS = frozenset(
    {"http://hl7.org/fhir/sid/us-ssn", "urn:oid:2.16.840.1.113883.4.1", "http://hl7.org/fhir/sid/us-itin"}
)
"""Systems of numbers that are kept as tokens."""


_MARKS = (*(dumps(system) for system in sorted(SYSTEMS)), b'"SS"')
"""What the text of a resource with such an identifier holds, one of them at least."""


def protect(resource: Json, token: Callable[[str], str]) -> Json:
    """Return the resource with every SSN-class identifier in it as `token` of it; the same object where it has none."""
    text = dumps(resource)
    if not any(mark in text for mark in _MARKS):  # writing it costs a tenth of walking through it
        return resource
    protected: Json = _protect(resource, token)
    return protected


def _protect(value: Any, token: Callable[[str], str]) -> Any:
    """Return a part of a resource, the same object where nothing in it is to be protected."""
    whole = value
    is_list = isinstance(value, list)
    for key, part in enumerate(value) if is_list else value.items():
        if isinstance(part, dict | list) and (kept := _protect(part, token)) is not part:
            whole = value.copy() if whole is value else whole
            whole[key] = kept
    return _protected(whole, token) if not is_list and "value" in whole and _is_protected(whole) else whole


def _is_protected(part: Json) -> bool:
    if not isinstance(part.get("value"), str) or not part["value"]:
        return False
    system = part.get("system")
    return (isinstance(system, str) and system in SYSTEMS) or "SS" in type_codes(part)


def type_codes(identifier: Json) -> set[str]:
    """Return the codes of an identifier's type; none where it is not shaped as R4 has it."""
    kind = identifier.get("type")
    codings = kind.get("coding") if isinstance(kind, dict) else None
    listed = codings if isinstance(codings, list) else []
    return {coding["code"] for coding in listed if isinstance(coding, dict) and isinstance(coding.get("code"), str)}


def _protected(identifier: Json, token: Callable[[str], str]) -> Json:
    number = identifier["value"]
    before = identifier.get("extension")
    extension = [*(before if isinstance(before, list) else []), {"url": LAST_FOUR, "valueString": number[-4:]}]
    return {**identifier, "value": token(number), "extension": extension}
