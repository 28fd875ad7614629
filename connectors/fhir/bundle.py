"""Reads the entries of a Bundle, each by itself: one bad entry spoils none of the others.

Entries of all Bundle types are read alike (R4 section 2.36.4): what an entry holds is a resource the sender has, and
what an entry deletes is one they have no more: so histories tell it, and exports of what was deleted. A history lists
the newest version first (section 3.1.0.9), so it is read backwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from connectors.connector import Fact, Issue
from connectors.fhir import releases, structure
from connectors.fhir.conversion import Conversion, source_id_of
from hub_core.errors import UnreadableError
from hub_core.fhir import references
from hub_core.fhir.canonical import Json


@dataclass(frozen=True, slots=True)
class Entry:
    """A usable resource of a Bundle."""

    resource: Json
    source_id: str
    full_url: str | None
    location: str


@dataclass(frozen=True, slots=True)
class Deletion:
    """A resource that the sender has no more."""

    resource_type: str
    source_id: str
    moment: str | None
    location: str


def convert(bundle: Json, inspector: structure.Inspector, conversion: Conversion) -> tuple[list[Fact], list[Issue]]:
    """Return the facts of the good entries, and an issue for each bad one.

    Raises:
        UnreadableError: if it has no array of entries.
    """
    issues: list[Issue] = []
    usable = list(entries(bundle, inspector, issues, conversion.release))
    for entry in usable:
        if isinstance(entry, Entry) and entry.full_url:
            conversion.introduce(entry.full_url, entry.resource["resourceType"], entry.source_id)
    if bundle.get("type") == "history":
        usable.reverse()
    else:
        issues.extend(_repeats(usable))
    return [_fact(entry, conversion) for entry in usable], issues


def _repeats(usable: list[Entry | Deletion]) -> Iterator[Issue]:
    """Yield a warning for each resource that is there again: two words at once about one thing, of which one stands."""
    seen: dict[tuple[str, str], str] = {}
    for entry in usable:
        if isinstance(entry, Entry):
            first = seen.setdefault((entry.resource["resourceType"], entry.source_id), entry.location)
            if first != entry.location:
                yield Issue(
                    "warning", "duplicate", f"the same resource is in {first}; the last one counts", entry.location
                )


def _fact(entry: Entry | Deletion, conversion: Conversion) -> Fact:
    if isinstance(entry, Deletion):
        return conversion.deletion(entry.resource_type, entry.source_id, entry.moment)
    return conversion.fact(entry.resource, entry.source_id)


def entries(
    bundle: Json, inspector: structure.Inspector, issues: list[Issue], release: str | None = None
) -> Iterator[Entry | Deletion]:
    """Yield the usable entries in order; `issues` has what is wrong up to each by the time it is yielded.

    Args:
        bundle: the Bundle.
        inspector: of its text.
        issues: added to.
        release: the release that its resources are said to be of; None where each has to show it.

    Raises:
        UnreadableError: if there is no array of entries.
    """
    found = bundle.get("entry", [])
    if not isinstance(found, list):
        raise UnreadableError("entry must be an array", location="Bundle.entry")
    for number, entry in enumerate(found):
        try:
            usable = _read(entry, f"Bundle.entry[{number}]", inspector, issues, bundle.get("timestamp"))
            if isinstance(usable, Entry):
                yield replace(usable, resource=releases.to_r4(usable.resource, usable.location, release)[0])
            elif usable:
                yield usable
        except UnreadableError as error:
            issues.append(Issue("error", error.code, error.text, error.location))


def _read(
    entry: Any, location: str, inspector: structure.Inspector, issues: list[Issue], moment: Any
) -> Entry | Deletion | None:
    if not isinstance(entry, dict):
        raise UnreadableError("an entry must be a JSON object", location=location)
    method = request.get("method") if isinstance(request := entry.get("request"), dict) else None
    resource = entry.get("resource")
    if method == "DELETE":
        return _deletion(entry, f"{location}.request", moment)
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


def _deletion(entry: Json, location: str, moment: Any) -> Deletion:
    """Return what an entry deletes, since when it says itself, or else since the Bundle was made.

    Raises:
        UnreadableError: if that is not one resource, by its id.
    """
    found = references.target(url) if isinstance(url := entry["request"].get("url"), str) else None
    if found is None:
        raise UnreadableError("one resource was expected, as Patient/<id>", location=location, code="not-supported")
    response = entry.get("response")
    said = response.get("lastModified") if isinstance(response, dict) else None
    moment = said if isinstance(said, str) else moment
    return Deletion(found.resource_type, found.resource_id, moment if isinstance(moment, str) else None, location)
