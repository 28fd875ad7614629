"""References inside a resource: what each one means, and resources with every one of them rewritten.

A Reference (R4 section 2.3.0) says `Patient/1`, an absolute URL, `urn:uuid:...` (an entry of the same Bundle), `#x` (a
contained resource), or in transactions `Practitioner?identifier=system|value`. What they come to mean here is for the
caller to decide; this module reads them and walks resources. Nothing is changed in place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from hub_core.fhir.registry import RESOURCE_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub_core.fhir.canonical import Json

Resolve: TypeAlias = Callable[[str], str | None]
"""What a reference's text becomes: the new text, or None when nothing is known by it (it becomes a logical one)."""

_LITERAL = re.compile(
    r"(?:(?P<base>[a-z][a-z0-9+.-]*://[^\s?#]+)/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[^\s/?#|]{1,255})(?:/_history/[^\s/?#|]{1,64})?"
)
_URI = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """What a literal reference points to."""

    resource_type: str
    resource_id: str
    base: str | None = None
    """Address of the server that holds it, when the reference is absolute."""


def target(text: str) -> Target | None:
    """Return what `Patient/1` or `https://server/fhir/Patient/1` points to, or None.

    The version behind `/_history/` is left out; an id is read even if it has characters that R4 forbids in ids.
    """
    match = _LITERAL.fullmatch(text)
    if match is None or match["type"] not in RESOURCE_TYPES:
        return None
    return Target(match["type"], match["id"], match["base"])


def logical(reference: Json) -> Json:
    """Return the reference with its text turned into an identifier, its type and display kept (R4 section 2.3.0.2).

    `Practitioner?identifier=system|value` becomes that identifier; a URL or `urn:uuid:` becomes an identifier that is a
    URI; what is neither is kept as a value without system. An identifier the sender gave is not replaced.
    """
    text = reference["reference"]
    kept = {key: value for key, value in reference.items() if key != "reference"}
    known_type, identifier = _identified(text)
    if known_type:
        kept.setdefault("type", known_type)
    kept.setdefault("identifier", identifier)
    return kept


def rewrite(resource: Json, resolve: Resolve) -> Json:
    """Return the resource with every reference and every attachment address resolved.

    References to contained resources (`#x`) stay. Parts without references are shared with the original.
    """
    return _rewritten(resource, resolve)


def collect(node: Any) -> Iterator[str]:
    """Yield the text of every literal reference in a resource, contained ones (`#x`) left out."""
    if isinstance(node, list):
        for child in node:
            yield from collect(child)
    elif isinstance(node, dict):
        text = node.get("reference")
        if isinstance(text, str) and not text.startswith("#"):
            yield text
        for child in node.values():
            if isinstance(child, dict | list):
                yield from collect(child)


def _rewritten(node: Json, resolve: Resolve) -> Json:
    """Return the node itself, or a copy when something in it points elsewhere now."""
    new = node
    for key, child in node.items():
        kind = type(child)
        if kind is dict:
            rewritten: Any = _rewritten(child, resolve)
        elif kind is list:
            rewritten = _all_rewritten(child, resolve)
        else:
            continue
        if rewritten is not child:
            new = node.copy() if new is node else new
            new[key] = rewritten
    return _pointing(new, resolve) if "reference" in node or "url" in node else new


def _all_rewritten(nodes: list[Any], resolve: Resolve) -> list[Any]:
    new = nodes
    for place, child in enumerate(nodes):
        kind = type(child)
        if kind is dict:
            rewritten: Any = _rewritten(child, resolve)
        elif kind is list:
            rewritten = _all_rewritten(child, resolve)
        else:
            continue
        if rewritten is not child:
            new = nodes.copy() if new is nodes else new
            new[place] = rewritten
    return new


def _pointing(node: Json, resolve: Resolve) -> Json:
    """Return a Reference, or the Attachment of a Binary, pointing to where `resolve` says."""
    text = node.get("reference")
    if type(text) is str and text and text[0] != "#":
        new = resolve(text)
        return {**node, "reference": new} if new is not None else logical(node)
    url = node.get("url")
    if type(url) is str and url.startswith(("Binary/", "urn:uuid:")):
        return {**node, "url": resolve(url) or url}
    return node


def _identified(text: str) -> tuple[str | None, Json]:
    """Return the type, if the text of a reference tells it, and the identifier that stands for it."""
    resource_type, is_query, query = text.partition("?")
    if is_query and resource_type in RESOURCE_TYPES:
        for criterion in query.split("&"):
            name, _, value = criterion.partition("=")
            if name == "identifier" and value:
                system, has_system, code = unquote(value).rpartition("|")
                return resource_type, {"system": system, "value": code} if has_system and system else {"value": code}
        return resource_type, {"value": query}
    found = target(text)
    uri = {"system": "urn:ietf:rfc:3986"} if _URI.match(text) else {}
    return found.resource_type if found else None, {**uri, "value": text}
