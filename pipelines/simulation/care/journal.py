"""Where care is written down as it happens: the facts of a chapter, their keys, and the clinicians' diaries."""

from __future__ import annotations

from typing import Final

from pipelines.simulation.care.calendar import Diary
from pipelines.simulation.group import CLINICIANS, PRACTICES
from pipelines.simulation.people.records import Numbers
from pipelines.simulation.world import Chapter, Site

CLINICIANS_OF: Final[dict[Site, tuple[str, ...]]] = {
    site: tuple(each.key for each in CLINICIANS.values() if each.site == site) for site in PRACTICES
}


class Journal:
    """The facts of one chapter while they are being written."""

    def __init__(self, chapter: Chapter) -> None:
        """Write into `chapter`."""
        self.chapter = chapter
        self.numbers = Numbers(chapter.number)
        self.diary = Diary()
        self._counts = dict.fromkeys("ABIMOPRV", chapter.number * 1_000_000)

    def key(self, kind: str) -> str:
        """Return the next key of a kind, unique in the world.

        A allergy, B booking, I immunization, M medication, O result, P problem, R report, V visit.
        """
        count = self._counts[kind] + 1
        self._counts[kind] = count
        return f"{kind}{count:010d}"
