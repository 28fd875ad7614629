"""A person under care: their diseases, their charts at the sites, their own doctors, and until when they come."""

from __future__ import annotations

from datetime import date
from random import Random

from pipelines.simulation.care.calendar import AHEAD, DAYS, FIRST_DAY, day_of
from pipelines.simulation.care.diseases import Disease, draw_diseases
from pipelines.simulation.care.journal import CLINICIANS_OF, Journal
from pipelines.simulation.care.laboratory import Body
from pipelines.simulation.people.lives import Life
from pipelines.simulation.people.records import Chart
from pipelines.simulation.world import Site

_SEES_OWN_DOCTOR = 0.8


class Patient:
    """A person as the clinicians of all sites know them."""

    def __init__(self, random: Random, life: Life, journal: Journal) -> None:
        """Draw the diseases of `life`; nothing has happened yet."""
        self.random = random
        self.life = life
        self.journal = journal
        self.diseases: list[tuple[Disease, date]] = list(draw_diseases(random, life.age_on(FIRST_DAY)))
        self.body = Body(random, life, [disease.key for disease, _ in self.diseases])
        self.charts: dict[Site, Chart] = {}
        self.from_day = max(day_of(life.born), 0)
        self.until_day = DAYS + AHEAD if life.dies_on is None else day_of(life.dies_on)
        """The first day on which nobody can come any more."""
        self.busy: set[int] = set()
        """Days on which something else already happens."""
        self._doctors: dict[Site, str] = {}

    def age(self, day: int) -> float:
        """Return the age in years on a day."""
        return self.life.age_on(FIRST_DAY + day)

    def chart(self, site: Site) -> Chart:
        """Return the person's chart at a site."""
        chart = self.charts.get(site)
        if chart is None:
            chart = self.charts[site] = Chart(self.random, self.journal.numbers, self.life, site)
        return chart

    def clinician(self, site: Site) -> str:
        """Return who sees the person this time: mostly the same."""
        random, staff = self.random, CLINICIANS_OF[site]
        doctor = self._doctors.get(site)
        if doctor is None or random.random() > _SEES_OWN_DOCTOR:
            seen = staff[int(random.random() * len(staff))]
            self._doctors.setdefault(site, seen)
            return seen
        return doctor

    def has(self, key: str) -> bool:
        """Tell whether the person has a disease."""
        return any(disease.key == key for disease, _ in self.diseases)
