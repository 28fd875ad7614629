"""What the record is asked to hold, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from hub_core.fhir.canonical import Json, content_hash

Key: TypeAlias = tuple[str, str]
"""A resource's type and id."""

Verdict: TypeAlias = Literal["created", "updated", "deleted", "unchanged", "stale"]
"""`stale`: something newer, or said with more authority, is there already; the raw message still has this one."""

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


class Rank(NamedTuple):
    """What decides which of two statements about a resource stands: the greater one."""

    authority: int
    event_at: datetime
    arrival: int
    position: int


@dataclass(slots=True)
class Entry:
    """One resource as one message states it.

    Not frozen, and never changed: a message makes several, and frozen ones take three times as long to make.
    """

    resource: Json
    source: str
    source_id: str
    location: str | None = None
    event_at: datetime | None = None
    authority: int = 2
    arrival: int = 0
    message_id: UUID | None = None
    position: int = 1
    mapping_version: str = ""
    is_deleted: bool = False
    """Whether the source says that it has the resource no more; `resource` holds its type and id then."""
    is_born: bool = False
    """Whether it got its id in this transaction: it is not looked for, and refused if there is one after all."""

    @property
    def key(self) -> Key:
        """Return the resource's type and id."""
        return self.resource["resourceType"], self.resource["id"]

    @property
    def rank(self) -> Rank:
        """Return how this statement ranks against others about the same resource."""
        return Rank(self.authority, self.event_at or BEGINNING, self.arrival, self.position)

    @property
    def digest(self) -> bytes:
        """Return what tells statements apart: no resource has an element that says it is deleted."""
        return content_hash({**self.resource, "deleted": True} if self.is_deleted else self.resource)
