"""How X12 names people, payers and clinicians."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from pipelines.simulation.group import CLINICIANS, PAYERS
from pipelines.simulation.money import Claim
from pipelines.simulation.world import Address, Chapter, Demographics, Policy, Registration
from pipelines.simulation.x12.writing import day, text

SELF = "18"
RELATIONSHIPS = {"self": SELF, "spouse": "01", "child": "19"}
_GENDERS = {"female": "F", "male": "M", "unknown": "U"}


class Holders:
    """Who holds the policies that the patients of a chapter are covered by."""

    def __init__(self, chapter: Chapter) -> None:
        self._truths = {person.person_id: person.truth for person in chapter.persons}

    def of(self, policy: Policy, registration: Registration, patient: Demographics) -> Demographics:
        """Return the holder of a policy: the patient, or somebody of the family."""
        if policy.subscriber_id == registration.person_id:
            return patient
        return self._truths.get(policy.subscriber_id, patient)


def billed(registration: Registration, claim: Claim) -> Demographics:
    """Return the patient as claims and answers name them: as known on the day of service, under the last family name.

    The biller keeps one family name of a patient and corrects it everywhere.
    """
    known = registration.as_of(claim.named_as_of)
    last = registration.stated[-1][1].family
    return known if known.family == last else replace(known, family=last)


def is_holder(policy: Policy, registration: Registration) -> bool:
    """Return whether the patient holds the policy."""
    return policy.subscriber_id == registration.person_id


def relationship(policy: Policy, registration: Registration) -> str:
    """Return the individual relationship code (1069) of a patient to the holder of the policy."""
    return SELF if is_holder(policy, registration) else RELATIONSHIPS.get(policy.relationship, "G8")


def person(entity: str, who: Demographics, member_id: str = "") -> str:
    """Return the NM1 of a person."""
    name = _name(who.family, who.given, who.middle, who.suffix)
    if member_id:
        return f"NM1*{entity}*1*{name}*MI*{text(member_id)}"
    return f"NM1*{entity}*1*{name}".rstrip("*")


@lru_cache(maxsize=8192)
def _name(family: str, given: str, middle: str, suffix: str) -> str:
    return f"{text(family)}*{text(given)}*{text(middle)}**{text(suffix)}"


@lru_cache(maxsize=8192)
def address(of: Address) -> tuple[str, str]:
    """Return N3 and N4 of an address."""
    return f"N3*{text(of.line)}", f"N4*{text(of.city)}*{text(of.state)}*{of.postal_code.replace('-', '')}"


def birth(who: Demographics) -> str:
    """Return the DMG of a person."""
    return f"DMG*D8*{day(who.birth_date)}*{_GENDERS[who.gender]}"


@lru_cache(maxsize=64)
def payer(entity_segment: str, key: str) -> str:
    """Return how a payer is named: the NM1 of claims and eligibility, or the N1 of a remittance.

    By its own spelling, in the extended character set, as payers and practices agree on.
    """
    known = PAYERS[key]
    if entity_segment == "N1":
        return f"N1*PR*{known.name}*XV*{known.payer_id}"
    return f"NM1*PR*2*{known.name}*****PI*{known.payer_id}"


@lru_cache(maxsize=64)
def rendering(key: str) -> str:
    """Return the NM1 of the clinician who gave the care."""
    clinician = CLINICIANS[key]
    return f"NM1*82*1*{text(clinician.family)}*{text(clinician.given)}****XX*{clinician.npi}"


def procedure(code: str, modifier: str) -> str:
    """Return the composite of a procedure (SV101, SVC01, SVD03)."""
    return f"HC:{code}:{modifier}" if modifier else f"HC:{code}"
