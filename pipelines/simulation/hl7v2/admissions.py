"""ADT: who is registered, changed and merged, who comes, moves and goes, and what is taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from random import Random

from pipelines.simulation.feeds import SimulatedFeed
from pipelines.simulation.hl7v2.people import People
from pipelines.simulation.hl7v2.writing import PATIENT_CLASSES, Draft, Stamp, clinician, coded, escaped
from pipelines.simulation.spans import minutes, seconds
from pipelines.simulation.world import Allergy, Chapter, Code, Registration, Visit

_STRUCTURES = {
    "A01": "ADT_A01", "A02": "ADT_A02", "A03": "ADT_A03", "A04": "ADT_A01", "A08": "ADT_A01", "A11": "ADT_A09",
    "A13": "ADT_A01", "A28": "ADT_A05", "A31": "ADT_A05", "A40": "ADT_A39",
}  # fmt: skip
"""Trigger event to message structure (table 0354)."""
_TAKEN_BACK_AFTER = timedelta(minutes=10)
_SAME_DAY = timedelta(hours=12)
_LONG_STAY = timedelta(days=1)
_SHARE_CODED_LATER = 0.1
_SHARE_DISCHARGED_TWICE = 0.05
_RIGHT, _MISDATED_BY = timedelta(), timedelta(hours=5)
"""How far a clock set to UTC is ahead of one in Fairhaven, in summer."""


class Admissions:
    """The ADT messages of one site in one chapter."""

    def __init__(
        self,
        chapter: Chapter,
        people: People,
        feed: SimulatedFeed,
        stamp: Stamp,
        random: Random,
        misdated: Collection[str] = (),
    ) -> None:
        """Write what happens at the site of `feed`; the visits `misdated` are written by a clock set wrong."""
        self._chapter = chapter
        self._site = feed.site
        self._people = people
        self._stamp = stamp
        self._random = random
        self._misdated = frozenset(misdated)
        self._facility = feed.practice.facility
        self._registered_by_visit = self._walked_in() if feed.site == "hospital" else frozenset()
        self._allergies: dict[str, list[Allergy]] = {}
        for each in chapter.allergies:
            if each.site == feed.site:
                self._allergies.setdefault(each.registration_id, []).append(each)

    def drafts(self) -> Iterator[Draft]:
        """Yield the messages, a patient's before those of their visits."""
        for registration in self._people.registrations.values():
            yield from self._of_registration(registration)
        for visit in self._chapter.visits:
            if visit.site == self._site:
                yield from self._of_visit(visit)

    def _walked_in(self) -> frozenset[str]:
        """Return the registrations first heard of in the message of a visit: nobody tells the hospital beforehand."""
        return frozenset(
            visit.registration_id
            for visit in self._chapter.visits
            if visit.site == self._site
            and visit.started_at - self._people.registrations[visit.registration_id].stated[0][0] < _SAME_DAY
        )

    def _of_registration(self, registration: Registration) -> Iterator[Draft]:
        key = registration.registration_id
        for number, (since, _) in enumerate(registration.stated):
            if number == 0 and key in self._registered_by_visit:
                continue
            event = "A28" if number == 0 else "A31" if self._random.random() < 0.5 else "A08"
            yield self._about_person(event, key, since)
        for allergy in self._allergies.get(key, ()):
            yield self._about_person("A31", key, allergy.recorded_at)
        if registration.merged_into and registration.merged_at:
            at = registration.merged_at
            segments = f"{self._evn('A40', at)}{self._people.pid(registration.merged_into, at)}{self._people.mrg(key)}"
            yield self._draft("A40", at, registration.merged_into, segments)

    def _about_person(self, event: str, registration_id: str, at: datetime) -> Draft:
        people = self._people
        return self._draft(
            event,
            at,
            registration_id,
            f"{self._evn(event, at)}{people.pid(registration_id, at)}{people.pv1_of_nobody()}"
            f"{self._al1(registration_id, at)}{people.insurance(registration_id, at)}",
        )

    def _of_visit(self, visit: Visit) -> Iterator[Draft]:
        begin = "A01" if visit.visit_class == "IMP" else "A04"
        if visit.visit_id in self._misdated and visit.ended_at:
            yield self._about_visit("A03", visit, visit.ended_at, ended_at=visit.ended_at)
            return
        ward = visit.wards[0][1] if visit.wards else ""
        diagnoses = visit.diagnoses if visit.ended_at is None and not visit.is_cancelled else ()
        yield self._about_visit(begin, visit, visit.started_at, ward=ward, diagnoses=diagnoses)
        if visit.is_cancelled:
            yield self._about_visit("A11", visit, visit.started_at + _TAKEN_BACK_AFTER, ward=ward)
            return
        for (_, before), (since, after) in zip(visit.wards, visit.wards[1:], strict=False):
            yield self._about_visit("A02", visit, since, ward=after, prior=before, diagnoses=diagnoses)
        if visit.ended_at is not None:
            yield from self._end(visit, visit.ended_at)

    def _end(self, visit: Visit, ended_at: datetime) -> Iterator[Draft]:
        ward = visit.wards[-1][1] if visit.wards else ""
        chance = self._random.random()
        if visit.visit_class == "IMP" and chance < _SHARE_DISCHARGED_TWICE and ended_at - visit.started_at > _LONG_STAY:
            too_early, taken_back = ended_at - timedelta(hours=2), ended_at - timedelta(hours=1)
            if not visit.wards or visit.wards[-1][0] < too_early:
                yield self._about_visit("A03", visit, too_early, ward=ward, ended_at=too_early)
                yield self._about_visit("A13", visit, taken_back, ward=ward)
        is_coded_later = visit.visit_class != "IMP" and chance < _SHARE_CODED_LATER
        at_once = visit.diagnoses[:1] if is_coded_later else visit.diagnoses
        yield self._about_visit("A03", visit, ended_at, ward=ward, ended_at=ended_at, diagnoses=at_once)
        if is_coded_later:
            coded_at = ended_at + minutes(self._random.randrange(5, 90))
            yield self._about_visit("A08", visit, coded_at, ward=ward, ended_at=ended_at, diagnoses=visit.diagnoses)

    def _about_visit(
        self,
        event: str,
        visit: Visit,
        at: datetime,
        *,
        ward: str = "",
        prior: str = "",
        ended_at: datetime | None = None,
        diagnoses: tuple[Code, ...] = (),
    ) -> Draft:
        key, people = visit.registration_id, self._people
        wrong = _MISDATED_BY if visit.visit_id in self._misdated else _RIGHT
        codes = {code.code: code for code in (visit.diagnoses if wrong else diagnoses)}
        dg1 = "".join([f"DG1|{number}||{coded(code)}|||F\r" for number, code in enumerate(codes.values(), 1)])
        pv1 = self._pv1(visit, ward, prior, visit.started_at + wrong, ended_at + wrong if ended_at else None)
        tail = "" if event in ("A02", "A11") else f"{self._al1(key, at)}{dg1}"
        if event in ("A01", "A04", "A08"):
            tail += people.insurance(key, at)
        segments = f"{self._evn(event, at)}{people.pid(key, at)}{pv1}PV2|||{coded(visit.reason)}\r{tail}"
        return self._draft(event, at, visit.visit_id, segments)

    def _draft(self, event: str, at: datetime, subject: str, segments: str) -> Draft:
        sent_at = at + seconds(int(self._random.random() * 50) + 2)
        return Draft(sent_at, f"ADT^{event}^{_STRUCTURES[event]}", subject, segments)

    def _evn(self, event: str, at: datetime) -> str:
        return f"EVN|{event}|{self._stamp(at)}\r"

    def _pv1(self, visit: Visit, ward: str, prior: str, started_at: datetime, ended_at: datetime | None) -> str:
        facility = self._facility
        place = f"{escaped(ward)}^^^{facility}" if ward else f"CLINIC^^^{facility}"
        before = f"{escaped(prior)}^^^{facility}" if prior else ""
        start, end = self._stamp(started_at), self._stamp(ended_at) if ended_at else ""
        return (
            f"PV1|1|{PATIENT_CLASSES[visit.visit_class]}|{place}|||{before}|{clinician(visit.clinician)}||||||||||||"
            f"{visit.visit_id}^^^{facility}^VN|||||||||||||||||{'01' if end else ''}||||||||{start}|{end}\r"
        )

    def _al1(self, registration_id: str, at: datetime) -> str:
        allergies = self._allergies.get(registration_id)
        if not allergies:
            return ""
        known = [each for each in allergies if each.recorded_at <= at]
        return "".join(f"AL1|{number}|DA|{coded(each.substance)}\r" for number, each in enumerate(known, 1))
