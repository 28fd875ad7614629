"""Changes of a record, made by hand, for tests of what reads the change log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid5

import pyarrow as pa

from ehr_pm.record.changes import Change
from hub_core.fhir.canonical import Json, dumps
from hub_core.fhir.ids import NAMESPACE
from pipelines.lake.change_log import CHANGE
from pipelines.lake.manifest import Manifest
from pipelines.lake.writer import append

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
    """A change log that gives batches as the record would, and breaks where a test wants it to."""

    def __init__(self, changes: Sequence[Change], batch: int = 2) -> None:
        self.changes = list(changes)
        self.batch = batch
        self.breaks_at: int | None = None

    def read(self, after: int, last: int) -> Iterator[pa.Table]:
        """Yield the changes above `after` up to `last`; a broken connection ends it."""
        waiting = [each for each in self.changes if after < each.seq <= last]
        for start in range(0, len(waiting), self.batch):
            if self.breaks_at is not None and waiting[start].seq >= self.breaks_at:
                raise ConnectionError
            batch = waiting[start : start + self.batch]
            yield pa.Table.from_pylist([each._asdict() for each in batch], schema=CHANGE)

    def append_to(self, lake: Path) -> Manifest:
        """Bring a lake up to the last change, and return its manifest."""
        return append(self.read, self.changes[-1].seq if self.changes else 0, lake)
