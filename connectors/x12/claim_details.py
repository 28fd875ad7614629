"""What a claim says once for all its lines: dates, diagnoses, who took part, where, and facts that support it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.x12.code_systems import (
    CLAIM_FREQUENCY,
    ENTITY,
    OWN_INFORMATION,
    coded,
    diagnosis,
    element_system,
    is_diagnosis,
)
from connectors.x12.elements import day, period
from connectors.x12.parties import address_of, provider
from hub_core.fhir.systems import NPI, PLACE_OF_SERVICE, PROVIDER_TAXONOMY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.x12.facts import FactSet
    from connectors.x12.loops import Loop
    from connectors.x12.transaction import Segment
    from hub_core.fhir.canonical import Json

ORIGINAL = "1"
_ROLE_SYSTEM = "http://terminology.hl7.org/CodeSystem/claimcareteamrole"
_ROLES = {
    "85": ("primary", "billing"), "82": ("primary", "rendering"), "DN": ("other", "referring"),
    "P3": ("other", "primary care"), "DQ": ("supervisor", "supervising"), "DK": ("other", "ordering"),
    "QB": ("other", "purchased service"),
}  # fmt: skip
"""Entity identifier codes of NM101 to FHIR's role and our word for what it means."""
_INFORMATION_DATES = {
    "431": "onset of current illness", "454": "initial treatment", "304": "last seen", "453": "acute manifestation",
    "439": "accident", "484": "last menstrual period", "455": "last x-ray", "435": "admission", "096": "discharge",
    "360": "disability begins", "361": "disability ends", "297": "last worked", "296": "return to work",
}  # fmt: skip
"""Date qualifiers of 2300 DTP that support the claim, with our words for them."""

_INFORMATION_NUMBERS = {"9F": "referral-number", "EA": "medical-record-number", "X4": "laboratory-number"}
"""Reference qualifiers of 2300 REF that support the claim."""


def frequency(opener: Segment) -> str:
    """Return the claim frequency (CLM05-3): 1 original, 7 replacement, 8 void; original when it is not stated."""
    facility_code = opener.components(5)
    return facility_code[2].strip() if len(facility_code) > 2 and facility_code[2].strip() else ORIGINAL


def place_of_service(code: str) -> Json:
    """Return a place of service code (CLM05-1, SV105)."""
    return coded(PLACE_OF_SERVICE, code)


def service_dates(loop: Loop) -> Json:
    """Return the period that the 472 dates of `loop` cover, empty without them."""
    served = loop.segment("DTP", "472")
    return period(served[2], served[3]) if served else {}


def dates(claim: Loop) -> Json:
    """Return the billable period: from the first day of service of any line to the last."""
    periods = [service_dates(line) for line in claim.inside("2400")]
    starts = [each["start"] for each in periods if "start" in each]
    ends = [each["end"] for each in periods if "end" in each]
    return {"billablePeriod": {"start": min(starts), "end": max(ends)}} if starts and ends else {}


def diagnoses(claim: Loop) -> Json:
    """Return the diagnoses of the HI segments, each under the number that the pointers of the lines (SV107) count."""
    found: list[Json] = []
    counted = 0
    for segment in claim.all("HI"):
        if not is_diagnosis(segment.components(1)[0].strip()):
            continue  # condition codes and anaesthesia procedures also come in HI
        for number in range(1, len(segment.elements)):
            counted += 1
            qualifier, code, *_ = (*segment.components(number), "", "")
            if concept := diagnosis(qualifier.strip(), code.strip()):
                found.append({"sequence": counted, "diagnosisCodeableConcept": concept})
    return {"diagnosis": found} if found else {}


def care_team(facts: FactSet, claim: Loop, billing: Loop, billing_provider: Json) -> tuple[list[Json], dict[str, int]]:
    """Return who took part, and for each the sequence number by role and reference.

    Rendering is the billing provider when 2310B is absent (005010X222 section 1.10: required when different).
    """
    team: list[Json] = []
    sequence_of: dict[str, int] = {}
    loops = list(claim.inside("2310A", "2310B", "2310D"))
    if not any(loop.name == "2310B" for loop in loops):
        join(team, sequence_of, billing_provider, "85", billing.segment("PRV"))
    for loop in loops:
        if reference := provider(facts, loop):
            join(team, sequence_of, reference, loop.opener[1].strip(), loop.segment("PRV"))
    return team, sequence_of


def join(
    team: list[Json], sequence_of: dict[str, int], reference: Json, entity: str, taxonomy: Segment | None = None
) -> int:
    """Put a provider into the care team unless there in that role; return the sequence number."""
    role, word = _ROLES.get(entity, ("other", "other"))
    key = f"{word} {reference['reference']}"
    if key not in sequence_of:
        sequence_of[key] = len(team) + 1
        codings = [{"system": _ROLE_SYSTEM, "code": role}, {"system": element_system(ENTITY), "code": entity}]
        member: Json = {
            "sequence": len(team) + 1,
            "provider": reference,
            "responsible": word in ("rendering", "billing"),
            "role": {"coding": codings, "text": word},
        }
        if taxonomy and taxonomy[2].strip() == "PXC" and taxonomy[3].strip():
            member["qualification"] = coded(PROVIDER_TAXONOMY, taxonomy[3].strip())
        team.append(member)
    return sequence_of[key]


def facility(claim: Loop) -> Json:
    """Return where the service was given (2310C), by name and NPI."""
    where = claim.loop("2310C")
    if where is None:
        return {}
    segment = where.opener
    reference: Json = {}
    if segment[9].strip():
        system = {"system": NPI} if segment[8].strip() == "XX" else {}
        reference["identifier"] = system | {"value": segment[9].strip()}
    name = segment[3].strip() or (address_of(where) or {}).get("city", "")
    if name:
        reference["display"] = name
    return {"facility": reference} if reference else {}


def information(claim: Loop) -> Json:
    """Return the supporting facts: frequency, place of service, dates, referral number, note."""
    rows = [{"sequence": place, **row} for place, row in enumerate(_information(claim), 1)]
    return {"supportingInfo": rows}


def _information(claim: Loop) -> Iterator[Json]:
    opener = claim.opener
    yield _fact("frequency") | {"code": coded(element_system(CLAIM_FREQUENCY), frequency(opener))}
    if code := opener.components(5)[0].strip():
        yield _fact("place-of-service") | {"code": place_of_service(code)}
    for segment in claim.all("DTP", *_INFORMATION_DATES):
        if when := day(segment[3]):
            yield _fact("date", _INFORMATION_DATES[segment[1]]) | {"timingDate": when}
    for segment in claim.all("REF", *_INFORMATION_NUMBERS):
        if value := segment[2].strip():
            yield _fact(_INFORMATION_NUMBERS[segment[1]]) | {"valueString": value}
    for segment in claim.all("NTE"):
        if text := segment[2].strip():
            yield _fact("note") | {"valueString": text}


def _fact(kind: str, text: str | None = None) -> Json:
    return {"category": coded(OWN_INFORMATION, kind, text)}
