"""Reads the entries of a Bundle, each by itself: one bad entry spoils none of the others.

Entries of all Bundle types are read alike (R4 section 2.36.4): what an entry holds is a resource the sender has.
Deletions are told as issues. A history lists the newest version first (section 3.1.0.9), so it is read backwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connectors.connector import Fact, Issue
from connectors.fhir import structure
from connectors.fhir.conversion import Conversion, source_id_of
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json


@dataclass(frozen=True, slots=True)
class Entry:
    """A usable resource of a Bundle."""

    resource: Json
    source_id: str
    full_url: str | None
    location: str


def convert(bundle: Json, inspector: structure.Inspector, conversion: Conversion) -> tuple[list[Fact], list[Issue]]:
    """Return the facts of the good entries, and an issue for each bad one.

    Raises:
        UnreadableError: if it has no array of entries.
    """
    issues: list[Issue] = []
    usable = list(entries(bundle, inspector, issues))
    for entry in usable:
        if entry.full_url:
            conversion.introduce(entry.full_url, entry.resource["resourceType"], entry.source_id)
    if bundle.get("type") == "history":
        usable.reverse()
    return [conversion.fact(entry.resource, entry.source_id) for entry in usable], issues


def entries(bundle: Json, inspector: structure.Inspector, issues: list[Issue]) -> Iterator[Entry]:
    """Yield the usable entries in order; `issues` has what is wrong up to each by the time it is yielded.

    Raises:
        UnreadableError: if there is no array of entries.
    """
    found = bundle.get("entry", [])
    if not isinstance(found, list):
        raise UnreadableError("entry must be an array", location="Bundle.entry")
    for number, entry in enumerate(found):
        try:
            if usable := _read(entry, f"Bundle.entry[{number}]", inspector, issues):
                yield usable
        except UnreadableError as error:
            issues.append(Issue("error", error.code, error.text, error.location))


def _read(entry: Any, location: str, inspector: structure.Inspector, issues: list[Issue]) -> Entry | None:
    if not isinstance(entry, dict):
        raise UnreadableError("an entry must be a JSON object", location=location)
    method = request.get("method") if isinstance(request := entry.get("request"), dict) else None
    resource = entry.get("resource")
    if method == "DELETE":
        text = "a deletion was asked for; the resource is kept"
        issues.append(Issue("warning", "not-supported", text, f"{location}.request"))
        return None
    if resource is None and (method in ("GET", "HEAD") or "response" in entry):
        return None
    location += ".resource"
    if resource is None:
        raise UnreadableError("there is no resource", location=location, code="required")
    kind = structure.resource_type(resource, location)
    if kind == "OperationOutcome":
        return None
    if kind == "Bundle" or method == "PATCH":
        what = "a Bundle inside a Bundle" if kind == "Bundle" else "a PATCH"
        raise UnreadableError(f"{what} is not read", location=location, code="not-supported")
    issues.extend(inspector.inspect(resource, location))
    full_url = entry.get("fullUrl")
    full_url = full_url if isinstance(full_url, str) else None
    return Entry(resource, source_id_of(resource, full_url), full_url, location)
