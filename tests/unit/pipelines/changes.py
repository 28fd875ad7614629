"""Changes of a record, made by hand, for tests of what reads the change log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid5

from ehr_pm.record.changes import Change
from hub_core.fhir.canonical import Json, dumps
from hub_core.fhir.ids import NAMESPACE

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def change(seq: int, resource: Json, **envelope: Any) -> Change:
    """Return a change that writes `resource`; its id is made from the name it gives itself."""
    resource_id = identity(resource["id"])
    values: dict[str, Any] = {
        "version": 1,
        "source": "ehr",
        "source_id": resource["id"],
        "location": "main",
        "patient_id": None,
        "sensitivity": None,
        "event_at": None,
        "first_event_at": None,
        "authority": 2,
        "recorded_at": MOMENT,
        "message_id": None,
        "position": 1,
        "mapping_version": "1",
        "deleted": False,
    }
    body = dumps({**resource, "id": resource_id}).decode()
    return Change(seq, resource["resourceType"], resource_id, body=body, **(values | envelope))


def identity(name: str) -> str:
    """Return the id that a resource called `name` gets."""
    return str(uuid5(NAMESPACE, name))


class Log:
    """A change log that gives pages as the record would, and breaks where a test wants it to."""

    def __init__(self, changes: Sequence[Change], page: int = 2) -> None:
        self.changes = list(changes)
        self.page = page
        self.breaks_after: int | None = None

    def pages(self, after: int) -> Iterator[list[Change]]:
        """Yield the changes above `after`; a broken connection ends it."""
        waiting = [each for each in self.changes if each.seq > after]
        for start in range(0, len(waiting), self.page):
            if self.breaks_after is not None and start >= self.breaks_after:
                raise ConnectionError
            yield waiting[start : start + self.page]
