"""What a site keeps about a person: its numbers, what it states and when it learns better, and records made twice."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from pipelines.simulation.group import BEGINS, END_INSTANT, EXCHANGE, PRACTICES
from pipelines.simulation.people.lives import Life
from pipelines.simulation.people.mistakes import mistake
from pipelines.simulation.world import Demographics, Identifier, Registration, Site

_MRN_FORMS: Final[dict[Site, str]] = {
    "family-practice": "{:06d}",
    "cardiology": "C{:06d}",
    "pediatrics": "P{:06d}",
    "hospital": "H{:07d}",
}
_FIRST_MOMENT = datetime(BEGINS.year, BEGINS.month, BEGINS.day, tzinfo=UTC)
_DAYS = (END_INSTANT - _FIRST_MOMENT).days
_HEARS_OF_CHANGES = 0.7
_PUTS_MISTAKES_RIGHT = 0.12


class Numbers:
    """Hands out record numbers at the sites of one chapter; no two chapters share one."""

    def __init__(self, chapter: int) -> None:
        """Number the records of the chapter `chapter`."""
        self._chapter = chapter
        self._counts: dict[Site, int] = {}
        self._exchange: list[str] = []

    def record_number(self, site: Site) -> str:
        """Return the next record number of a site."""
        count = self._counts.get(site, 0) + 1
        self._counts[site] = count
        return _MRN_FORMS[site].format(self._chapter * 4096 + 100_000 + count)

    def exchange_number(self, random: Random, life: Life) -> str | None:
        """Return the exchange's number as a site states it: missing for many, somebody else's for a very few."""
        draw = random.random()
        if draw > 0.72:
            return None
        if draw < 0.002 and self._exchange:
            return self._exchange[int(random.random() * len(self._exchange))]
        if not self._exchange or self._exchange[-1] != life.exchange_number:
            self._exchange.append(life.exchange_number)
        return life.exchange_number


@dataclass(slots=True)
class Record:
    """One record of a person at a site while its story is still being told."""

    life: Life
    site: Site
    registration_id: str
    mrn: str
    identifiers: tuple[Identifier, ...]
    wrong: dict[str, object]
    """What it says instead of the truth."""
    traits: tuple[str, ...]
    """What this record makes hard to match."""
    moments: list[datetime] = field(default_factory=list)
    """When something happened on it: then the desk asks whether all is still right."""

    @property
    def opened_at(self) -> datetime:
        """Return when it was made."""
        return min(self.moments)

    def registration(self, random: Random, merged: tuple[str, datetime] | None) -> Registration:
        """Return the record as a fact."""
        into, at = merged or (None, None)
        self.life.traits.update(self.traits)
        return Registration(
            self.registration_id,
            self.life.person_id,
            self.site,
            self.mrn,
            self.identifiers,
            tuple(self._statements(random, at or END_INSTANT)),
            self.life.policies,
            into,
            at,
        )

    def _statements(self, random: Random, until: datetime) -> list[tuple[datetime, Demographics]]:
        """Return what the record says from when on: changes are heard of at a later visit, or never."""
        moments = sorted(self.moments)
        opened = moments[0]
        known = self.life.at(opened.toordinal())
        statements = [(opened, self._written(known))]
        if self.life.is_newborn and self.site == "hospital" and self._is_before_naming(opened):
            family = self.life.first_family or known.family
            placeholder = replace(statements[0][1], family=family, given=f"BABY{_CALLED[known.gender]}", middle="")
            named = opened + timedelta(hours=30 + int(random.random() * 120), minutes=int(random.random() * 60))
            statements = [(opened, placeholder), (named, statements[0][1])]
        for moment in moments[1:]:
            if moment <= statements[-1][0] or moment >= until:
                continue
            truth = self.life.at(moment.toordinal())
            hears = truth is not known and random.random() < _HEARS_OF_CHANGES
            corrects = bool(self.wrong) and random.random() < _PUTS_MISTAKES_RIGHT
            if corrects:
                self.wrong = {}
            if hears:
                self._forget_what_changed(known, truth)
                known = truth
            if hears or corrects:
                statements.append((moment, self._written(known)))
        return [*statements, *self._news_of_death(random, statements[-1][0], until)]

    def _forget_what_changed(self, known: Demographics, truth: Demographics) -> None:
        """Drop the mistakes in what is asked for anew."""
        self.wrong = {part: value for part, value in self.wrong.items() if getattr(known, part) == getattr(truth, part)}

    def _is_before_naming(self, opened: datetime) -> bool:
        return opened.toordinal() - self.life.born.toordinal() <= 1

    def _news_of_death(self, random: Random, last: datetime, until: datetime) -> list[tuple[datetime, Demographics]]:
        """Return the statement that the person died: the hospital knows soon, others after days, some never."""
        died = self.life.dies_on
        if died is None or (self.site != "hospital" and random.random() < 0.4):
            return []
        days = 1 if self.site == "hospital" else 3 + int(random.random() * 18)
        heard = datetime(died.year, died.month, died.day, 16, int(random.random() * 60), tzinfo=UTC)
        heard += timedelta(days=days)
        if not last < heard < until:
            return []
        return [(heard, self._written(self.life.latest))]

    def _written(self, truth: Demographics) -> Demographics:
        return replace(truth, **self.wrong) if self.wrong else truth  # type: ignore[arg-type]


_CALLED = {"female": "GIRL", "male": "BOY", "unknown": ""}


class Chart:
    """All that a site knows of a person: one record, or two until somebody notices."""

    def __init__(self, random: Random, numbers: Numbers, life: Life, site: Site, *, may_double: bool = True) -> None:
        """Open the chart of `life` at `site`; nothing is on it yet."""
        self._random = random
        self.life = life
        self.site = site
        self._records = [self._record(numbers)]
        self._doubled_from = self._merged_at = END_INSTANT
        if may_double and site != "pediatrics" and random.random() < 0.05:
            self._records.append(self._record(numbers))
            self._doubled_from = _FIRST_MOMENT + timedelta(days=int(random.random() * (_DAYS - 150)))
            if random.random() < 0.88:
                days = 40 + int(random.random() * 260)
                self._merged_at = self._doubled_from + timedelta(
                    days=days, hours=15, minutes=int(random.random() * 300)
                )
                self._merged_at = min(self._merged_at, END_INSTANT - timedelta(days=1))

    def note(self, starts: datetime, ends: datetime) -> str:
        """Return the registration that something is put on which happens from `starts` to `ends`."""
        record = self._records[0]
        is_doubled = len(self._records) > 1 and starts >= self._doubled_from
        if is_doubled and (self._merged_at == END_INSTANT or ends < self._merged_at) and self._random.random() < 0.6:
            record = self._records[1]
        record.moments.append(starts)
        return record.registration_id

    def see(self, registration_id: str, moment: datetime) -> None:
        """Note that the person stood at the desk."""
        self._records[registration_id != self._records[0].registration_id].moments.append(moment)

    def registrations(self) -> list[Registration]:
        """Return the records that were really made."""
        used = [record for record in self._records if record.moments]
        if len(used) < 2:
            return [record.registration(self._random, None) for record in used]
        first, second = used
        self.life.traits.add("double")
        merged = None
        if self._merged_at < END_INSTANT and first.opened_at < self._merged_at:
            merged = (first.registration_id, self._merged_at)
        else:
            self.life.traits.add("double-unmerged")
        return [first.registration(self._random, None), second.registration(self._random, merged)]

    def _record(self, numbers: Numbers) -> Record:
        random, life = self._random, self.life
        mrn = numbers.record_number(self.site)
        trait, wrong = mistake(random, life.versions[0][1], life.relative_ssn) or ("", {})
        traits = {trait} if trait else set()
        facility = PRACTICES[self.site].facility
        identifiers = [Identifier("MR", facility, mrn)]
        number = None if self.site == "pediatrics" else numbers.exchange_number(random, life)
        if number is not None:
            identifiers.append(Identifier("PI", EXCHANGE, number))
            if number != life.exchange_number:
                traits.add("wrong-number")
        key = f"{facility}-{mrn}"
        return Record(life, self.site, key, mrn, tuple(identifiers), wrong, tuple(sorted(traits)))
