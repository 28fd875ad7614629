"""How a site's record comes to differ from the truth: slips of the hand, of the ear and of the form."""

from __future__ import annotations

from datetime import date
from random import Random

from pipelines.simulation.group import BEGINS
from pipelines.simulation.people.names import NICKNAMES
from pipelines.simulation.world import Demographics

_NEIGHBOURS = {
    "a": "s", "b": "v", "c": "k", "d": "s", "e": "a", "f": "g", "g": "f", "h": "n", "i": "y", "j": "h", "k": "c",
    "l": "k", "m": "n", "n": "m", "o": "u", "p": "b", "q": "w", "r": "t", "s": "z", "t": "r", "u": "o", "v": "w",
    "w": "v", "x": "z", "y": "i", "z": "s",
}  # fmt: skip

_TOO_YOUNG = BEGINS.year
"""Who is born from this year on: another date could lie in the future, which every system refuses."""


def misspell(random: Random, name: str) -> str:
    """Return a name one or two slips away: a letter swapped, doubled, dropped or another."""
    if len(name) < 4:
        return name + name[-1]
    at = random.randrange(1, len(name) - 1)
    draw = random.random()
    if draw < 0.3 and name[at] != name[at + 1]:
        return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    if draw < 0.55:
        return name[:at] + name[at + 1 :]
    if draw < 0.75:
        return name[: at + 1] + name[at:]
    return name[:at] + _NEIGHBOURS.get(name[at], "e") + name[at + 1 :]


def misspell_number(random: Random, number: str) -> str:
    """Return a number with one digit, not the first, wrong."""
    at = random.randrange(1, len(number))
    return number[:at] + str((int(number[at]) + 1 + random.randrange(9)) % 10) + number[at + 1 :]


def swap_day_and_month(born: date) -> date | None:
    """Return a birth date with day and month in the wrong order; nothing when no such day is another."""
    if born.day > 12 or born.day == born.month or born.year >= _TOO_YOUNG:
        return None
    return date(born.year, born.day, born.month)


def transpose_digits(born: date) -> date | None:
    """Return a birth date with the digits of its day, or of its year, swapped; nothing when that is no past day."""
    if born.year >= _TOO_YOUNG:
        return None
    tens, ones = divmod(born.day, 10)
    day = ones * 10 + tens
    if tens != ones and 1 <= day <= 28:
        return born.replace(day=day)
    year = born.year // 100 * 100 + born.year % 10 * 10 + born.year % 100 // 10
    if year != born.year and 1925 <= year < _TOO_YOUNG:
        return date(year, born.month, min(born.day, 28))
    return None


def mistake(random: Random, truth: Demographics, relative_ssn: str) -> tuple[str, dict[str, object]] | None:
    """Return what a registration desk gets wrong, if anything: the trait, and what it writes instead of the truth."""
    if truth.suffix and random.random() < 0.5:
        return "missing-data", {"suffix": ""}
    draw = random.random()
    if draw < 0.62:
        return None
    if draw < 0.74:
        nickname = NICKNAMES.get(truth.given)
        return ("nickname", {"given": nickname}) if nickname else None
    if draw < 0.80:
        part = "family" if random.random() < 0.5 else "given"
        name = getattr(truth, part)
        return "typo", {part: misspell(random, name)}
    if draw < 0.82:
        wrong = swap_day_and_month(truth.birth_date)
        return ("swapped-birth-date", {"birth_date": wrong}) if wrong else None
    if draw < 0.84:
        wrong = transpose_digits(truth.birth_date)
        return ("transposed-birth-date", {"birth_date": wrong}) if wrong else None
    if draw < 0.992:
        part = ("ssn", "phone", "middle", "email", "race")[int(random.random() * 5)]
        return ("missing-data", {part: ""}) if getattr(truth, part) else None
    if relative_ssn != truth.ssn and draw < 0.996:
        return "wrong-number", {"ssn": relative_ssn}
    return "wrong-number", {"ssn": misspell_number(random, truth.ssn)}
