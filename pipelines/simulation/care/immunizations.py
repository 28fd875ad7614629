"""Vaccines at the family practice: the schedules of the CDC for children and adults, and the seasons of influenza."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Final

from pipelines.simulation.care.calendar import FIRST_DAY
from pipelines.simulation.care.patients import Patient
from pipelines.simulation.spans import minutes
from pipelines.simulation.tables import rows
from pipelines.simulation.world import Code, Vaccination, Visit

_VACCINES: Final = {
    row["cvx"]: (Code("CVX", row["cvx"], row["label"]), row["manufacturer"]) for row in rows("vaccines")
}
CHILD_SCHEDULE: Final = tuple((int(row["months"]), row["cvx"], int(row["dose"])) for row in rows("child_schedule"))
_REFUSED = 0.03
_DAYS_A_MONTH = 30.4375
_TRIVALENT_AGAIN = datetime(2024, 8, 1).toordinal() - FIRST_DAY  # noqa: DTZ001
"""From the season 2024-25 on, influenza vaccines of the United States have three strains again (ACIP 2024)."""


class VaccineCard:
    """What one person was given at the family practice, and what is due."""

    def __init__(self, patient: Patient) -> None:
        """Know who the person is; everything before the simulated time was given elsewhere."""
        self._patient = patient
        self._random: Random = patient.random
        self._given: set[tuple[str, int]] = set()
        self._flu_seasons: set[int] = set()
        self._covid_seasons: set[int] = set()
        self._is_willing = self._random.random() < 0.86
        self._joined = patient.from_day

    def vaccinate(self, visit: Visit, day: int) -> None:
        """Give what is due at a visit."""
        age = self._patient.age(day)
        if age < 18:
            self._follow_child_schedule(visit, day)
        elif visit.visit_class == "AMB":
            self._offer_adult_vaccines(visit, age, day)
        self._offer_seasonal(visit, age, day)

    def _follow_child_schedule(self, visit: Visit, day: int) -> None:
        months = (day - (self._patient.life.born.toordinal() - FIRST_DAY)) / _DAYS_A_MONTH
        for due, cvx, dose in CHILD_SCHEDULE:
            if due <= months < due + (2 if due < 24 else 13) and (cvx, dose) not in self._given:
                self._give(visit, cvx, dose)

    def _offer_adult_vaccines(self, visit: Visit, age: float, day: int) -> None:
        random = self._random
        if random.random() < 0.015 and not self._has("115"):
            self._give(visit, "115", 1)
        if age >= 50 and random.random() < 0.035 and ("187", 2) not in self._given:
            self._give(visit, "187", 2 if ("187", 1) in self._given else 1)
        if age >= (50 if day > _TRIVALENT_AGAIN + 80 else 65) and random.random() < 0.03 and not self._has("216"):
            self._give(visit, "216", 1)
        if age >= 75 and random.random() < 0.04 and not self._has("303"):
            self._give(visit, "303", 1)
        if age < 60 and random.random() < 0.012:
            dose = next((each for each in (1, 2, 3) if ("43", each) not in self._given), None)
            if dose:
                self._give(visit, "43", dose)

    def _offer_seasonal(self, visit: Visit, age: float, day: int) -> None:
        """Offer influenza and COVID-19 vaccines from September to January."""
        month = visit.started_at.month
        if month in (2, 3, 4, 5, 6, 7, 8) or age < 0.5:
            return
        season = visit.started_at.year - (month == 1)
        if (
            season not in self._flu_seasons
            and self._is_willing
            and self._random.random() < (0.55 if age > 60 else 0.38)
        ):
            self._flu_seasons.add(season)
            is_trivalent = day >= _TRIVALENT_AGAIN
            high, usual = ("135", "140") if is_trivalent else ("197", "150")
            self._give(visit, high if age >= 65 else usual, 1)
        if (
            season not in self._covid_seasons
            and self._is_willing
            and self._random.random() < (0.22 if age > 60 else 0.07)
        ):
            self._covid_seasons.add(season)
            cvx = "308" if age < 5 else "310" if age < 12 else "309" if self._random.random() < 0.6 else "312"
            self._give(visit, cvx, 1)

    def _has(self, cvx: str) -> bool:
        return (cvx, 1) in self._given

    def _give(self, visit: Visit, cvx: str, dose: int) -> None:
        random, journal = self._random, self._patient.journal
        vaccine, manufacturer = _VACCINES[cvx]
        self._given.add((cvx, dose))
        at = visit.started_at + minutes(8 + int(random.random() * 5))
        letter, batch = "ABCDEFGHJK"[int(cvx) % 10], "KLMNPQRST"[int(random.random() * 9)]
        lot = f"{letter}{int(cvx) % 7}{at.year % 100}{at.month // 4}{batch}"
        is_refused = random.random() < _REFUSED
        journal.chapter.vaccinations.append(
            Vaccination(
                journal.key("I"),
                visit.registration_id,
                visit.site,
                visit.visit_id,
                visit.clinician,
                vaccine,
                at,
                dose,
                "" if is_refused else lot,
                manufacturer,
                is_refused,
            )
        )
