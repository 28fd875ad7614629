"""Professional claims (837P, 005010X222) as FHIR R4 Claim, one per CLM, with everyone and everything they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from connectors.connector import Issue
from connectors.x12.balance import claim_balance
from connectors.x12.claim_details import care_team, dates, diagnoses, facility, frequency, information
from connectors.x12.claim_lines import items
from connectors.x12.code_systems import OWN_IDENTIFIER, PAYER_CONTROL_NUMBER, coded
from connectors.x12.coverage import PRIMARY, Insured, insured, order_of, responsibility
from connectors.x12.elements import money, required_amount
from connectors.x12.facts import FactSet
from connectors.x12.loops import Loop
from connectors.x12.other_payers import other_insurance
from connectors.x12.parties import business_id, provider
from connectors.x12.service import service_issues
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json
from hub_core.fhir.systems import CLAIM_TYPE, IDENTIFIER_TYPE, PATIENT_CONTROL_NUMBER, PROCESS_PRIORITY

_PRIOR = coded("http://terminology.hl7.org/CodeSystem/ex-relatedclaimrelationship", "prior")
_CLEARINGHOUSE_TRACE = OWN_IDENTIFIER + "clearinghouse-trace"


@dataclass(frozen=True, slots=True)
class _Billing:
    """The 2000A that claims stand in."""

    reference: Json
    key: str
    """What claim numbers are scoped to."""
    loop: Loop


def read_claims(facts: FactSet, root: Loop, written_at: datetime | None) -> Iterator[Issue]:
    """Keep the claims of a set in `facts`; yield why one could not be kept.

    Both branches of the hierarchy are read: claims of a subscriber who is the patient stand in 2000B, those of a
    dependent in 2000C.
    """
    if written_at is None:
        yield Issue("error", "required", "no date says when the claims were written", "BHT04, GS04")
        return
    created = written_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    for billing_loop in root.inside("2000A"):
        billing = _billing(facts, billing_loop)
        for subscriber in billing_loop.inside("2000B"):
            for holder in (subscriber, *subscriber.inside("2000C")):
                dependent = holder if holder.name == "2000C" else None
                for claim in holder.inside("2300"):
                    yield from _keep(facts, claim, billing, subscriber, dependent, created)


def account_key(billing_key: str, claim: Loop) -> str:
    """Return what all claims of one account share: provider, patient control number (CLM01), frequency (CLM05-3)."""
    return f"{billing_key}|{claim.opener[1].strip()}|{frequency(claim.opener)}"


def claim_key(account: str, cover: Insured) -> str:
    """Return the business identifier of a claim: its account, and the payer unless it is the primary.

    A claim to the secondary payer repeats the number of the claim to the primary and is another claim.
    """
    code = cover.terms[1].strip()
    return account if code in ("", PRIMARY) else f"{account}|{code}|{cover.payer_key}"


def billing_key(billing_loop: Loop) -> str:
    """Return what the claim numbers of a 2000A are scoped to, empty if it names no provider."""
    named = billing_loop.loop("2010AA")
    return business_id(named.opener) if named else ""


def _billing(facts: FactSet, loop: Loop) -> _Billing | None:
    named = loop.loop("2010AA")
    reference = provider(facts, named) if named else None
    return _Billing(reference, billing_key(loop), loop) if reference else None


def _keep(
    facts: FactSet, claim: Loop, billing: _Billing | None, subscriber: Loop, dependent: Loop | None, created: str
) -> Iterator[Issue]:
    place = f"2300 {claim.opener.place()}"
    if billing is None:
        yield Issue("error", "required", "the claim has no billing provider (2010AA)", place)
        return
    if not claim.opener[1].strip():
        yield Issue("error", "required", "the claim has no patient control number", f"2300 {claim.opener.place(1)}")
        return
    account = account_key(billing.key, claim)
    cover = insured(facts, subscriber, dependent, account)
    if cover is None:
        yield Issue(
            "error", "required", "the claim lacks subscriber (2010BA), SBR, payer (2010BB) or dependent (2010CA)", place
        )
        return
    try:
        resource = _claim(facts, claim, billing, cover, created)
    except UnreadableError as error:
        yield Issue("error", error.code, error.text, f"2300 {error.location or claim.opener.place()}")
        return
    key = claim_key(account, cover)
    first = facts.find("Claim", key)
    if first is None:
        facts.add(resource, key)
    else:
        yield Issue("warning", "duplicate", "the set holds this claim number more than once", place)
        if first != {**resource, "id": first["id"]}:
            facts.add_repeated(resource, key)
    yield from service_issues(claim.inside("2400"), "SV1", "2400")
    yield from claim_balance(claim)


def _claim(facts: FactSet, claim: Loop, billing: _Billing, cover: Insured, created: str) -> Json:
    opener = claim.opener
    total = required_amount(claim.opener, 2)
    resource: Json = {
        "resourceType": "Claim",
        "identifier": list(_identifiers(claim)),
        "status": "active",
        "type": coded(CLAIM_TYPE, "professional"),
        "use": "predetermination" if opener[19].strip() == "PB" else "claim",
        "patient": cover.patient,
        **dates(claim),
        "created": created,
        "insurer": cover.insurer,
        "provider": billing.reference,
        "priority": coded(PROCESS_PRIORITY, "normal"),
    }
    resource |= _related(claim)
    team, sequence_of = care_team(facts, claim, billing.loop, billing.reference)
    resource |= {"careTeam": team} | information(claim) | diagnoses(claim)
    diagnosed = frozenset(each["sequence"] for each in resource.get("diagnosis", ()))
    resource["insurance"] = _insurance(facts, claim, cover)
    resource |= facility(claim)
    resource["item"] = list(items(facts, claim, team, sequence_of, diagnosed))
    resource["total"] = money(total)
    return {key: value for key, value in resource.items() if value not in ([], None)}


def _identifiers(claim: Loop) -> Iterator[Json]:
    """Yield the provider's number of the claim (CLM01) and the clearinghouse's (REF*D9)."""
    number = claim.opener[1].strip()
    yield {"type": coded(IDENTIFIER_TYPE, "AN"), "system": PATIENT_CONTROL_NUMBER, "value": number}
    for reference in claim.all("REF", "D9"):
        if value := reference[2].strip():
            yield {"system": _CLEARINGHOUSE_TRACE, "value": value}


def _related(claim: Loop) -> Json:
    """Return the claim this one replaces or voids, by the payer's number of it (REF*F8)."""
    original = claim.segment("REF", "F8")
    number = original[2].strip() if original else ""
    if not number:
        return {}
    identifier = {"system": PAYER_CONTROL_NUMBER, "value": number}
    return {"related": [{"claim": {"identifier": identifier}, "relationship": _PRIOR, "reference": identifier}]}


def _insurance(facts: FactSet, claim: Loop, cover: Insured) -> list[Json]:
    """Return the payer asked now and the other payers of 2320, in the order they pay."""
    stated = responsibility(cover.terms)
    asked: Json = {"extension": stated} if stated else {}
    asked |= {"sequence": order_of(cover.terms), "focal": True, "coverage": cover.coverage}
    authorisation = [ref[2].strip() for ref in claim.all("REF", "G1") if ref[2].strip()]
    if authorisation:
        asked["preAuthRef"] = authorisation
    others = [other_insurance(facts, other, cover) for other in claim.inside("2320")]
    lined_up = sorted(
        [asked, *(other for other in others if other)], key=lambda row: (row["sequence"], not row["focal"])
    )
    return [row | {"sequence": place} for place, row in enumerate(lined_up, 1)]
