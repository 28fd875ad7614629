"""Draws households: singles, couples, families with children, elders with a grown child; twins, namesakes, newborns."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random
from typing import Final

from pipelines.simulation.group import BEGINS, ENDS
from pipelines.simulation.people.cover import insure
from pipelines.simulation.people.lives import Life
from pipelines.simulation.people.names import ORIGINS, family_name, given_name, twin_names
from pipelines.simulation.tables import rows
from pipelines.simulation.world import Address, Demographics, Gender

_STREETS = tuple(f"{row['name']} {row['kind']}" for row in rows("streets"))
_TOWNS = tuple(row for row in rows("towns") for _ in range(int(row["weight"])))
_FIRST_DAY: Final = BEGINS.toordinal()
_LAST_DAY: Final = ENDS.toordinal()
_RACES = {
    "european": ("2106-3", "2186-5"),
    "african-american": ("2054-5", "2186-5"),
    "hispanic": ("2131-1", "2135-2"),
    "asian": ("2028-9", "2186-5"),
}
_ADULT_AGE = 18
_MIDDLE = "ABCDEFGHJKLMNPRSTVW"


class Settlers:
    """Settles the households of one chapter, one after the other, and numbers its people."""

    def __init__(self, seed: int, chapter: int, people: int) -> None:
        """Settle exactly `people` persons."""
        self._seed = seed
        self._chapter = chapter
        self._left = people
        self._count = 0
        self._household = 0

    def next_household(self) -> tuple[Random, list[Life]] | None:
        """Return the next household and the chance its members live by; None when the chapter is full."""
        if not self._left:
            return None
        random = Random((self._seed << 48) + (self._chapter << 20) + self._household)  # noqa: S311
        members = _Household(self, random, self._household).settle()[: self._left]
        self._left -= len(members)
        self._household += 1
        return random, members

    def number(self) -> int:
        """Return the number of the next person of the world: chapters never share one."""
        self._count += 1
        return self._chapter * 4096 + self._count

    @property
    def household_number(self) -> int:
        """Return the number of the household that is being settled, unique in the world."""
        return self._chapter * 4096 + self._household


class _Household:
    """One household while it is drawn."""

    def __init__(self, settlers: Settlers, random: Random, index: int) -> None:
        self._settlers = settlers
        self._random = random
        self._index = index
        draw = random.random()
        self._origin = ORIGINS[0 if draw < 0.6 else 1 if draw < 0.74 else 2 if draw < 0.92 else 3]
        self._family = family_name(random, self._origin)
        self._address = draw_address(random)

    def settle(self) -> list[Life]:
        """Return the members, with their policies and what changes in their lives."""
        adults, children = self._draw_members()
        insure(self._random, adults, children)
        lives = [*adults, *children]
        for life, other in zip(lives, [*lives[1:], lives[0]], strict=True):
            life.relative_ssn = other.latest.ssn
        self._move(adults, children)
        for life in adults:
            _let_die(self._random, life)
        return lives

    def _draw_members(self) -> tuple[list[Life], list[Life]]:
        """Return adults and children; every so many households are of a kind that is hard to match."""
        random, remainder = self._random, self._index % 40
        if remainder == 7:
            return self._namesakes()
        draw = random.random()
        if remainder in (3, 13, 23) or 0.62 <= draw < 0.87:
            return self._family_with_children(remainder)
        if draw < 0.3:
            return [self._adult(random.uniform(19, 90))], []
        if draw < 0.62:
            return self._couple(random.uniform(24, 88), self._index % 3 == 0), []
        elder = self._adult(random.uniform(72, 93))
        return [elder, self._adult(elder.age_on(_FIRST_DAY) - random.uniform(22, 36))], []

    def _family_with_children(self, remainder: int) -> tuple[list[Life], list[Life]]:
        random = self._random
        age = random.uniform(24, 44)
        if remainder != 13 and random.random() < 0.26:
            adults = [self._adult(age, "female" if random.random() < 0.8 else "male")]
        else:
            adults = self._couple(age, is_marrying=random.random() < 0.12)
        mother = next((life for life in adults if life.gender == "female"), None)
        parent = min(adult.age_on(_FIRST_DAY) for adult in adults)
        oldest = min(max(parent - 19, 0.5), 16.5)
        children = self._twins(mother, min(oldest, 12)) if remainder == 3 else []
        count = (1, 1, 2, 2, 2, 3, 3, 4, 5)[int(random.random() * 9)]
        children += [self._child(mother, random.uniform(0, oldest)) for _ in range(count - len(children))]
        if mother is not None and (remainder == 13 or random.random() < 0.12):
            children.append(self._newborn(mother))
        return adults, children

    def _namesakes(self) -> tuple[list[Life], list[Life]]:
        """Return a father, his son of the same name, and perhaps the son's son, under one roof."""
        random = self._random
        father = self._adult(random.uniform(58, 76), "male")
        son = self._adult(father.age_on(_FIRST_DAY) - random.uniform(21, 30), "male")
        given, middle = father.latest.given, father.latest.middle
        men = [father, son]
        suffixes = ["Sr", "Jr"] if random.random() < 0.7 else ["", "Jr"]
        children: list[Life] = []
        if son.age_on(_FIRST_DAY) > 26:
            third = self._child(None, random.uniform(1, min(15, son.age_on(_FIRST_DAY) - 19)), "male")
            men, children, suffixes = [*men, third], [third], [*suffixes, "III"]
        for life, suffix in zip(men, suffixes, strict=True):
            truth = replace(life.latest, given=given, middle=middle, family=self._family, suffix=suffix)
            life.versions[0] = (life.versions[0][0], truth)
            life.traits.add("namesake")
        return [father, son], children

    def _couple(self, age: float, is_marrying: bool) -> list[Life]:
        random = self._random
        husband = self._adult(age, "male")
        same_sex = random.random() < 0.05
        wife = self._adult(max(20.0, age + random.gauss(-1.5, 3)), "male" if same_sex else "female")
        keeps_name = same_sex or random.random() < 0.2
        if is_marrying or keeps_name:
            origin = self._origin if random.random() < 0.85 else ORIGINS[int(random.random() * 4)]
            since, truth = wife.versions[0]
            wife.versions[0] = (since, replace(truth, family=family_name(random, origin)))
            if is_marrying:
                joined = self._family
                if keeps_name:
                    joined = f"{wife.latest.family}-{self._family}"
                wife.marry(random.randrange(_FIRST_DAY + 60, _LAST_DAY - 90), joined)
        return [husband, wife]

    def _adult(self, age: float, gender: Gender | None = None) -> Life:
        if gender is None:
            gender = "female" if self._random.random() < 0.52 else "male"
        return self._live(date.fromordinal(_FIRST_DAY - int(max(age, 18.1) * 365.25)), gender)

    def _child(self, mother: Life | None, age: float, gender: Gender | None = None) -> Life:
        if gender is None:
            gender = "female" if self._random.random() < 0.49 else "male"
        life = self._live(date.fromordinal(_FIRST_DAY - 20 - int(age * 365.25)), gender)
        life.mother_id = mother.person_id if mother else None
        return life

    def _twins(self, mother: Life | None, oldest: float) -> list[Life]:
        """Return two children of one birth date whose names are alike."""
        random = self._random
        gender: Gender = "female" if random.random() < 0.5 else "male"
        first = self._child(mother, random.uniform(0.1, oldest), gender)
        second = self._live(first.born, gender)
        second.mother_id = first.mother_id
        for life, given in zip((first, second), twin_names(random, gender), strict=True):
            since, truth = life.versions[0]
            life.versions[0] = (since, replace(truth, given=given))
            life.traits.add("twin")
        if random.random() < 0.5:
            since, truth = second.versions[0]
            number = str(int(first.latest.ssn) + 1)
            second.versions[0] = (since, replace(truth, ssn=number, middle=first.latest.middle))
        return [first, second]

    def _newborn(self, mother: Life) -> Life:
        """Return a child born within the simulated time."""
        born = date.fromordinal(self._random.randrange(_FIRST_DAY + 10, _LAST_DAY - 40))
        life = self._live(born, "female" if self._random.random() < 0.49 else "male")
        life.mother_id = mother.person_id
        life.is_newborn = True
        life.traits.add("newborn")
        return life

    def _live(self, born: date, gender: Gender) -> Life:
        random = self._random
        serial = self._settlers.number()
        given = given_name(random, self._origin, gender, born.year)
        race, ethnicity = _RACES[self._origin]
        is_adult = born.toordinal() + _ADULT_AGE * 365 < _FIRST_DAY
        truth = Demographics(
            self._family,
            given,
            _MIDDLE[int(random.random() * len(_MIDDLE))] if random.random() < 0.8 else "",
            "",
            gender,
            born,
            self._address,
            phone_number(random),
            _email(given, self._family, serial) if is_adult else "",
            f"{900_000_000 + serial * 61_803_399 % 100_000_000}",
            race,
            ethnicity,
            "es" if self._origin == "hispanic" and random.random() < 0.4 else "en",
        )
        life = Life(f"P{serial:08d}", serial, self._settlers.household_number, born, [(born.toordinal(), truth)])
        life.exchange_number = f"{50_000_000 + serial * 13}"
        return life

    def _move(self, adults: list[Life], children: list[Life]) -> None:
        """Let some households move, and everybody in them with the children."""
        random = self._random
        if random.random() < 0.8 and self._index % 20 != 11:
            return
        day = random.randrange(_FIRST_DAY + 45, _LAST_DAY - 60)
        address, phone = draw_address(random), phone_number(random)
        for life in (*adults, *children):
            if life.born.toordinal() < day and all(since < day for since, _ in life.versions):
                life.move(day, address, phone if random.random() < 0.5 else life.latest.phone)


def _email(given: str, family: str, serial: int) -> str:
    """Return an address in a domain that nobody can own (RFC 2606)."""
    name = "".join(letter for letter in f"{given}.{family}" if letter.isalpha() or letter == ".")
    return f"{name.lower()}{serial % 997}@mail.example"


def draw_address(random: Random) -> Address:
    """Return where somebody lives."""
    town = _TOWNS[int(random.random() * len(_TOWNS))]
    street = _STREETS[int(random.random() * len(_STREETS))]
    return Address(f"{1 + int(random.random() * 1800)} {street}", town["town"], town["state"], town["postal_code"])


def phone_number(random: Random) -> str:
    """Return a telephone number in an area that does not exist."""
    draw = int(random.random() * 8_000_000)
    return f"555-{200 + draw // 10_000}-{draw % 10_000:04d}"


def _let_die(random: Random, life: Life) -> None:
    """Let old people die with the chance of their age."""
    age = life.age_on(_FIRST_DAY)
    chance = 0.002 if age < 50 else 0.015 if age < 65 else 0.05 if age < 78 else 0.16
    if random.random() < chance:
        first = max(_FIRST_DAY + 120, life.versions[-1][0] + 30)
        life.die(date.fromordinal(random.randrange(first, _LAST_DAY - 5)))
