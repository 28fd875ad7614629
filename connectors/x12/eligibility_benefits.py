"""What a plan grants, as an eligibility answer says it (2110 EB): in force or not, and an item for each statement."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from connectors.x12.code_systems import OWN_EXTENSION, coded, element_system
from connectors.x12.elements import money, number
from connectors.x12.facts import FactSet
from connectors.x12.loops import Loop
from connectors.x12.parties import payer, provider
from connectors.x12.service import service_of
from connectors.x12.transaction import Segment
from hub_core.fhir.canonical import Json

ELIGIBILITY_INFORMATION = OWN_EXTENSION + "eligibility-information"
"""Extension of an item: what kind of statement it is (EB01)."""
RELATED_ENTITY = OWN_EXTENSION + "related-entity"
"""Extension of an item: somebody it concerns (2120), such as another payer or the primary care provider."""
_INFORMATION, _SERVICE_TYPE, _LEVEL, _INSURANCE_TYPE = "1390", "1365", "1207", "1336"
_TIME, _QUANTITY = "615", "673"
_ACTIVE, _INACTIVE = frozenset("12345"), frozenset("678")
_NOT_COVERED = "I"
_PAYERS = frozenset({"PR", "PRP", "SEP", "TTP"})
_HL7 = "http://terminology.hl7.org/CodeSystem/benefit-"
_KINDS = {"A": "copay-percent", "B": "copay", "C": "deductible", "G": "copay-maximum"}
_UNITS = {"IND": "individual", "FAM": "family"}
_TERMS = {"7": "day", "22": "annual", "23": "annual", "25": "annual", "32": "lifetime", "33": "lifetime"}
_NETWORKS = {"Y": "in", "N": "out"}
_LARGEST_INTEGER = 2**31


class InForce(Enum):
    """Whether a payer says that the coverage holds, in our words."""

    ACTIVE = "active coverage"
    INACTIVE = "no active coverage"
    UNSTATED = "coverage not stated"


def in_force(person: Loop) -> InForce:
    """Return whether the coverage holds: active where any statement says so (EB01 1 to 5), inactive by 6 to 8."""
    stated = {benefit.opener[1].strip() for benefit in person.inside("2110")}
    if stated & _ACTIVE:
        return InForce.ACTIVE
    return InForce.INACTIVE if stated & _INACTIVE else InForce.UNSTATED


def plan_name(person: Loop) -> str:
    """Return the name of the plan: that of the statement that the coverage is active, else the first one (EB05)."""
    named = [benefit.opener for benefit in person.inside("2110") if benefit.opener[5].strip()]
    active = [opener for opener in named if opener[1].strip() in _ACTIVE]
    return next((opener[5].strip() for opener in (*active, *named)), "")


def insurance_type(person: Loop) -> Json:
    """Return the kind of insurance (EB04) as `Coverage.type`, empty when it is not stated."""
    stated = next((code for benefit in person.inside("2110") if (code := benefit.opener[4].strip())), "")
    return {"type": coded(element_system(_INSURANCE_TYPE), stated)} if stated else {}


def benefit_items(facts: FactSet, person: Loop) -> Iterator[Json]:
    """Yield an item for each statement (EB), those that the coverage is active first."""
    benefits = sorted(person.inside("2110"), key=lambda benefit: benefit.opener[1].strip() not in _ACTIVE)
    for benefit in benefits:
        opener = benefit.opener
        item: Json = {"extension": list(_extensions(facts, benefit))} | _category(opener)
        if opener[13].strip():
            item |= service_of(opener, 13)
        if opener[1].strip() == _NOT_COVERED:
            item["excluded"] = True
        if name := opener[5].strip():
            item["name"] = name
        if said := " ".join(text for segment in benefit.all("MSG") if (text := segment[1].strip())):
            item["description"] = said
        item |= _scope(opener)
        if amounts := list(_amounts(opener)):
            item["benefit"] = amounts
        if opener[11].strip() in ("Y", "N"):
            item["authorizationRequired"] = opener[11].strip() == "Y"
        yield item


def _extensions(facts: FactSet, benefit: Loop) -> Iterator[Json]:
    information = {"system": element_system(_INFORMATION), "code": benefit.opener[1].strip() or "not stated"}
    yield {"url": ELIGIBILITY_INFORMATION, "valueCoding": information}
    for holder in (benefit, *benefit.inside("2115")):
        for named in holder.inside("2120"):
            is_payer = named.opener[1].strip() in _PAYERS and bool(named.opener[3].strip() or named.opener[9].strip())
            reference = payer(facts, named) if is_payer else provider(facts, named)
            if reference:
                yield {"url": RELATED_ENTITY, "valueReference": reference}


def _category(opener: Segment) -> Json:
    """Return the service types (EB03, repeated) as one category."""
    codes = [code.strip() for code in opener[3].split(opener.delimiters.repetition or "^") if code.strip()]
    system = element_system(_SERVICE_TYPE)
    return {"category": {"coding": [{"system": system, "code": code} for code in codes]}} if codes else {}


def _scope(opener: Segment) -> Json:
    """Return in or out of network (EB12), for whom (EB02) and for how long (EB06)."""
    scope: Json = {}
    if network := _NETWORKS.get(opener[12].strip()):
        scope["network"] = coded(_HL7 + "network", network)
    for name, code, words, element in (
        ("unit", opener[2].strip(), _UNITS, _LEVEL),
        ("term", opener[6].strip(), _TERMS, _TIME),
    ):
        if code:
            known = [{"system": _HL7 + name, "code": words[code]}] if code in words else []
            scope[name] = {"coding": [*known, {"system": element_system(element), "code": code}]}
    return scope


def _amounts(opener: Segment) -> Iterator[Json]:
    """Yield what is granted or owed: an amount of money (EB07), a share (EB08), a count (EB10 of EB09)."""
    kind = {"system": _HL7 + "type", "code": _KINDS.get(opener[1].strip(), "benefit")}
    if (value := number(opener[7])) is not None:
        yield {"type": {"coding": [kind]}, "allowedMoney": money(value)}
    if (share := number(opener[8])) is not None:
        yield {"type": {"coding": [kind]}, "allowedString": str(share)}
    if (count := number(opener[10])) is not None:
        measure = opener[9].strip()
        codings = [kind, *([{"system": element_system(_QUANTITY), "code": measure}] if measure else [])]
        is_whole = count == count.to_integral_value() and 0 <= count < _LARGEST_INTEGER
        allowed: Json = {"allowedUnsignedInt": int(count)} if is_whole else {"allowedString": str(count)}
        yield {"type": {"coding": codings}, **allowed}
