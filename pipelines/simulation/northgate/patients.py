"""Who comes to northgate: households of the group's people, most of whom other sites know too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final

from pipelines.simulation.northgate.place import OPENS
from pipelines.simulation.world import Chapter, Demographics, Person, Policy

_HARD: Final = frozenset({"twin", "namesake"})
"""What makes the members of a household look like each other."""
_HARD_HOUSEHOLDS: Final = 2
_STATES_EXCHANGE_NUMBER: Final = 0.75
FEWEST, SHARE, MOST = 9, 0.017, 26
"""How many persons a month has: a share of a chapter's, within what three clinicians of a new place see."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who will be a patient of northgate."""

    person: Person
    policies: tuple[Policy, ...]
    exchange_number: str
    """Empty if they do not have it with them."""

    @property
    def stated(self) -> Demographics:
        """Return what they say of themselves: the truth."""
        return self.person.truth


def newcomers(chapter: Chapter, random: Random) -> list[list[Newcomer]]:
    """Return the households that come to northgate, those first whose members are hard to tell apart."""
    households: dict[int, list[Person]] = {}
    for person in chapter.persons:
        if person.truth.deceased_on is None and person.truth.birth_date < OPENS:
            households.setdefault(person.household, []).append(person)
    order = list(households.values())
    random.shuffle(order)
    hard = [each for each in order if _is_hard(each)][:_HARD_HOUSEHOLDS]
    order = hard + [each for each in order if each not in hard]
    numbers, policies = _numbers(chapter), _policies(chapter)
    wanted = min(MOST, FEWEST + int(SHARE * len(chapter.persons)))
    chosen: list[list[Newcomer]] = []
    for household in order:
        if sum(map(len, chosen)) >= wanted:
            break
        chosen.append([_newcomer(random, person, numbers, policies) for person in household])
    return chosen


def holds(policy: Policy, day: date) -> bool:
    """Return whether a policy holds on a day."""
    return policy.starts <= day and (policy.ends is None or day <= policy.ends)


def _newcomer(
    random: Random, person: Person, numbers: dict[str, str], policies: dict[str, tuple[Policy, ...]]
) -> Newcomer:
    number = numbers.get(person.person_id, "") if random.random() < _STATES_EXCHANGE_NUMBER else ""
    held = [each for each in policies.get(person.person_id, ()) if holds(each, OPENS)]
    return Newcomer(person, tuple({each.rank: each for each in held}.values()), number)


def _is_hard(household: list[Person]) -> bool:
    return sum(not _HARD.isdisjoint(person.traits) for person in household) > 1


def _numbers(chapter: Chapter) -> dict[str, str]:
    """Return the exchange's number of each person whose sites all state the right one."""
    doubtful = {person.person_id for person in chapter.persons if "wrong-number" in person.traits}
    return {
        registration.person_id: identifier.value
        for registration in chapter.registrations.values()
        for identifier in registration.identifiers
        if identifier.kind == "PI" and registration.person_id not in doubtful
    }


def _policies(chapter: Chapter) -> dict[str, tuple[Policy, ...]]:
    return {each.person_id: each.policies for each in chapter.registrations.values()}
