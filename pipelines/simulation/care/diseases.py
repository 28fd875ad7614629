"""Which long diseases people have, and which complaints bring them in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from random import Random
from typing import Final

from pipelines.simulation.group import BEGINS
from pipelines.simulation.tables import rows
from pipelines.simulation.world import Code

_AGES = (5, 30, 50, 70, 85)


@dataclass(frozen=True, slots=True)
class Disease:
    """A disease that stays."""

    key: str
    code: Code
    is_cardiac: bool
    shares: tuple[float, ...]
    """How many have it, of those aged 0 to 99."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something that brings people in once."""

    code: Code
    is_seasonal: bool
    test: str
    """Key of the panel that is asked for; empty if none."""


def _share_at(row: dict[str, str], age: int) -> float:
    """Return how many of an age have a disease, between the ages that the table states."""
    if age <= _AGES[0]:
        return float(row["at_5"]) * age / _AGES[0]
    for lower, upper in pairwise(_AGES):
        if age <= upper:
            low, high = float(row[f"at_{lower}"]), float(row[f"at_{upper}"])
            return low + (high - low) * (age - lower) / (upper - lower)
    return float(row[f"at_{_AGES[-1]}"])


DISEASES: Final = {
    row["key"]: Disease(
        row["key"],
        Code("ICD-10-CM", row["code"], row["label"]),
        row["is_cardiac"] == "1",
        tuple(_share_at(row, age) for age in range(100)),
    )
    for row in rows("conditions")
}
_EXCLUDED = {"diabetic-kidney": "kidney-disease", "copd": "asthma"}
"""What nobody has beside the other."""


def draw_diseases(random: Random, age: float) -> Iterator[tuple[Disease, date]]:
    """Yield the diseases somebody of an age has when the simulated time begins, or gets in it, and since when."""
    at = min(max(int(age) + 1, 0), 99)
    had: set[str] = set()
    for disease in DISEASES.values():
        if random.random() >= disease.shares[at] or _EXCLUDED.get(disease.key) in had:
            continue
        had.add(disease.key)
        years = min(random.random() * 12 - 1.5, max(age - 1, 0.1))
        yield disease, BEGINS - timedelta(days=int(years * 365.25))


_COMPLAINTS: Final = tuple(
    (
        (row["place"], int(row["min_age"]), int(row["max_age"])),
        (Complaint(Code("ICD-10-CM", row["code"], row["label"]), row["is_seasonal"] == "1", row["test"]),)
        * int(row["weight"]),
    )
    for row in rows("complaints")
)


@cache
def complaints(place: str, age: int) -> tuple[Complaint, ...]:
    """Return what brings people of an age to a place (office, emergency, inpatient), as often as it is frequent."""
    return tuple(
        complaint
        for (where, youngest, oldest), often in _COMPLAINTS
        if where == place and youngest <= age <= oldest
        for complaint in often
    )


def draw_complaint(random: Random, place: str, age: float) -> Complaint:
    """Return what brings somebody of an age to a place."""
    known = complaints(place, min(max(int(age), 0), 99))
    return known[int(random.random() * len(known))]
