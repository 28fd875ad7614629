"""Names as people of the United States bear them, by gender, decade of birth and where their families come from."""

from __future__ import annotations

from random import Random
from typing import Final

from pipelines.simulation.tables import rows

ORIGINS: Final = ("european", "african-american", "hispanic", "asian")
_LATEST_DECADE = 2020


def _given() -> dict[tuple[str, str, int], tuple[str, ...]]:
    """Return the given names by origin, gender and decade."""
    names: dict[tuple[str, str, int], list[str]] = {}
    for row in rows("given_names"):
        for decade in range(int(row["first_decade"]), int(row["last_decade"]) + 1, 10):
            names.setdefault((row["origin"], row["gender"], decade), []).append(row["name"])
    return {key: tuple(each) for key, each in names.items()}


def _families() -> dict[str, tuple[str, ...]]:
    return {origin: tuple(row["name"] for row in rows("family_names") if row["origin"] == origin) for origin in ORIGINS}


_GIVEN = _given()
_FAMILIES = _families()
_TWINS = {
    gender: tuple((row["first"], row["second"]) for row in rows("twin_names") if row["gender"] == gender)
    for gender in ("female", "male")
}
NICKNAMES: Final = {row["given"]: row["nickname"] for row in rows("nicknames")}


def family_name(random: Random, origin: str) -> str:
    """Return a family name; the first of the list are the frequent ones."""
    names = _FAMILIES[origin]
    return names[int(len(names) * random.random() ** 1.6)]


def given_name(random: Random, origin: str, gender: str, year: int) -> str:
    """Return a name that was given to children of a year."""
    names = _GIVEN[origin, gender, min(max(year // 10 * 10, 1930), _LATEST_DECADE)]
    return names[int(len(names) * random.random())]


def twin_names(random: Random, gender: str) -> tuple[str, str]:
    """Return two names that sound alike."""
    pairs = _TWINS[gender]
    return pairs[int(len(pairs) * random.random())]
