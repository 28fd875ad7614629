"""Who a message is about and who pays for them: PID, MRG and IN1 segments, each written once and used again."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from operator import attrgetter

from pipelines.simulation.clocks import clock
from pipelines.simulation.group import PAYERS, PRACTICES
from pipelines.simulation.hl7v2.writing import address, day, escaped
from pipelines.simulation.world import Chapter, Demographics, Policy, Registration, Site

_GENDERS = {"female": "F", "male": "M", "unknown": "U"}
_RACES = {
    "1002-5": "American Indian or Alaska Native",
    "2028-9": "Asian",
    "2054-5": "Black or African American",
    "2076-8": "Native Hawaiian or Other Pacific Islander",
    "2106-3": "White",
}
_ETHNICITIES = {"2135-2": "H^Hispanic or Latino^HL70189", "2186-5": "N^Not Hispanic or Latino^HL70189"}
_LANGUAGES = {"en": "English", "es": "Spanish", "vi": "Vietnamese", "zh": "Chinese", "so": "Somali", "ar": "Arabic"}
_RELATIONSHIPS = {"self": "SEL", "spouse": "SPO", "child": "CHD"}
_RANK = attrgetter("rank")
_DAY = timedelta(days=1)
_SSN_IN_LIST: frozenset[Site] = frozenset({"hospital"})
"""Whose system lists the social security number in PID-3; others still write it in PID-19. Both are legal in 2.5.1."""


class People:
    """The patients of one chapter as the systems of one site write them, whatever the feed."""

    def __init__(self, chapter: Chapter, site: Site) -> None:
        """Write the registrations of `chapter` at `site`."""
        self.registrations = {key: each for key, each in chapter.registrations.items() if each.site == site}
        self._day = clock(PRACTICES[site].zone).day
        self._truths = {each.person_id: each.truth for each in chapter.persons}
        self._pids: dict[str, list[tuple[datetime, str, str]]] = {}
        """By registration, what is written before and after the account (PID-18) from when on; the last one first."""
        self._insurances: dict[str, list[tuple[date, str]]] = {}
        """By registration, what is written from which day on; the last one first."""

    def pid(self, registration_id: str, moment: datetime, account: str = "") -> str:
        """Return the PID segment as the site knew the patient at a moment, or when it first did."""
        versions = self._pids.get(registration_id) or self._write_pids(registration_id)
        for since, before, after in versions:
            if since <= moment:
                return f"{before}{account}{after}"
        _, before, after = versions[-1]
        return f"{before}{account}{after}"

    def pv1_of_nobody(self) -> str:
        """Return the PV1 that the structure asks for where there is no visit."""
        return "PV1|1|N\r"

    def mrg(self, registration_id: str) -> str:
        """Return the MRG segment of a record that is merged into another."""
        registration = self.registrations[registration_id]
        demographics = registration.stated[-1][1]
        return f"MRG|{_identifiers(registration)}||||||{_name(demographics)}\r"

    def insurance(self, registration_id: str, moment: datetime) -> str:
        """Return the IN1 segments of the policies in force on a day."""
        day = self._day(moment)
        for since, written in self._insurances.get(registration_id) or self._write_insurances(registration_id):
            if since <= day:
                return written
        return ""

    def _write_pids(self, registration_id: str) -> list[tuple[datetime, str, str]]:
        registration = self.registrations[registration_id]
        written = [(since, *self._pid(registration, stated)) for since, stated in reversed(registration.stated)]
        self._pids[registration_id] = written
        return written

    def _write_insurances(self, registration_id: str) -> list[tuple[date, str]]:
        registration = self.registrations[registration_id]
        policies = registration.policies
        changes = {date.min} | {each.starts for each in policies} | {each.ends + _DAY for each in policies if each.ends}
        written = [(day, self._in1s(policies_on(registration, day))) for day in sorted(changes, reverse=True)]
        self._insurances[registration_id] = written
        return written

    def _pid(self, registration: Registration, stated: Demographics) -> tuple[str, str]:
        """Return what is written before and after the account."""
        identifiers, ssn = _identifiers(registration), stated.ssn
        if ssn and registration.site in _SSN_IN_LIST:
            identifiers, ssn = f"{identifiers}~{ssn}^^^&2.16.840.1.113883.4.1&ISO^SS", ""
        telecoms = "~".join(
            each
            for each in (
                f"{stated.phone}^PRN^PH" if stated.phone else "",
                f"^NET^Internet^{escaped(stated.email)}" if stated.email else "",
            )
            if each
        )
        race = f"{stated.race}^{_RACES.get(stated.race, '')}^CDCREC" if stated.race else ""
        language = f"{stated.language}^{_LANGUAGES.get(stated.language, '')}^ISO639" if stated.language else ""
        died = f"|||||||{day(stated.deceased_on)}|Y" if stated.deceased_on else ""
        return (
            f"PID|1||{identifiers}||{_name(stated)}||{day(stated.birth_date)}|{_GENDERS[stated.gender]}||{race}|"
            f"{address(stated.address)}||{telecoms}||{language}|||",
            f"|{ssn}|||{_ETHNICITIES.get(stated.ethnicity, '')}{died}\r",
        )

    def _in1s(self, policies: list[Policy]) -> str:
        return "".join([self._in1(number, each) for number, each in enumerate(policies, 1)])

    def _in1(self, number: int, policy: Policy) -> str:
        payer = PAYERS[policy.payer]
        subscriber = self._truths.get(policy.subscriber_id)
        insured = f"{escaped(subscriber.family)}^{escaped(subscriber.given)}" if subscriber else ""
        born = day(subscriber.birth_date) if subscriber else ""
        ends = day(policy.ends) if policy.ends else ""
        return (
            f"IN1|{number}|{payer.key}^{escaped(payer.name)}^L|{payer.payer_id}|{escaped(payer.name)}|"
            f"{address(payer.address)}|||{policy.group_number}||||{day(policy.starts)}|{ends}||{payer.kind}|"
            f"{insured}|{_RELATIONSHIPS[policy.relationship]}|{born}||||{policy.rank}||||||||||||||{policy.member_id}\r"
        )


def policies_on(registration: Registration, on: date) -> list[Policy]:
    """Return the policies in force on a day, the primary one first."""
    found = [each for each in registration.policies if each.starts <= on and (each.ends is None or each.ends >= on)]
    return sorted(found, key=_RANK) if len(found) > 1 else found


def _identifiers(registration: Registration) -> str:
    return "~".join(f"{each.value}^^^{each.assigner}^{each.kind}" for each in registration.identifiers)


def _name(stated: Demographics) -> str:
    return f"{escaped(stated.family)}^{escaped(stated.given)}^{escaped(stated.middle)}^{escaped(stated.suffix)}^^^L"
