"""What billing asks of a chapter again and again: the visits of a practice in order, vaccines, cover on a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from operator import attrgetter

from pipelines.simulation.clocks import clock
from pipelines.simulation.group import PAYERS, PRACTICES
from pipelines.simulation.world import Chapter, Code, Policy, Registration, Site, Visit

_CHECKUP = Code("ICD-10-CM", "Z00.129")
_MOST_DIAGNOSES = 4
"""Of those stated first; each once, in the order of the visit."""


class Care:
    """A chapter's visits at one practice that are to be charged, with what was done in each."""

    def __init__(self, chapter: Chapter, site: Site) -> None:
        self._chapter, self._site = chapter, site
        self.clock = clock(PRACTICES[site].zone)
        self._vaccines: dict[str, list[str]] = defaultdict(list)
        for vaccination in chapter.vaccinations:
            if vaccination.visit_id and not vaccination.is_refused:
                self._vaccines[vaccination.visit_id].append(vaccination.vaccine.code)
        self._drawn = {report.visit_id for report in chapter.reports if report.site == site and report.visit_id}

    def visits(self) -> Iterator[tuple[Visit, Registration, bool]]:
        """Yield each visit that took place and ended, first to last, with the record and whether it is its first."""
        seen: set[str] = set()
        site = self._site
        ended = [each for each in self._chapter.visits if each.site == site and each.ended_at and not each.is_cancelled]
        for visit in sorted(ended, key=attrgetter("started_at", "visit_id")):
            registration = self._chapter.registrations[visit.registration_id]
            yield visit, registration, registration.person_id not in seen
            seen.add(registration.person_id)

    def vaccines(self, visit: Visit) -> list[str]:
        """Return the CVX codes of what was given in a visit."""
        return self._vaccines.get(visit.visit_id, [])

    def is_drawn(self, visit: Visit) -> bool:
        """Return whether blood was taken in a visit."""
        return visit.visit_id in self._drawn


def cover(registration: Registration, day: date) -> tuple[Policy | None, Policy | None]:
    """Return the first and the second policy that cover a patient on a day."""
    held = [each for each in registration.policies if each.starts <= day and (each.ends is None or each.ends >= day)]
    if len(held) < 2:
        return (held[0] if held else None), None
    first, second, *_ = sorted(held, key=lambda each: each.rank)
    return first, second if second.payer != first.payer else None


def diagnoses(visit: Visit) -> tuple[Code, ...]:
    """Return the diagnoses of a visit, at most four, each once; a checkup where none is stated."""
    stated = visit.diagnoses[:_MOST_DIAGNOSES]
    if len(stated) > 1 and len({each.code for each in stated}) < len(stated):
        stated = tuple(dict.fromkeys(stated))
    return stated or (_CHECKUP,)


def payer_kind(policy: Policy | None) -> str:
    """Return the claim filing indicator of a policy's payer, empty without a policy."""
    return PAYERS[policy.payer].kind if policy else ""
