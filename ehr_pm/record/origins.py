"""Walks from resources to the messages that said them: their last versions, and the bytes each version came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from psycopg.rows import namedtuple_row

if TYPE_CHECKING:
    import psycopg

    from hub_core.messages.store import MessageStore

_VERSIONS: Final = 10
"""Versions of a resource that are shown, the newest first."""
_MESSAGE: Final = "Message/"

_OF_RESOURCE: Final = """
SELECT version, source, source_id, location, recorded_at, mapping_version, message_id, position, deleted
FROM resource_version WHERE resource_type = %s AND resource_id = %s ORDER BY version DESC LIMIT %s
"""
_OF_MESSAGE: Final = """
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
class Origins:
    """What something was made from."""

    resources: tuple[TracedResource, ...]
    messages: tuple[TracedMessage, ...]
    """Messages that it was made from directly."""


def origins(connection: psycopg.Connection[Any], store: MessageStore, references: Iterable[str]) -> Origins:
    """Return the resources and messages that references of the form `Type/uuid` or `Message/uuid` name.

    Args:
        connection: where the record is.
        store: where the bytes of messages are.
        references: the `traces` of a mart's row.
    """
    named = list(references)
    walk = _Walk(connection, store)
    resources = [walk.resource(each) for each in named if not each.startswith(_MESSAGE)]
    messages = [walk.message(UUID(each.removeprefix(_MESSAGE)), None) for each in named if each.startswith(_MESSAGE)]
    return Origins(tuple(resources), tuple(message for message in messages if message))


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
