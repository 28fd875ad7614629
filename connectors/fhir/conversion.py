"""Turns what a FHIR sender calls its resources into facts: ids and references of this house, everything else as sent.

A resource's id is derived from the sender's own id. References follow the same rule, so that resources of one source
meet in whatever order they come. What cannot be known by id (another server's URL, a transaction's conditional
reference, an entry that was not sent) stays as a logical reference, by identifier.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from connectors.connector import Fact, Origin
from hub_core.fhir import canonical, references, search_values
from hub_core.fhir.canonical import Json
from hub_core.fhir.ids import derived_id

_MOST_RESOLVED: Final = 100_000
"""References remembered per message."""


class Conversion:
    """The resources of one message becoming facts; knows what the message's own entries are called."""

    def __init__(self, origin: Origin) -> None:
        self._source = origin.source
        self.release = origin.release
        """The release that the resources are said to be of; None where each has to show it."""
        self._entries: dict[str, str] = {}
        self._bases: set[str] = set()
        self._resolved: dict[str, str | None] = {}

    def introduce(self, full_url: str, resource_type: str, source_id: str) -> None:
        """Let references to `full_url` mean the resource that the source calls `source_id`."""
        self._entries[full_url] = f"{resource_type}/{derived_id(self._source, resource_type, source_id)}"
        found = references.target(full_url)
        if found and found.base:
            self._bases.add(found.base)

    def fact(self, resource: Json, source_id: str) -> Fact:
        """Return the fact a checked resource states."""
        resource_type = resource["resourceType"]
        meta = resource.get("meta", {})
        kept = {key: value for key, value in meta.items() if key not in ("versionId", "lastUpdated")}
        said: Json = {"resourceType": "", "id": "", "meta": {}, **resource}
        said["id"] = derived_id(self._source, resource_type, source_id)
        if kept:
            said["meta"] = kept
        else:
            del said["meta"]
        return Fact(references.rewrite(said, self._resolve), source_id, _moment(meta.get("lastUpdated")))

    def deletion(self, resource_type: str, source_id: str, moment: str | None) -> Fact:
        """Return the fact that the source has a resource no more, since a moment if it says one."""
        gone: Json = {"resourceType": resource_type, "id": derived_id(self._source, resource_type, source_id)}
        return Fact(gone, source_id, _moment(moment), is_deleted=True)

    def _resolve(self, text: str) -> str | None:
        if text not in self._resolved:
            if len(self._resolved) >= _MOST_RESOLVED:
                self._resolved.clear()
            self._resolved[text] = self._entries.get(text) or self._derive(text)
        return self._resolved[text]

    def _derive(self, text: str) -> str | None:
        found = references.target(text)
        if found is None or (found.base and found.base not in self._bases):
            return None
        return f"{found.resource_type}/{derived_id(self._source, found.resource_type, found.resource_id)}"


def source_id_of(resource: Json, full_url: str | None = None) -> str:
    """Return what the source calls a resource: its id, else what its entry is called, else a hash of what it says."""
    if resource_id := resource.get("id"):
        return str(resource_id)
    if full_url and full_url.startswith("urn:uuid:"):
        return full_url.removeprefix("urn:uuid:")
    if full_url and (found := references.target(full_url)):
        return found.resource_id
    return canonical.content_hash(resource).hex()


def _moment(last_updated: Any) -> datetime | None:
    found = search_values.interval(last_updated) if isinstance(last_updated, str) else None
    return found[0] if found else None
