"""Bundles put together from stored text: entries are spliced in as they are, not read and written again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from hub_core.clock import instant
from hub_core.fhir.canonical import Json, dumps

SearchMode: TypeAlias = Literal["match", "include", "outcome"]
Links: TypeAlias = dict[str, str]


class Shown(Protocol):
    """A version of a resource that is shown, whether it is stored or made for the occasion."""

    @property
    def resource_type(self) -> str:
        """Return its type."""

    @property
    def resource_id(self) -> UUID | str:
        """Return its id."""

    @property
    def version(self) -> int:
        """Return which version it is."""

    @property
    def recorded_at(self) -> datetime:
        """Return since when."""

    @property
    def deleted(self) -> bool:
        """Return whether it says that the resource is no more."""

    @property
    def patient_id(self) -> UUID | None:
        """Return whom it is about."""

    @property
    def location(self) -> str | None:
        """Return whose record it is."""

    @property
    def body(self) -> str:
        """Return its JSON text."""


def bundle(kind: str, entries: Iterable[bytes], links: Links, total: int | None = None) -> bytes:
    """Return a Bundle of entries that are JSON already."""
    head: Json = {"resourceType": "Bundle", "type": kind}
    if total is not None:
        head["total"] = total
    head["link"] = [{"relation": relation, "url": url} for relation, url in links.items()]
    inside = b",".join(entries)
    return dumps(head)[:-1] + (b',"entry":[' + inside + b"]}" if inside else b"}")


def search_entry(base: str, found: Shown, mode: SearchMode = "match", body: str | None = None) -> bytes:
    """Return a resource as an entry of a searchset; with another text than what is stored where one is given."""
    return (
        f'{{"fullUrl":"{base}/{found.resource_type}/{found.resource_id}","resource":{body or found.body},'
        f'"search":{{"mode":"{mode}"}}}}'
    ).encode()


def outcome_entry(outcome: Json) -> bytes:
    """Return an OperationOutcome as an entry of a searchset."""
    return dumps({"resource": outcome, "search": {"mode": "outcome"}})


def history_entry(base: str, found: Shown) -> bytes:
    """Return one version as an entry of a history, with the act that would have made it (R4 section 3.1.0.8)."""
    name = f"{found.resource_type}/{found.resource_id}"
    method, status = ("DELETE", "204") if found.deleted else ("PUT", "201" if found.version == 1 else "200")
    acted = dumps(
        {
            "request": {"method": method, "url": name},
            "response": {
                "status": status,
                "etag": f'W/"{found.version}"',
                "lastModified": instant(found.recorded_at),
            },
        }
    )
    resource = b"" if found.deleted else b'"resource":' + found.body.encode() + b","
    return f'{{"fullUrl":"{base}/{name}",'.encode() + resource + acted[1:]
