"""Walks from a mart's row to the resources it was made from, and on to the bytes of the messages that said so."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ehr_pm.record.origins import TracedMessage, TracedResource, TracedVersion, origins
from hub_core.clock import instant
from hub_core.fhir.canonical import Json
from hub_core.keyring import Keyring
from hub_core.marts import find_mart, traces_of
from hub_core.messages.store import MessageStore
from hub_core.snapshot import open_current

if TYPE_CHECKING:
    from hub_core.database import Database
    from hub_core.settings import Settings

_SHOWN = 2_000
"""Characters of a record that are printed."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A mart's row and all it was made from."""

    mart: str
    key: str
    resources: tuple[TracedResource, ...]
    messages: tuple[TracedMessage, ...]
    """Messages that the row was made from directly."""

    def lines(self) -> Iterator[str]:
        """Yield the trace as text for a person."""
        yield f"{self.mart} {self.key}"
        for resource in self.resources:
            yield f"  {resource.reference}"
            for version in resource.versions:
                yield f"    version {version.version} of {instant(version.recorded_at)} from {version.source}"
                if version.message is None:
                    yield "      written here"
                else:
                    yield from (f"      {line}" for line in _message_lines(version.message))
        for message in self.messages:
            yield from (f"  {line}" for line in _message_lines(message))

    def as_json(self) -> Json:
        """Return the trace for a program; bytes are base64."""
        return {
            "mart": self.mart,
            "key": self.key,
            "resources": [
                {"reference": each.reference, "versions": [_version_json(version) for version in each.versions]}
                for each in self.resources
            ],
            "messages": [_message_json(message) for message in self.messages],
        }


def trace(database: Database, settings: Settings, mart: str, key: str) -> Trace:
    """Return what a row of the published warehouse was made from.

    Args:
        database: where the record and its messages are.
        settings: the installation.
        mart: the name of a mart, such as `patients`.
        key: the value of its first column.

    Raises:
        NotFoundError: if nothing is published, or there is no such mart or row.
    """
    with open_current(settings) as warehouse:
        references = traces_of(warehouse, find_mart(warehouse, mart), key)
    store = MessageStore(database, Keyring(settings.keys_dir), settings)
    with database.begin() as unit:
        found = origins(unit.driver, store, references)
    return Trace(mart, key, found.resources, found.messages)


def _message_lines(message: TracedMessage) -> Iterator[str]:
    """Yield where a message came from, then the record."""
    where = f", record {message.place}" if message.place else ""
    came_in = f" in {message.input}" if message.input else ""
    yield (
        f"{message.kind} from feed {message.feed}{came_in}{where},"
        f" received {instant(message.received_at)} as message {message.message_id}"
    )
    text = message.record.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    cut = text[:_SHOWN]
    for line in cut.splitlines():
        # Bytes from outside must not steer the terminal.
        yield "  | " + "".join(character if character.isprintable() else "\N{MIDDLE DOT}" for character in line)
    if len(text) > len(cut):
        yield f"  | ... {len(text) - len(cut):,} more characters"


def _message_json(message: TracedMessage) -> Json:
    return {
        "message_id": message.message_id,
        "feed": message.feed,
        "format": message.format,
        "kind": message.kind,
        "input": message.input,
        "record": message.place,
        "received_at": instant(message.received_at),
        "bytes": base64.b64encode(message.record).decode("ascii"),
    }


def _version_json(version: TracedVersion) -> Json:
    return {
        "version": version.version,
        "source": version.source,
        "source_id": version.source_id,
        "location": version.location,
        "recorded_at": instant(version.recorded_at),
        "mapping_version": version.mapping_version,
        "deleted": version.is_deleted,
        "message": _message_json(version.message) if version.message else None,
    }
