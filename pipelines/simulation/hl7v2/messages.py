"""All HL7 v2 messages of a chapter, feed by feed, each feed in the order of time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from operator import attrgetter
from random import Random
from zoneinfo import ZoneInfo

from pipelines.simulation.feeds import SimulatedFeed
from pipelines.simulation.hl7v2.admissions import Admissions
from pipelines.simulation.hl7v2.charges import Charges
from pipelines.simulation.hl7v2.immunizations import Immunizations
from pipelines.simulation.hl7v2.laboratory import Laboratory
from pipelines.simulation.hl7v2.scheduling import Scheduling
from pipelines.simulation.hl7v2.writing import Draft, Stamp, header
from pipelines.simulation.money import Books
from pipelines.simulation.sending import Sent
from pipelines.simulation.world import Chapter


def messages(
    feed: SimulatedFeed, chapter: Chapter, books: Books, random: Random, misdated: Collection[str] = ()
) -> Iterator[Sent]:
    """Yield the messages of a feed in the order they are sent, under control ids that no other chapter gives."""
    stamp = Stamp(feed)
    drafts: Iterator[Draft] = _drafts(feed, chapter, books, random, misdated)
    if not feed.has_offsets:
        drafts = (_held(draft, feed.practice.zone) for draft in drafts)
    for number, draft in enumerate(sorted(drafts, key=attrgetter("sent_at")), 1):
        control_id = f"{feed.letter}{chapter.number:05d}{number:07d}"
        segments = header(feed, stamp, draft, control_id) + draft.segments
        yield Sent(feed.name, draft.sent_at, segments.encode(), "hl7", draft.kind[:7], 1, draft.subject)


def _held(draft: Draft, zone: ZoneInfo) -> Draft:
    """Return a message as it is sent: not in the hour that comes twice, where its own time would be read wrongly."""
    is_twice = draft.sent_at.astimezone(zone).fold
    return draft._replace(sent_at=draft.sent_at + timedelta(hours=1)) if is_twice else draft


def _drafts(
    feed: SimulatedFeed, chapter: Chapter, books: Books, random: Random, misdated: Collection[str]
) -> Iterator[Draft]:
    if feed.name.endswith("-adt"):
        return Admissions(chapter, feed, random, misdated).drafts()
    if feed.name.endswith("-scheduling"):
        return Scheduling(chapter, feed, random).drafts()
    if feed.name.endswith("-immunizations"):
        return Immunizations(chapter, feed, random).drafts()
    if feed.name.endswith("-charges"):
        return Charges(chapter, books, feed, random).drafts()
    return Laboratory(chapter, feed, random).drafts()
