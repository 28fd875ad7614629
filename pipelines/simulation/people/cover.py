"""Who pays for whom: the policies of a household, shared by families, doubled for some, changed for others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Literal, TypeAlias

from pipelines.simulation.group import BEGINS
from pipelines.simulation.people.lives import Life
from pipelines.simulation.world import Policy

_COMMERCIAL = ("prairie", "bluestem", "heartland", "cornerstone")
_LONG_AGO = date(2021, 1, 1)
_NEW_YEARS = (date(2024, 1, 1), date(2025, 1, 1), date(2026, 1, 1))
_MEDICARE_AGE = 65

Relationship: TypeAlias = Literal["self", "spouse", "child"]


def insure(random: Random, adults: Sequence[Life], children: Sequence[Life]) -> None:
    """Give the members of a household their policies."""
    draw = random.random()
    young = [life for life in adults if life.age_on(BEGINS.toordinal()) < _MEDICARE_AGE]
    for life in adults:
        if life not in young:
            life.policies = _medicare(random, life)
    if not young or draw < 0.06:
        return
    if draw < 0.24:
        for life in (*young, *children):
            life.policies = (_policy(life, life, "showme-medicaid", 1, "self", "", _LONG_AGO, None),)
        return
    _insure_by_employers(random, young, children)


def _insure_by_employers(random: Random, young: Sequence[Life], children: Sequence[Life]) -> None:
    """Let the first adult's employer insure the family, and perhaps the other's employer as well."""
    first = young[0]
    plans = _employer_plans(random)
    for life in (*young, *children):
        relationship: Relationship = "self" if life is first else "child" if life in children else "spouse"
        life.policies = tuple(
            _policy(life, first, payer, 1, relationship, group, starts, ends)
            for payer, group, starts, ends in plans
            if ends is None or ends > life.born
        )
    if len(young) > 1 and random.random() < 0.3:
        second = young[1]
        payer, group = random.choice(_COMMERCIAL), f"G{random.randrange(20000, 99999)}"
        own = _policy(second, second, payer, 1, "self", group, _LONG_AGO, None)
        second.policies = (own, *(_as_second(policy) for policy in second.policies))
        for child in children:
            other = _policy(child, second, payer, 2, "child", group, _LONG_AGO, None)
            child.policies = (*child.policies, other)


def _employer_plans(random: Random) -> list[tuple[str, str, date, date | None]]:
    """Return the payers of an employer one after the other: most keep theirs, some change at a new year."""
    payer = random.choice(_COMMERCIAL)
    group = f"G{random.randrange(20000, 99999)}"
    if random.random() > 0.2:
        return [(payer, group, _LONG_AGO, None)]
    changed = random.choice(_NEW_YEARS)
    other = random.choice([each for each in _COMMERCIAL if each != payer])
    return [
        (payer, group, _LONG_AGO, changed - timedelta(days=1)),
        (other, f"G{random.randrange(20000, 99999)}", changed, None),
    ]


def _medicare(random: Random, life: Life) -> tuple[Policy, ...]:
    entitled = max(_LONG_AGO, date(life.born.year + _MEDICARE_AGE, life.born.month, 1))
    primary = _policy(life, life, "medicare", 1, "self", "", entitled, None)
    if random.random() < 0.5:
        return (primary,)
    payer = random.choice(_COMMERCIAL)
    return (primary, _policy(life, life, payer, 2, "self", f"S{random.randrange(1000, 9999)}", _LONG_AGO, None))


def _as_second(policy: Policy) -> Policy:
    return Policy(
        policy.policy_id,
        policy.payer,
        2,
        policy.member_id,
        policy.group_number,
        policy.subscriber_id,
        policy.relationship,
        policy.starts,
        policy.ends,
    )


_PREFIXES = {
    "prairie": "PM",
    "bluestem": "BSB",
    "heartland": "HH",
    "cornerstone": "CB",
    "showme-medicaid": "MO",
    "medicare": "1EG",
}
_LETTERS = "ACDEFGHJKMNPQRTUVWXY"


def _policy(
    life: Life,
    subscriber: Life,
    payer: str,
    rank: Literal[1, 2],
    relationship: Relationship,
    group: str,
    starts: date,
    ends: date | None,
) -> Policy:
    letter = _LETTERS[subscriber.serial % len(_LETTERS)]
    member = f"{_PREFIXES[payer]}{letter}{subscriber.serial:08d}"
    key = f"{life.person_id}-{payer}-{subscriber.serial}"
    return Policy(key, payer, rank, member, group, subscriber.person_id, relationship, max(starts, life.born), ends)
