"""All HL7 v2 messages of a chapter, feed by feed, each feed in the order of time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter
from random import Random

from pipelines.simulation.feeds import SimulatedFeed
from pipelines.simulation.hl7v2.admissions import Admissions
from pipelines.simulation.hl7v2.charges import Charges
from pipelines.simulation.hl7v2.immunizations import Immunizations
from pipelines.simulation.hl7v2.laboratory import Laboratory
from pipelines.simulation.hl7v2.people import People
from pipelines.simulation.hl7v2.scheduling import Scheduling
from pipelines.simulation.hl7v2.writing import Draft, Header, Stamp
from pipelines.simulation.money import Books
from pipelines.simulation.sending import Sent
from pipelines.simulation.world import Chapter, Site


class Systems:
    """The systems of one chapter's sites that speak HL7 v2; those of a site know its people by the same words."""

    def __init__(self, chapter: Chapter, books: Books) -> None:
        """Send what happens in `chapter`, and what of `books` is on accounts."""
        self._chapter = chapter
        self._books = books
        self._people: dict[Site, People] = {}

    def messages(self, feed: SimulatedFeed, random: Random, misdated: Collection[str] = ()) -> Iterator[Sent]:
        """Yield the messages of a feed in the order they are sent, under control ids that no other chapter gives."""
        stamp = Stamp(feed)
        header = Header(feed, stamp)
        drafts = [
            draft if feed.has_offsets or not stamp.is_ambiguous(draft.sent_at) else _held(draft)
            for draft in self._drafts(feed, random, misdated, stamp)
        ]
        drafts.sort(key=attrgetter("sent_at"))
        beginning = f"{feed.letter}{self._chapter.number:05d}"
        for number, draft in enumerate(drafts, 1):
            segments = header(draft, f"{beginning}{number:07d}") + draft.segments
            yield Sent(feed.name, draft.sent_at, segments.encode(), "hl7", draft.kind[:7], 1, draft.subject)

    def _drafts(self, feed: SimulatedFeed, random: Random, misdated: Collection[str], stamp: Stamp) -> Iterator[Draft]:
        chapter = self._chapter
        people = self._people.get(feed.site)
        if people is None:
            people = self._people[feed.site] = People(chapter, feed.site)
        if feed.name.endswith("-adt"):
            return Admissions(chapter, people, feed, stamp, random, misdated).drafts()
        if feed.name.endswith("-scheduling"):
            return Scheduling(chapter, people, feed, stamp, random).drafts()
        if feed.name.endswith("-immunizations"):
            return Immunizations(chapter, people, feed, stamp, random).drafts()
        if feed.name.endswith("-charges"):
            return Charges(chapter, self._books, people, feed, stamp, random).drafts()
        return Laboratory(chapter, people, feed, stamp, random).drafts()


def _held(draft: Draft) -> Draft:
    """Return a message as it is sent: not in the hour that comes twice, where its own time would be read wrongly."""
    return replace(draft, sent_at=draft.sent_at + timedelta(hours=1))
