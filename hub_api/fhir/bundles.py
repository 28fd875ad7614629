"""Bundles put together from stored text: entries are spliced in as they are, not read and written again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, TypeAlias

from hub_core.clock import instant
from hub_core.fhir.canonical import Json, dumps

if TYPE_CHECKING:
    from ehr_pm.record.queries import Found

SearchMode: TypeAlias = Literal["match", "include", "outcome"]
Links: TypeAlias = dict[str, str]


def bundle(kind: str, entries: Iterable[bytes], links: Links, total: int | None = None) -> bytes:
    """Return a Bundle of entries that are JSON already."""
    head: Json = {"resourceType": "Bundle", "type": kind}
    if total is not None:
        head["total"] = total
    head["link"] = [{"relation": relation, "url": url} for relation, url in links.items()]
    inside = b",".join(entries)
    return dumps(head)[:-1] + (b',"entry":[' + inside + b"]}" if inside else b"}")


def search_entry(base: str, found: Found, mode: SearchMode = "match", body: str | None = None) -> bytes:
    """Return a resource as an entry of a searchset; with another text than what is stored where one is given."""
    return (
        f'{{"fullUrl":"{base}/{found.resource_type}/{found.resource_id}","resource":{body or found.body},'
        f'"search":{{"mode":"{mode}"}}}}'
    ).encode()


def outcome_entry(outcome: Json) -> bytes:
    """Return an OperationOutcome as an entry of a searchset."""
    return dumps({"resource": outcome, "search": {"mode": "outcome"}})


def history_entry(base: str, found: Found) -> bytes:
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
