"""Taking files in: each is cut into messages and stored, then applied, and every record is accounted for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from connectors.connector import Connector, Issue, Origin, Piece, Refusal
from connectors.transport.files import FileRefusal, Found, FoundFile, open_stream, walk
from hub_core.errors import ConfigurationError, UnreadableError
from hub_core.fhir.ids import new_id
from hub_core.messages.arrival import Arrival, Finding
from hub_core.messages.store import write_findings

if TYPE_CHECKING:
    from hub_core.feeds import Feed
    from pipelines.installation import Installation

_GROUP_BYTES = 4 * 1024 * 1024
_GROUP_MESSAGES = 500
"""What is stored in one transaction: enough that the disk is waited for rarely, little enough to stay small."""


@dataclass(slots=True)
class Tally:
    """What has been taken in, before it is applied."""

    files: int = 0
    records: int = 0
    duplicates: int = 0
    refused: int = 0
    skipped: list[FileRefusal] = field(default_factory=list)
    """Files that never claimed to be data: not counted as records."""


class Intake:
    """One run over some files of one feed."""

    def __init__(self, installation: Installation, feed: Feed) -> None:
        """Prepare to take files in for `feed`."""
        self.intake_id: UUID = new_id()
        self.tally = Tally()
        self.repeated: set[UUID] = set()
        """Messages that were there already; a run that was broken off may have left them waiting."""
        self._installation = installation
        self._feed = feed
        self._origin = Origin(feed.source, feed.location, feed.zone)

    def take(self, paths: Iterable[Path]) -> Iterator[Found]:
        """Store what is found below `paths`, yielding each file once it is durable."""
        for found in walk(paths):
            self.take_one(found)
            yield found

    def take_one(self, found: Found) -> None:
        """Store what one file holds; what is no message is rejected, or skipped, with its reason."""
        if isinstance(found, FileRefusal):
            self._refuse_file(found)
            return
        self.tally.files += 1
        if self._feed.format not in (None, found.connector.format):
            reason = f"the content is {found.connector.format}, but feed {self._feed.name} takes {self._feed.format}"
            self._reject(found.input, Finding(1, "file", "error", "structure", reason))
            return
        try:
            self._store_file(found)
        except UnreadableError as error:
            self._reject(found.input, Finding(1, "file", "error", error.code, error.text, error.location))

    def _store_file(self, found: FoundFile) -> None:
        group: list[Arrival] = []
        before = self.tally.records
        last: Issue | None = None
        limit = self._installation.settings.max_record_bytes
        try:
            with open_stream(found) as stream:
                for cut in found.connector.cut(stream, limit=limit):
                    if isinstance(cut, Refusal):
                        self._refuse_stretch(found.input, cut)
                        last = cut.issue
                        continue
                    group.append(self._arrival(cut, found.connector, found.input))
                    if len(group) == _GROUP_MESSAGES or sum(len(each.body) for each in group) > _GROUP_BYTES:
                        self._store(group)
                        group = []
        finally:
            self._store(group)  # what was read before the damage counts
        if self.tally.records == before:
            self._reject(found.input, _nothing_in(last))

    def _arrival(self, piece: Piece, connector: Connector, name: str) -> Arrival:
        envelope = connector.envelope(piece.body, self._origin)
        return Arrival(
            feed=self._feed.name,
            source=self._feed.source,
            location=self._feed.location,
            zone=self._feed.zone,
            format=connector.format,
            kind=envelope.kind,
            control_id=envelope.control_id,
            keys=envelope.keys,
            sent_at=envelope.sent_at,
            body=piece.body,
            input=name,
            position=piece.position,
            records=piece.records,
            intake=self.intake_id,
            release=self._feed.release(connector.format),
        )

    def _store(self, group: list[Arrival]) -> None:
        if not group:
            return
        stored = self._installation.store.take(group)
        self.tally.records += sum(arrival.records for arrival in group)
        self.repeated |= {kept.message_id for kept in stored if kept.duplicate}
        self.tally.duplicates += sum(
            arrival.records for arrival, kept in zip(group, stored, strict=True) if kept.duplicate
        )

    def _refuse_file(self, refusal: FileRefusal) -> None:
        if refusal.is_skipped:
            self.tally.skipped.append(refusal)
            return
        self.tally.files += 1
        self._reject(refusal.input, Finding(1, "file", "error", "structure", refusal.reason))

    def _refuse_stretch(self, name: str, refusal: Refusal) -> None:
        """Reject what could not be cut; a warning is about what surrounds the records, and costs none of them."""
        issue = refusal.issue
        finding = Finding(refusal.position, "record", issue.severity, issue.code, issue.text, issue.location)
        if issue.severity in ("error", "fatal"):
            self._reject(name, finding)
        else:
            self._note(name, finding)

    def _reject(self, name: str, finding: Finding) -> None:
        self.tally.records += 1
        self.tally.refused += 1
        self._note(name, finding)

    def _note(self, name: str, finding: Finding) -> None:
        with self._installation.database.begin() as unit:
            write_findings(unit.driver, [(None, self.intake_id, self._feed.name, name, finding)])


def _nothing_in(last: Issue | None) -> Finding:
    """Return why a file that is of a format gave no record: a file is never passed over without a word."""
    if last is None:
        return Finding(1, "file", "error", "structure", "the file holds no record")
    return Finding(1, "file", "error", last.code, f"the file holds no record: {last.text}", last.location)


def feed_for(installation: Installation, name: str | None) -> Feed:
    """Return the feed files are taken in for: a configured one, or the one for files of no feed.

    Raises:
        ConfigurationError: if there is no feed of that name.
    """
    from hub_core.feeds import default_feed, load_feeds

    if name is None:
        return default_feed()
    feeds = load_feeds(installation.settings.feeds)
    if name not in feeds:
        known = ", ".join(sorted(feeds)) or "none"
        raise ConfigurationError(f"there is no feed {name} in {installation.settings.feeds} (feeds there: {known})")
    return feeds[name]
