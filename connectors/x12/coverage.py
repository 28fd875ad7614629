"""The insurance a claim is sent to: subscriber, patient, payer and the Coverage between them."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.connector import Authority
from connectors.x12.code_systems import FILING_INDICATOR, OWN_EXTENSION, RELATIONSHIP, coded, element_system
from connectors.x12.facts import FactSet
from connectors.x12.loops import Loop
from connectors.x12.parties import folded, member_identifier, patient, payer, payer_id
from connectors.x12.transaction import Segment
from hub_core.fhir.canonical import Json

SELF, PRIMARY = "18", "P"
RESPONSIBILITY = OWN_EXTENSION + "payer-responsibility"
"""Extension of an insurance row: primary, secondary, tertiary (P, S, T), as SBR01 or CLP02 says."""
_RELATIONSHIPS = {"18": "self", "01": "spouse", "19": "child", "53": "common", "32": "parent", "33": "parent"}
"""Individual relationship codes (element 1069) that FHIR has a word for; all others are `other`."""
_ORDER = {"P": 1, "S": 2, "T": 3, "A": 4, "B": 5, "C": 6, "D": 7, "E": 8, "F": 9, "G": 10, "H": 11}
"""Payer responsibility sequence (SBR01)."""


@dataclass(frozen=True, slots=True)
class Insured:
    """Who the claims of one 2000B or 2000C are for, and who is asked to pay."""

    key: str
    """Business identifier of the patient."""
    patient: Json
    insurer: Json
    coverage: Json
    payer_key: str
    terms: Segment
    """SBR: how the payer asked stands to the patient and to other payers."""


def member_key(payer_key: str, member_id: str, *dependent: str) -> str:
    """Return the business identifier of a member: payer and member id, and first name and birth date of a dependent."""
    return "|".join(("member", payer_key, member_id, *dependent))


def insured(facts: FactSet, subscriber_loop: Loop, dependent_loop: Loop | None, claim_key: str) -> Insured | None:
    """Keep the people and the coverage of a 2000B (and 2000C); None if one of them is not named.

    A subscriber who is not the patient is only known to exist: the claim is not about them.

    Args:
        facts: where they are kept.
        subscriber_loop: the 2000B.
        dependent_loop: the 2000C when the patient is not the subscriber.
        claim_key: stands in for a member id that is not stated, so that two strangers never become one.
    """
    person, payer_loop = subscriber_loop.loop("2010BA"), subscriber_loop.loop("2010BB")
    terms = subscriber_loop.segment("SBR")
    dependent = dependent_loop.loop("2010CA") if dependent_loop else None
    if person is None or payer_loop is None or terms is None or (dependent_loop and not dependent):
        return None
    payer_key = payer_id(payer_loop.opener)
    if not payer_key:
        return None
    member_id = person.opener[9].strip()
    key = member_key(payer_key, member_id) if member_id else f"claim|{claim_key}"
    identifiers = [member_identifier(payer_key, member_id)] if member_id else []
    known = Authority.STUB if dependent else Authority.MENTION
    subscriber = patient(facts, person, key, identifiers, known)
    who, relation, tail = subscriber, SELF, ""
    if dependent_loop and dependent:
        tail = dependent_tail(dependent)
        who = patient(facts, dependent, f"{key}|{tail}", identifiers)
        pat = dependent_loop.segment("PAT")
        relation = pat[1].strip() if pat else ""
    insurer = payer(facts, payer_loop)
    coverage = _coverage(terms, who, subscriber, insurer, relation, member_id)
    source_id = "|".join(part for part in (key, tail) if part)
    reference = facts.add(coverage, source_id, Authority.MENTION)
    return Insured(source_id, who, insurer, reference, payer_key, terms)


def order_of(terms: Segment) -> int:
    """Return the place of a payer in the order of payment (SBR01); unknown payers come last."""
    return _ORDER.get(terms[1].strip(), 12)


def responsibility(terms: Segment) -> list[Json]:
    """Return when a payer is asked (SBR01) as an extension of its insurance row; none when it is not stated."""
    code = terms[1].strip()
    return [{"url": RESPONSIBILITY, "valueCode": code}] if code else []


def filing_indicator(terms: Segment) -> Json:
    """Return the kind of insurance (SBR09) as `Coverage.type`, empty when it is not stated."""
    code = terms[9].strip()
    return {"type": coded(element_system(FILING_INDICATOR), code)} if code else {}


def relationship(code: str) -> Json:
    """Return the patient's relationship to the subscriber, in FHIR's word and X12's code."""
    word = _RELATIONSHIPS.get(code, "other")
    codings = [{"system": "http://terminology.hl7.org/CodeSystem/subscriber-relationship", "code": word}]
    if code:
        codings.append({"system": element_system(RELATIONSHIP), "code": code})
    return {"coding": codings}


def dependent_tail(dependent: Loop) -> str:
    """Return what tells a dependent from the others of a member id: first name and birth date."""
    birth = dependent.segment("DMG")
    return f"{folded(dependent.opener[4])}|{birth[2].strip() if birth else ''}"


def _coverage(terms: Segment, who: Json, subscriber: Json, insurer: Json, relation: str, member_id: str) -> Json:
    resource: Json = {"resourceType": "Coverage", "status": "active", **filing_indicator(terms)}
    resource["subscriber"] = subscriber
    if member_id:
        resource["subscriberId"] = member_id
    resource |= {"beneficiary": who, "relationship": relationship(relation), "payor": [insurer]}
    group = terms[3].strip()
    if group:
        name = {"name": terms[4].strip()} if terms[4].strip() else {}
        kind = coded("http://terminology.hl7.org/CodeSystem/coverage-class", "group")
        resource["class"] = [{"type": kind, "value": group, **name}]
    return resource | {"order": order_of(terms)}
