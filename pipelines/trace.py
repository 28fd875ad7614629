"""Walks from a mart's row to the resources it was made from, and on to the bytes of the messages that said so."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.rows import namedtuple_row

from hub_core.clock import instant
from hub_core.errors import NotFoundError
from hub_core.fhir.canonical import Json
from hub_core.keyring import Keyring
from hub_core.messages.store import MessageStore
from hub_core.snapshot import open_current

if TYPE_CHECKING:
    import psycopg

    from hub_core.database import Database
    from hub_core.settings import Settings

_VERSIONS = 10
"""Versions of a resource that are shown, the newest first."""
_SHOWN = 2_000
"""Characters of a record that are printed."""

_OF_RESOURCE = """
SELECT version, source, source_id, location, recorded_at, mapping_version, message_id, position, deleted
FROM resource_version WHERE resource_type = %s AND resource_id = %s ORDER BY version DESC LIMIT %s
"""
_OF_MESSAGE = """
SELECT message_id, shelf, feed, format, kind, input, position, records, received_at FROM message WHERE message_id = %s
"""


@dataclass(frozen=True, slots=True)
class TracedMessage:
    """A message, and the record in it that a version came from."""

    message_id: str
    feed: str
    format: str
    kind: str
    input: str | None
    """The file it came in, where it came in one."""
    place: int | None
    """Which record of the message it is, counted from 1; None for the whole message."""
    received_at: datetime
    record: bytes
    """The bytes as they arrived."""


@dataclass(frozen=True, slots=True)
class TracedVersion:
    """One version of a resource, and the message that gave it."""

    version: int
    source: str
    source_id: str
    location: str | None
    recorded_at: datetime
    mapping_version: str | None
    is_deleted: bool
    message: TracedMessage | None
    """None for what was written here, not received."""


@dataclass(frozen=True, slots=True)
class TracedResource:
    """A resource a row was made from."""

    reference: str
    versions: tuple[TracedVersion, ...]


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
    references = _references(settings, mart, key)
    store = MessageStore(database, Keyring(settings.keys_dir), settings)
    with database.begin() as unit:
        walk = _Walk(unit.driver, store)
        resources = [walk.resource(each) for each in references if not each.startswith("Message/")]
        messages = [
            walk.message(UUID(each.partition("/")[2]), None) for each in references if each.startswith("Message/")
        ]
    return Trace(mart, key, tuple(resources), tuple(message for message in messages if message))


def _references(settings: Settings, mart: str, key: str) -> list[str]:
    """Return the `traces` of a row."""
    with open_current(settings) as warehouse:
        columns = warehouse.execute(
            "SELECT table_name, arg_min(column_name, column_index) FROM duckdb_columns()"
            " WHERE schema_name = 'marts' GROUP BY table_name ORDER BY table_name"
        ).fetchall()
        keys = dict(columns)
        if mart not in keys:
            raise NotFoundError(f"there is no mart {mart}; the marts are {', '.join(keys)}")
        query = f'SELECT traces FROM marts."{mart}" WHERE "{keys[mart]}" = ?'  # noqa: S608 - names of the catalog
        found = warehouse.execute(query, [key]).fetchall()
    if not found:
        raise NotFoundError(f"the mart {mart} has no row whose {keys[mart]} is this key")
    return list(found[0][0])


class _Walk:
    """Looks up versions, and reads each message once."""

    def __init__(self, connection: psycopg.Connection[Any], store: MessageStore) -> None:
        self._connection = connection
        self._store = store
        self._bodies: dict[UUID, bytes] = {}

    def resource(self, reference: str) -> TracedResource:
        """Return a resource with its last versions."""
        resource_type, _, resource_id = reference.partition("/")
        rows = self._rows(_OF_RESOURCE, resource_type, UUID(resource_id), _VERSIONS)
        return TracedResource(reference, tuple(map(self._version, rows)))

    def message(self, message_id: UUID, position: int | None) -> TracedMessage | None:
        """Return a message with the record at `position`, or all of it; None when it is no longer kept."""
        for row in self._rows(_OF_MESSAGE, message_id):
            body = self._body(message_id, row.shelf)
            has_lines = position is not None and row.records > 1
            record = body.split(b"\n")[position - 1] if has_lines and position is not None else body
            place = position if has_lines else None
            return TracedMessage(
                str(message_id), row.feed, row.format, row.kind, row.input, place, row.received_at, record
            )
        return None

    def _version(self, row: Any) -> TracedVersion:
        message = self.message(row.message_id, row.position) if row.message_id else None
        return TracedVersion(
            row.version,
            row.source,
            row.source_id,
            row.location,
            row.recorded_at,
            row.mapping_version,
            row.deleted,
            message,
        )

    def _body(self, message_id: UUID, shelf: str) -> bytes:
        if message_id not in self._bodies:
            self._bodies[message_id] = self._store.body(self._connection, message_id, shelf)
        return self._bodies[message_id]

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._connection.cursor(row_factory=namedtuple_row) as cursor:
            return cursor.execute(query.encode(), values).fetchall()


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
