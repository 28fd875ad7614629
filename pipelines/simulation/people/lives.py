"""What is true of a person over the simulated time, before any system writes it down."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from pipelines.simulation.world import Address, Demographics, Gender, Person, Policy

TRAITS = (
    "twin",
    "namesake",
    "newborn",
    "married",
    "moved",
    "deceased",
    "nickname",
    "typo",
    "swapped-birth-date",
    "transposed-birth-date",
    "missing-data",
    "wrong-number",
    "double",
    "double-unmerged",
)
"""What makes somebody hard to match, in the order in which it is told of a person."""


@dataclass(slots=True)
class Life:
    """A person and what changes in their life: name, home, death; days are proleptic ordinals."""

    person_id: str
    serial: int
    """The person's number in the whole world."""
    household: int
    born: date
    versions: list[tuple[int, Demographics]]
    """What is true, from which day on."""
    policies: tuple[Policy, ...] = ()
    mother_id: str | None = None
    relative_ssn: str = ""
    """The number of somebody else of the household, which ends up on the wrong form now and then."""
    exchange_number: str = ""
    """The regional exchange's number (PI)."""
    traits: set[str] = field(default_factory=set)
    is_newborn: bool = False
    """Born within the simulated time."""
    first_family: str = ""
    """The family name a newborn is registered under before its own is known: its mother's."""
    dies_on: date | None = None

    @property
    def latest(self) -> Demographics:
        """Return what is true at the end."""
        return self.versions[-1][1]

    @property
    def gender(self) -> Gender:
        """Return the person's gender."""
        return self.versions[0][1].gender

    def age_on(self, day: int) -> float:
        """Return the age in years on a day."""
        return (day - self.born.toordinal()) / 365.25

    def at(self, day: int) -> Demographics:
        """Return what is true on a day."""
        known = self.versions[0][1]
        for since, demographics in self.versions[1:]:
            if since > day:
                break
            known = demographics
        return known

    def marry(self, day: int, family: str) -> None:
        """Take another family name on a day."""
        self._change(day, replace(self.latest, family=family))
        self.traits.add("married")

    def move(self, day: int, address: Address, phone: str) -> None:
        """Live elsewhere from a day on, under another telephone number."""
        self._change(day, replace(self.latest, address=address, phone=phone))
        self.traits.add("moved")

    def die(self, day: date) -> None:
        """Be dead from a day on."""
        self.dies_on = day
        self._change(day.toordinal(), replace(self.latest, deceased_on=day))
        self.traits.add("deceased")

    def person(self) -> Person:
        """Return the person as they truly are at the end."""
        traits = tuple(each for each in TRAITS if each in self.traits)
        return Person(self.person_id, self.household, self.latest, self.mother_id, traits)

    def _change(self, day: int, demographics: Demographics) -> None:
        self.versions.append((day, demographics))
