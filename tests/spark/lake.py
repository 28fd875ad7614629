"""A lake of a simulated group and, where they are, of public patients: made without a database."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors import registry
from connectors.connector import Connector, Fact, Origin, Piece
from ehr_pm.record.changes import Change
from ehr_pm.record.writing import stamped
from hub_core.feeds import load_feeds
from hub_core.fhir.canonical import dumps, load_object
from hub_core.fhir.registry import patient_id
from pipelines.demo.delivery import messages
from pipelines.demo.scenario import Simulation
from pipelines.lake.envelopes import ENVELOPES, Envelope, write_envelopes
from pipelines.lake.manifest import Manifest
from tests.rare import rare_resources
from tests.unit.pipelines.changes import MOMENT, Log, identity

PER_FILE = 60
"""Lines taken of each file of public patients."""
DELETED = 97
"""Every so many changes one says that its resource is gone, if that is not the only one of its type."""


def write_lake(folder: Path, simulation: Simulation, corpora: Path) -> Manifest:
    """Write the lake of what the group's feeds send, broken messages left out, and of public patients."""
    seen: Counter[str] = Counter()
    numbers = count(1)
    facts = [*_sent(simulation), *_public(corpora), *_rare()]
    Log([_change(next(numbers), fact, source, version, seen) for fact, source, version in facts], 10**6).append_to(
        folder
    )
    return write_envelopes(folder, [(envelope, _rows(envelope)) for envelope in ENVELOPES])


def _sent(simulation: Simulation) -> Iterator[tuple[Fact, str, str]]:
    for feed in load_feeds(simulation.feeds).values():
        files = sorted((simulation.feeds / feed.name).iterdir())
        for path in files:
            connector = registry.recognise(path.read_bytes()[:4096]) or registry.connector("hl7v2")
            bodies = messages([path]) if feed.transport == "mllp" else _cut(connector, path)
            for body in bodies:
                yield from _facts(connector, body, Origin(feed.source, feed.location, feed.zone))


def _public(corpora: Path) -> Iterator[tuple[Fact, str, str]]:
    connector = registry.connector("fhir")
    for folder in ("synthea-r4-gsd", "smart-bulk-10-patients"):
        for path in sorted((corpora / "fhir" / folder).glob("*ndjson.gz")):
            with gzip.open(path) as lines:
                for line in islice(lines, PER_FILE):
                    yield from _facts(connector, line, Origin(folder))
    for path in sorted((corpora / "fhir" / "us-core-examples").glob("*.json")):
        yield from _facts(connector, dumps(load_object(path.read_bytes())), Origin("us-core"))


def _rare() -> Iterator[tuple[Fact, str, str]]:
    for line in rare_resources():
        yield from _facts(registry.connector("fhir"), line, Origin("rare"))


def _cut(connector: Connector, path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        yield from (piece.body for piece in connector.cut(stream, limit=2**26) if isinstance(piece, Piece))


def _facts(connector: Connector, body: bytes, origin: Origin) -> Iterator[tuple[Fact, str, str]]:
    for outcome in connector.convert(body, origin):
        for fact in outcome.facts:
            yield fact, origin.source, connector.mapping_version


def _change(seq: int, fact: Fact, source: str, mapping_version: str, seen: Counter[str]) -> Change:
    resource_type, resource_id = fact.resource["resourceType"], fact.resource["id"]
    seen[resource_id] += 1
    return Change(
        seq=seq,
        resource_type=resource_type,
        resource_id=resource_id,
        version=seen[resource_id],
        source=source,
        source_id=fact.source_id,
        location="main",
        patient_id=patient_id(fact.resource),
        sensitivity=None,
        event_at=fact.event_at,
        first_event_at=fact.event_at,
        authority=fact.authority,
        recorded_at=MOMENT,
        message_id=identity(f"message {seq}"),
        position=1,
        mapping_version=mapping_version,
        deleted=seq % DELETED == 0 and source != "rare",
        body=dumps(stamped(fact.resource, seen[resource_id], MOMENT)).decode(),
    )


def _rows(envelope: Envelope) -> list[list[Any]]:
    """Return two rows of a table of envelopes, the second with nothing but its key."""
    first = [_value(field) for field in envelope.schema]
    return [first, ["other", *([None] * (len(first) - 1))]]


def _value(field: pa.Field) -> Any:
    if pa.types.is_timestamp(field.type):
        return MOMENT
    return "text" if pa.types.is_string(field.type) else 7
