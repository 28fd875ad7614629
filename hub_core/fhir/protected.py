"""Identifiers too dangerous to keep in clear: replaced by a keyed token and the last four before the record sees them.

A social security number opens credit lines. Equal numbers give equal tokens, so matching still works; nobody can read
the number back from the record, the lake or the warehouse. The raw message keeps it, sealed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub_core.fhir.canonical import Json

LAST_FOUR = "https://wholechart.example/fhir/StructureDefinition/last-four"
"""Extension with the last four characters of a number kept as a token."""

_SYSTEMS = ("http://hl7.org/fhir/sid/us-ssn", "urn:oid:2.16.840.1.113883.4.1", "http://hl7.org/fhir/sid/us-itin")
_CARRIERS = frozenset({"Patient", "Person", "RelatedPerson", "Practitioner"})


def protect(resource: Json, token: Callable[[str], str]) -> Json:
    """Return the resource with every SSN-class identifier as `token` of it; others are returned as they are."""
    if resource["resourceType"] not in _CARRIERS or not any(map(_is_protected, resource.get("identifier", []))):
        return resource
    identifiers = [_protected(i, token) if _is_protected(i) else i for i in resource["identifier"]]
    return {**resource, "identifier": identifiers}


def _is_protected(identifier: Any) -> bool:
    if not isinstance(identifier, dict) or not identifier.get("value"):
        return False
    codes = {coding.get("code") for coding in identifier.get("type", {}).get("coding", [])}
    return identifier.get("system") in _SYSTEMS or "SS" in codes


def _protected(identifier: Json, token: Callable[[str], str]) -> Json:
    number = str(identifier["value"])
    extension = [*identifier.get("extension", []), {"url": LAST_FOUR, "valueString": number[-4:]}]
    return {**identifier, "value": token(number), "extension": extension}
