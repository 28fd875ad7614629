"""The FHIR connector: recognises, cuts and converts Bundles, single resources and NDJSON.

A record is one Bundle, one resource, or one line of NDJSON; the position of a line is its number in the message.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import chain, islice
from typing import BinaryIO, Final

import orjson

from connectors.connector import Envelope, Issue, Origin, Outcome, Piece, Refusal
from connectors.fhir import bundle, cutting, releases, structure, validation
from connectors.fhir.conversion import Conversion, source_id_of
from hub_core.errors import UnreadableError
from hub_core.fhir import references
from hub_core.fhir.canonical import Json
from hub_core.fhir.search_values import interval

MAPPING_VERSION: Final = "fhir-3"
"""Changes whenever the same bytes would give other facts."""
_MOST_KEYS: Final = 32
"""Patients of one Bundle that order it; one that speaks of more is an export, and its event times keep order."""


class FHIRConnector:
    """FHIR R4 in JSON."""

    format = "fhir"
    mapping_version = MAPPING_VERSION

    def recognises(self, head: bytes) -> bool:
        """Return whether bytes that begin with `head` look like a JSON object."""
        return cutting.recognises(head)

    def cut(self, stream: BinaryIO, *, limit: int) -> Iterator[Piece | Refusal]:
        """Yield one document, or pieces of NDJSON; positions are line numbers."""
        return cutting.cut(stream, limit=limit)

    def envelope(self, body: bytes, origin: Origin) -> Envelope:
        """Return `Bundle`, the type of a resource or `NDJSON`, and the patients a document speaks of."""
        if cutting.has_lines(body):
            return Envelope("NDJSON")
        try:
            document = orjson.loads(body.removeprefix(cutting.BOM))
            kind = structure.resource_type(document)
            keys = sorted(set(islice(_patients(document), _MOST_KEYS * 1000)))
        except (ValueError, RecursionError, UnreadableError):
            return Envelope("unreadable")
        return Envelope(kind, keys=tuple(keys) if len(keys) <= _MOST_KEYS else (), sent_at=_sent_at(document))

    def convert(self, body: bytes, origin: Origin) -> Iterator[Outcome]:
        """Yield one outcome per record; resources are as sent, but for ids, references and `meta`."""
        conversion = Conversion(origin)
        if not cutting.has_lines(body):
            yield _convert(1, body.removeprefix(cutting.BOM), conversion)
            return
        seen: dict[str, int] = {}
        for position, line in cutting.lines(body):
            # A Bundle's entries are known to that Bundle alone.
            outcome = _convert(position, line, conversion if b'"Bundle"' not in line else Conversion(origin))
            yield _told_of_repeat(outcome, seen)

    def check(self, body: bytes) -> Iterator[Issue]:
        """Yield every issue of a message, found by reading it as `convert` does and by the models of FHIR R4."""
        if not cutting.has_lines(body):
            return validation.check(body.removeprefix(cutting.BOM))
        return chain.from_iterable(validation.check(line, f"line {number}") for number, line in cutting.lines(body))


def _convert(position: int, text: bytes, conversion: Conversion) -> Outcome:
    kind = "unreadable"
    try:
        record = structure.load(text)
        if _is_export_log(record):
            return Outcome(position, "export log", "filtered", issues=(_EXPORT_LOG,))
        kind = structure.kind(record)
        structure.resource_type(record)
        inspector = structure.Inspector(text)
        if kind == "Bundle":
            return _convert_bundle(position, record, inspector, conversion)
        issues = inspector.inspect(record, kind)
        record, _ = releases.to_r4(record, kind, conversion.release)
        return Outcome(position, kind, "processed", (conversion.fact(record, source_id_of(record)),), tuple(issues))
    except UnreadableError as error:
        return Outcome(position, kind, "rejected", issues=(Issue("error", error.code, error.text, error.location),))


def _told_of_repeat(outcome: Outcome, seen: dict[str, int]) -> Outcome:
    """Return the outcome of a line, with a warning where an earlier line of the message said the same resource."""
    if outcome.kind == "Bundle" or not outcome.facts:
        return outcome
    first = seen.setdefault(outcome.facts[0].resource["id"], outcome.position)
    if first == outcome.position:
        return outcome
    text = f"the same resource is {outcome.position - first} lines above; the newer one counts, else the later"
    issue = Issue("warning", "duplicate", text, f"{outcome.kind}.id")
    return replace(outcome, issues=(*outcome.issues, issue))


def _convert_bundle(position: int, record: Json, inspector: structure.Inspector, conversion: Conversion) -> Outcome:
    facts, issues = bundle.convert(record, inspector, conversion)
    if facts:
        return Outcome(position, "Bundle", "processed", tuple(facts), tuple(issues))
    if any(issue.severity == "error" for issue in issues):
        return Outcome(position, "Bundle", "rejected", issues=tuple(issues))
    nothing = Issue("information", "informational", "the Bundle holds no resources", "Bundle.entry")
    return Outcome(position, "Bundle", "filtered", issues=(*issues, nothing))


_EXPORT_LOG: Final = Issue("information", "not-supported", "a line of a bulk export's log, not a resource")


def _is_export_log(record: Json) -> bool:
    """Return whether a line belongs to the `log.ndjson` that bulk export clients leave beside what they fetched."""
    return "resourceType" not in record and {"exportId", "eventId", "eventDetail"} <= record.keys()


def _sent_at(document: Json) -> datetime | None:
    """Return when a Bundle was put together (R4 Bundle.timestamp); a resource alone does not say when it was sent."""
    timestamp = document.get("timestamp") if document["resourceType"] == "Bundle" else None
    found = interval(timestamp) if isinstance(timestamp, str) else None
    return found[0] if found else None


def _patients(document: Json) -> Iterator[str]:
    """Yield the key of every patient in a document, as often as it speaks of them."""
    entries = document.get("entry")
    sent = (entry.get("resource") for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else ()
    for resource in chain([document], sent):
        if isinstance(resource, dict) and resource.get("resourceType") == "Patient" and "id" in resource:
            yield f"Patient/{resource['id']}"
    for text in references.collect(document):
        found = references.target(text)
        if found and found.resource_type == "Patient":
            yield f"Patient/{found.resource_id}"
