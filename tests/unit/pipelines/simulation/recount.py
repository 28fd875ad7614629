"""Reads what the simulator wrote as the house would, in order of arrival, and keeps the strongest, latest word on each.

It knows nothing of the simulator but its files: what it counts can be held against the truth.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from connectors import registry
from connectors.connector import Envelope, Origin, Outcome, Piece

Key: TypeAlias = tuple[str, str]
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_LIMIT = 1 << 26


@dataclass(slots=True)
class FeedCount:
    """What one feed brought."""

    sent: int = 0
    repeated: int = 0
    rejected: int = 0
    processed: int = 0
    filtered: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    faulty: set[tuple[str, str]] = field(default_factory=set)
    """Kind of finding and control id."""
    issues: list[str] = field(default_factory=list)
    """What is noted about messages that were read."""


@dataclass(slots=True)
class House:
    """The resources a house would hold, and how each feed behaved."""

    resources: dict[Key, dict[str, Any]] = field(default_factory=dict)
    locations: dict[Key, str] = field(default_factory=dict)
    feeds: dict[str, FeedCount] = field(default_factory=dict)
    _ranks: dict[Key, tuple[Any, ...]] = field(default_factory=dict)
    _sent: dict[Key, datetime | None] = field(default_factory=dict)
    _arrived: int = 0

    def of(self, resource_type: str, location: str = "") -> list[dict[str, Any]]:
        """Return the resources of a type, of one location if it is named."""
        return [
            resource
            for key, resource in self.resources.items()
            if key[0] == resource_type and location in ("", self.locations[key])
        ]

    def take(self, feed: str, location: str, envelope: Envelope, outcome: Outcome) -> None:
        """Keep what a record says where no stronger or later word is known."""
        count = self.feeds[feed]
        setattr(count, outcome.state, getattr(count, outcome.state) + 1)
        if outcome.state != "processed":
            count.findings["rejected"] += 1
            count.faulty.add(("rejected", envelope.control_id or ""))
            return
        count.issues += [f"{issue.severity} {issue.text} {issue.location}" for issue in outcome.issues]
        self._arrived += 1
        for fact in outcome.facts:
            key = (fact.resource["resourceType"], fact.resource["id"])
            rank = (fact.authority, fact.event_at or _BEGINNING, self._arrived)
            if key not in self._ranks or self._ranks[key] < rank:
                self._ranks[key], self.resources[key] = rank, fact.resource
                self.locations[key], self._sent[key] = location, envelope.sent_at

    def misdated(self) -> int:
        """Return how many encounters began more than an hour after their message was sent."""
        return sum(
            datetime.fromisoformat(resource["period"]["start"]) > sent + timedelta(hours=1)
            for key, resource in self.resources.items()
            if key[0] == "Encounter" and resource["status"] not in ("planned", "cancelled")
            if (sent := self._sent[key]) is not None and "start" in resource.get("period", {})
        )


def read(feeds: Path) -> House:
    """Return what a house holds after all that lies in the folders of `feeds` has arrived."""
    house = House()
    for path in sorted(feeds.glob("*.yml")):
        _read_feed(house, yaml.safe_load(path.read_text(encoding="utf-8")), feeds / path.stem)
    return house


def pieces(feed: dict[str, Any], folder: Path) -> list[Piece]:
    """Return the messages in the files of a feed, in order."""
    found = []
    for path in sorted(folder.iterdir()):
        with path.open("rb") as stream:
            for piece in registry.connector(feed["format"]).cut(stream, limit=_LIMIT):
                assert isinstance(piece, Piece), piece
                found.append(piece)
    return found


def _read_feed(house: House, feed: dict[str, Any], folder: Path) -> None:
    count = house.feeds[feed["name"]] = FeedCount()
    connector = registry.connector(feed["format"])
    origin = Origin(feed["source"], feed["location"], feed["zone"])
    seen: set[bytes] = set()
    latest: datetime | None = None
    for piece in pieces(feed, folder):
        count.sent += piece.records
        envelope = connector.envelope(piece.body, origin)
        if piece.body in seen:
            count.repeated += piece.records
            count.findings["repeated"] += 1
            count.faulty.add(("repeated", envelope.control_id or ""))
            continue
        seen.add(piece.body)
        if (kind := _order(envelope.sent_at, latest)) is not None:
            count.findings[kind] += 1
            count.faulty.add((kind, envelope.control_id or ""))
        latest = max((each for each in (latest, envelope.sent_at) if each), default=None)
        for outcome in connector.convert(piece.body, origin):
            house.take(feed["name"], feed["location"], envelope, outcome)


def _order(sent_at: datetime | None, latest: datetime | None) -> str | None:
    if sent_at is None or latest is None or sent_at >= latest:
        return None
    return "late" if latest - sent_at > timedelta(hours=24) else "out_of_order"
