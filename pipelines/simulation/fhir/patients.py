"""Patients as cardiology knows them, version by version, and their cover."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipelines.simulation.fhir.parties import ORGANIZATION, postal
from pipelines.simulation.fhir.writing import PRACTICE, Content, Version, identifier, reference, term
from pipelines.simulation.group import PAYERS
from pipelines.simulation.world import Chapter, Demographics, Policy, Registration

_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_CDC = "urn:oid:2.16.840.1.113883.6.238"
_SSN = "http://hl7.org/fhir/sid/us-ssn"
_DISPLAYS = {
    "1002-5": "American Indian or Alaska Native",
    "2028-9": "Asian",
    "2054-5": "Black or African American",
    "2076-8": "Native Hawaiian or Other Pacific Islander",
    "2106-3": "White",
    "2135-2": "Hispanic or Latino",
    "2186-5": "Not Hispanic or Latino",
}


def patients(chapter: Chapter) -> Iterator[list[Version]]:
    """Yield the versions of each patient and each cover at cardiology."""
    registrations = [each for each in chapter.registrations.values() if each.site == PRACTICE.site]
    replaced: dict[str, list[Registration]] = {}
    for each in registrations:
        if each.merged_into:
            replaced.setdefault(each.merged_into, []).append(each)
    for registration in registrations:
        yield _versions(registration, replaced.get(registration.registration_id, []))
        for policy in registration.policies:
            yield [_coverage(registration, policy)]


def _versions(registration: Registration, replaced: list[Registration]) -> list[Version]:
    key = registration.registration_id
    moments = {since for since, _ in registration.stated}
    moments |= {each.merged_at for each in (registration, *replaced) if each.merged_at}
    return [Version(at, "Patient", key, _patient(registration, replaced, at)) for at in sorted(moments)]


def _patient(registration: Registration, replaced: list[Registration], at: datetime) -> Content:
    stated = registration.as_of(at)
    links = [
        {"other": reference("Patient", each.registration_id), "type": "replaces"}
        for each in replaced
        if each.merged_at and each.merged_at <= at
    ]
    is_merged = bool(registration.merged_into and registration.merged_at and registration.merged_at <= at)
    if is_merged:
        links.append({"other": reference("Patient", str(registration.merged_into)), "type": "replaced-by"})
    content: Content = {
        "extension": _extensions(stated),
        "identifier": [
            *(identifier(each) for each in registration.identifiers),
            *([{"type": term("v2-0203", "SS"), "system": _SSN, "value": stated.ssn}] if stated.ssn else []),
        ],
        "active": not is_merged,
        "name": [_name(stated)],
        "telecom": _telecom(stated),
        "gender": stated.gender,
        "birthDate": stated.birth_date.isoformat(),
        "address": [{"use": "home", **postal(stated.address)}],
        "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": stated.language}]}}]
        if stated.language
        else [],
        "managingOrganization": reference("Organization", ORGANIZATION, PRACTICE.name),
        "link": links,
    }
    if stated.deceased_on:
        content["deceasedDateTime"] = stated.deceased_on.isoformat()
    return {name: value for name, value in content.items() if value != []}


def _extensions(stated: Demographics) -> list[Content]:
    return [
        {
            "url": f"{_US_CORE}{kind}",
            "extension": [
                {"url": "ombCategory", "valueCoding": {"system": _CDC, "code": code, "display": _DISPLAYS[code]}},
                {"url": "text", "valueString": _DISPLAYS[code]},
            ],
        }
        for kind, code in (("race", stated.race), ("ethnicity", stated.ethnicity))
        if code in _DISPLAYS
    ]


def _name(stated: Demographics) -> Content:
    given = [each for each in (stated.given, stated.middle) if each]
    name: Content = {"use": "official", "family": stated.family}
    if given:
        name["given"] = given
    if stated.suffix:
        name["suffix"] = [stated.suffix]
    return name


def _telecom(stated: Demographics) -> list[Content]:
    found = (("phone", stated.phone), ("email", stated.email))
    return [{"system": system, "value": value, "use": "home"} for system, value in found if value]


def _coverage(registration: Registration, policy: Policy) -> Version:
    payer = PAYERS[policy.payer]
    period = {"start": policy.starts.isoformat()}
    if policy.ends:
        period["end"] = policy.ends.isoformat()
    content: Content = {
        "identifier": [
            {"type": term("v2-0203", "MB"), "system": f"urn:id:{payer.payer_id}", "value": policy.member_id}
        ],
        "status": "active",
        "subscriberId": policy.member_id,
        "beneficiary": reference("Patient", registration.registration_id),
        "relationship": term("subscriber-relationship", policy.relationship),
        "period": period,
        "payor": [reference("Organization", payer.key, payer.name)],
        "order": policy.rank,
    }
    if policy.group_number:
        content["class"] = [{"type": term("coverage-class", "group"), "value": policy.group_number}]
    since = registration.stated[0][0]
    return Version(since, "Coverage", f"{registration.registration_id}.{policy.policy_id}", content)
