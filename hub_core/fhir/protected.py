"""Identifiers too dangerous to keep in clear: replaced by a keyed token and the last four before the record sees them.

A social security number opens credit lines. Equal numbers give equal tokens, so matching still works; nobody can read
the number back from the record, the lake or the warehouse. The raw message keeps it, sealed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
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


def protect(resource: Json, token: Callable[[str], str], known: Collection[str] = ()) -> Json:
    """Return the resource with every SSN-class identifier in it as `token` of it; the same object where it has none.

    Args:
        resource: the resource.
        token: what takes the place of a number.
        known: values that are tokens already.
    """
    if not _is_marked(resource):
        return resource
    protected: Json = _protect(resource, token, known)
    return protected


def protect_all(resources: list[Json], token: Callable[[str], str]) -> list[Json]:
    """Return resources of one record, each protected; together they are seldom worth a second look."""
    return [protect(resource, token) for resource in resources] if _is_marked(resources) else resources


def _is_marked(resources: Json | list[Json]) -> bool:
    """Return whether there may be a number to protect; writing resources costs a tenth of walking through them."""
    return any(map(dumps(resources).__contains__, _MARKS))


def protect_again(resource: Json, token: Callable[[str], str], before: Json) -> Json:
    """Return a resource that was read here, changed elsewhere and sent back, its numbers protected.

    What it repeats of the tokens that stood in it `before` is no number to be protected, and stays.
    """
    known = set(_tokens(before))
    return protect(resource, token, known) if known else protect(resource, token)


def _tokens(part: Any) -> Iterator[str]:
    """Yield the tokens in a resource that was protected before."""
    for each in part if isinstance(part, list) else part.values():
        if isinstance(each, dict | list):
            yield from _tokens(each)
    if isinstance(part, dict) and isinstance(part.get("value"), str) and _is_token(part):
        yield part["value"]


def _is_token(identifier: Json) -> bool:
    beside = identifier.get("extension")
    return isinstance(beside, list) and any(isinstance(each, dict) and each.get("url") == LAST_FOUR for each in beside)


def _protect(value: Any, token: Callable[[str], str], known: Collection[str]) -> Any:
    """Return a part of a resource, the same object where nothing in it is to be protected."""
    whole = value
    is_list = isinstance(value, list)
    for key, part in enumerate(value) if is_list else value.items():
        if isinstance(part, dict | list) and (kept := _protect(part, token, known)) is not part:
            whole = value.copy() if whole is value else whole
            whole[key] = kept
    if is_list or "value" not in whole or not _is_protected(whole) or whole["value"] in known:
        return whole
    return _protected(whole, token)


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
