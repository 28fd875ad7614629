"""What payers answer when pediatrics asks, on the Sunday before a visit, whether a child is covered."""

from __future__ import annotations

from random import Random

from pipelines.simulation.billing.calendar import asked
from pipelines.simulation.billing.care import Care, cover
from pipelines.simulation.group import BEGINS
from pipelines.simulation.money import Books, EligibilityAnswer
from pipelines.simulation.world import Chapter

_SHARE = 0.3
_NOT_FOUND, _FAMILY_FOUND = "75", "77"
"""No such subscriber; the subscriber is known, but not the patient."""
_UNABLE = "42"


def ask(chapter: Chapter, books: Books, random: Random) -> None:
    """Add payers' answers about a part of the visits of pediatrics to the books."""
    care = Care(chapter, "pediatrics")
    for index, (visit, registration, _) in enumerate(care.visits()):
        day = care.clock.day(visit.started_at)
        policy = cover(registration, day)[0]
        if policy is None or asked(day).date() < BEGINS or random.random() > _SHARE:
            continue
        chance = random.random()
        not_found = _NOT_FOUND if policy.subscriber_id == registration.person_id else _FAMILY_FOUND
        refusal = not_found if chance < 0.015 else _UNABLE if chance < 0.02 else ""
        books.eligibility.append(
            EligibilityAnswer(
                f"RP{chapter.number:04d}E{index:05d}",
                registration.registration_id,
                visit.site,
                policy.payer,
                policy,
                not refusal and chance > 0.06,
                day,
                asked(day),
                refusal,
            )
        )
