"""A resource as it stands while a batch of statements about it is being decided, and the versions that come of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ehr_pm.record.entry import Entry, Key, Rank
from ehr_pm.record.sensitivity import settled
from hub_core.fhir.canonical import Json
from hub_core.fhir.registry import patient_id
from hub_core.sensitivity import strictest

_ABOUT_IT = 2
"""The authority of a message that is about a resource, and does not only mention it."""


@dataclass(slots=True)
class Current:
    """A resource as it stands while the batch is being decided."""

    resource_key: int | None = None
    version: int = 0
    rank: Rank | None = None
    sha: bytes = b""
    sensitivity: str | None = None
    source: str | None = None
    patient_id: str | None = None
    latest: Version | None = None
    is_raised: bool = False
    first_event_at: datetime | None = None
    is_older_than_known: bool = False
    """Something that does not stand said that it began earlier than the record knows."""

    def hears(self, entry: Entry) -> bool:
        """Return whether a message about the resource tells of an earlier event than any before, and keep it."""
        if entry.authority < _ABOUT_IT or entry.event_at is None or entry.is_deleted:
            return False
        if self.first_event_at is not None and self.first_event_at <= entry.event_at:
            return False
        self.first_event_at = entry.event_at
        return True

    def stand(self, entry: Entry, rank: Rank, sha: bytes, ours: str | None, versions: list[Version]) -> None:
        """Let a statement stand from here on, as one more version, with the label that we add to it if we do."""
        self.version += 1
        self.rank, self.sha = rank, sha
        resource, label = settled(entry.resource, ours)
        if entry.is_deleted:  # whoever might not see it may not see either that it was there, and whose it was
            self.sensitivity = strictest(label, self.sensitivity)
        else:
            self.sensitivity, self.patient_id = label, patient_id(entry.resource)
        place = len(versions)
        self.latest = Version(entry, entry.key, resource, self.sensitivity, self.version, sha, place, self.patient_id)
        versions.append(self.latest)


@dataclass(slots=True)
class Version:
    """One version to be written; not frozen, and never changed, as entries are."""

    entry: Entry
    key: Key
    resource: Json
    sensitivity: str | None
    version: int
    sha: bytes
    ordinal: int
    patient_id: str | None
