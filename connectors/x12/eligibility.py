"""Eligibility answers (271, 005010X279) as FHIR R4 CoverageEligibilityResponse, one per person asked about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from connectors.connector import Authority, Issue
from connectors.x12.code_systems import OWN_IDENTIFIER, coded
from connectors.x12.coverage import SELF, dependent_tail, member_key, relationship
from connectors.x12.elements import day, period
from connectors.x12.eligibility_benefits import InForce, benefit_items, in_force, insurance_type, plan_name
from connectors.x12.eligibility_refusals import Refusal, refusals
from connectors.x12.facts import FactSet
from connectors.x12.loops import Loop
from connectors.x12.parties import member_identifier, patient, payer, payer_id, provider
from hub_core.fhir.canonical import Json

ELIGIBILITY_TRACE = OWN_IDENTIFIER + "eligibility-trace"
"""System of the number under which a request was sent (TRN02)."""
_CLASS = "http://terminology.hl7.org/CodeSystem/coverage-class"
_NOBODY: Json = {"display": "nobody named"}


@dataclass(frozen=True, slots=True)
class _Payer:
    """Who answers, and what it says to every request of its 2000A."""

    reference: Json
    key: str
    number: str
    """BHT03 with the time of the answer: what the answers of a set are scoped to."""
    created: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who is asked about: the level (2000C or 2000D), the name in it, and the subscriber when somebody else."""

    level: Loop
    person: Loop
    subscriber: Loop | None = None


def read_eligibility(facts: FactSet, root: Loop, written_at: datetime | None) -> Iterator[Issue]:
    """Keep the answers of a set in `facts`; yield why a payer refused one, and what cannot be kept."""
    begin = root.segment("BHT")
    if written_at is None or begin is None:
        yield Issue("error", "required", "no date says when the answer was written", "BHT04, GS04")
        return
    created = written_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    for source in root.inside("2000A"):
        named = source.loop("2100A")
        if named is None or not payer_id(named.opener):
            yield Issue("error", "required", "the answer names no payer (2100A)", f"2000A {source.opener.place()}")
            continue
        number = f"{begin[3].strip()}|{created}"
        answering = _Payer(payer(facts, named), payer_id(named.opener), number, created)
        receivers = list(source.inside("2000B"))
        for receiver in receivers:
            yield from _read_receiver(facts, answering, receiver, [source, named])
        if not receivers:
            yield from _keep_nobody(facts, answering, source, [source, named], None)


def _read_receiver(facts: FactSet, answering: _Payer, receiver: Loop, above: list[Loop]) -> Iterator[Issue]:
    """Keep the answers to one provider, `above` being the loops in which a payer may have refused all of them."""
    named = receiver.loop("2100B")
    requestor = provider(facts, named) if named else None
    above = [*above, *([named] if named else [])]
    asked = [each for level in receiver.inside("2000C") for each in _asked(level)]
    for each in asked:
        found = refusals([*above, each.person, *each.person.inside("2110")])
        _keep(facts, answering, each, requestor, found)
        yield from (refusal.issue for refusal in found)
    if not asked:
        yield from _keep_nobody(facts, answering, receiver, above, requestor)


def _asked(level: Loop) -> Iterator[_Asked]:
    """Yield whom the answer in a 2000C is about: its dependents, and the subscriber when it says something of them."""
    person, dependents = level.loop("2100C"), list(level.inside("2000D"))
    if person is None:
        return
    if not dependents or level.segment("TRN") or person.segment("AAA") or person.loop("2110"):
        yield _Asked(level, person)
    for dependent in dependents:
        if named := dependent.loop("2100D"):
            yield _Asked(dependent, named, person)


def _keep_nobody(
    facts: FactSet, answering: _Payer, level: Loop, above: list[Loop], requestor: Json | None
) -> Iterator[Issue]:
    """Keep an answer that names no patient: the payer refused the request before it came to one."""
    found = refusals(above)
    if not found:
        yield Issue("error", "required", "the answer names nobody (2100C)", f"{level.name} {level.opener.place()}")
        return
    response = _response(answering, level, _NOBODY, requestor, found)
    facts.add(response, _answer_key(answering, level))
    yield from (refusal.issue for refusal in found)


def _keep(facts: FactSet, answering: _Payer, asked: _Asked, requestor: Json | None, found: list[Refusal]) -> None:
    """Keep what a payer says of one person; a refusal beside benefits is of one of them, and the rest is an answer."""
    state, items = in_force(asked.person), list(benefit_items(facts, asked.person))
    who, cover = _member(facts, answering, asked, state, is_refused=bool(found) and not items)
    insurance: Json = {"coverage": cover}
    if state is not InForce.UNSTATED:
        insurance["inforce"] = state is InForce.ACTIVE
    if bounds := _covered(asked.person):
        insurance["benefitPeriod"] = bounds
    if items:
        insurance["item"] = items
    response = _response(answering, asked.level, who, requestor, found) | _serviced(asked.person)
    if items and found:
        response["outcome"] = "partial"
    response.setdefault("disposition", state.value)
    facts.add(response | {"insurance": [insurance]}, _answer_key(answering, asked.level))


def _response(answering: _Payer, level: Loop, who: Json, requestor: Json | None, found: list[Refusal]) -> Json:
    trace = level.segment("TRN", "2") or level.segment("TRN")
    number = trace[2].strip() if trace else answering.number.partition("|")[0]
    resource: Json = {
        "resourceType": "CoverageEligibilityResponse",
        "status": "active",
        "purpose": ["benefits"],
        "patient": who,
        "created": answering.created,
        "request": {
            "type": "CoverageEligibilityRequest",
            "identifier": {"system": ELIGIBILITY_TRACE, "value": number or "not stated"},
        },
        "outcome": "error" if found else "complete",
        "insurer": answering.reference,
    }
    if requestor:
        resource["requestor"] = requestor
    if found:
        resource["disposition"] = "; ".join(refusal.words for refusal in found)
        resource["error"] = [refusal.error for refusal in found]
    return resource


def _answer_key(answering: _Payer, level: Loop) -> str:
    return f"{answering.key}|{answering.number}|{level.opener[1].strip()}"


def _member(facts: FactSet, answering: _Payer, asked: _Asked, state: InForce, *, is_refused: bool) -> tuple[Json, Json]:
    """Keep patient and coverage of one answer under the identifiers that claims give them.

    What a payer refuses is an echo of the request and only says that somebody asked; what it says of the coverage of
    its own member stands before what a claim assumes.
    """
    holder = asked.subscriber or asked.person
    member = holder.opener[9].strip()
    key = member_key(answering.key, member) if member else f"eligibility|{_answer_key(answering, asked.level)}"
    identifiers = [member_identifier(answering.key, member)] if member else []
    known = Authority.STUB if is_refused else Authority.MENTION
    subscriber = patient(facts, holder, key, identifiers, Authority.STUB if asked.subscriber else known)
    who, source_id, relation = subscriber, key, SELF
    if asked.subscriber:
        source_id = f"{key}|{dependent_tail(asked.person)}"
        who = patient(facts, asked.person, source_id, identifiers, known)
        terms = asked.person.segment("INS")
        relation = terms[2].strip() if terms else ""
    coverage: Json = {
        "resourceType": "Coverage",
        "status": "cancelled" if state is InForce.INACTIVE else "active",
        **insurance_type(asked.person),
        "subscriber": subscriber,
        **({"subscriberId": member} if member else {}),
        "beneficiary": who,
        "relationship": relationship(relation),
        **({"period": bounds} if (bounds := _covered(asked.person)) else {}),
        "payor": [answering.reference],
        **_classes(asked.person, holder),
    }
    authority = Authority.STUB if is_refused or state is InForce.UNSTATED else Authority.FULL
    return who, facts.add(coverage, source_id, authority)


def _classes(person: Loop, holder: Loop) -> Json:
    """Return group (REF*6P) and plan (EB05, REF*18) of a coverage."""
    rows: list[Json] = []
    group = person.segment("REF", "6P") or holder.segment("REF", "6P")
    if group and group[2].strip():
        name = {"name": group[3].strip()} if group[3].strip() else {}
        rows.append({"type": coded(_CLASS, "group"), "value": group[2].strip(), **name})
    number, plan = person.segment("REF", "18") or holder.segment("REF", "18"), plan_name(person)
    if value := (number[2].strip() if number else "") or plan:
        rows.append({"type": coded(_CLASS, "plan"), "value": value, **({"name": plan} if plan else {})})
    return {"class": rows} if rows else {}


def _serviced(person: Loop) -> Json:
    """Return the day asked about: DTP 472, or 291 and 307 where they are a day and not the time of the plan."""
    for segment in person.all("DTP", "472", "291", "307"):
        asked = period(segment[2], segment[3])
        if asked and segment[2] == "RD8" and segment[1] == "472":
            return {"servicedPeriod": asked}
        if asked and segment[2] != "RD8":
            return {"servicedDate": asked["start"]}
    return {}


def _covered(person: Loop) -> Json:
    """Return how long the plan covers: DTP 346 to 347, 356 to 357, or the range of 291 and 307."""
    for segment in person.all("DTP", "291", "307"):
        if segment[2] == "RD8" and (bounds := period("RD8", segment[3])):
            return bounds
    dates = {segment[1]: found for segment in person.all("DTP") if (found := day(segment[3]))}
    bounds = {"start": dates.get("346") or dates.get("356"), "end": dates.get("347") or dates.get("357")}
    return {name: value for name, value in bounds.items() if value}
