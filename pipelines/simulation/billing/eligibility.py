"""What payers answer when pediatrics asks, the day before a visit, whether a child is covered."""

from __future__ import annotations

from random import Random

from pipelines.simulation.billing.calendar import asked
from pipelines.simulation.billing.care import Care, cover
from pipelines.simulation.group import BEGINS
from pipelines.simulation.money import Books, EligibilityAnswer
from pipelines.simulation.world import Chapter

_SHARE = 0.3
_NOT_FOUND = "75"
_UNABLE = "42"


def ask(chapter: Chapter, books: Books, random: Random) -> None:
    """Add payers' answers about a part of the visits of pediatrics to the books."""
    care = Care(chapter, "pediatrics")
    for index, (visit, registration, _) in enumerate(care.visits()):
        day = visit.started_at.astimezone(care.zone).date()
        policy = cover(registration, day)[0]
        if policy is None or day <= BEGINS or random.random() > _SHARE:
            continue
        chance = random.random()
        refusal = _NOT_FOUND if chance < 0.015 else _UNABLE if chance < 0.02 else ""
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
            )  # fmt: skip
        )
