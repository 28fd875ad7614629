"""Who a claim speaks of: payers, providers and patients, from NM1 and N1 and the segments that follow them."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.connector import Authority
from connectors.x12.code_systems import OWN_IDENTIFIER, coded
from connectors.x12.elements import day
from connectors.x12.facts import FactSet
from connectors.x12.loops import Loop
from connectors.x12.transaction import Segment
from hub_core.fhir.canonical import Json
from hub_core.fhir.systems import EIN, IDENTIFIER_TYPE, NPI, ORGANIZATION_TYPE, PROVIDER_TAXONOMY, SSN

_GENDERS = {"F": "female", "M": "male", "U": "unknown"}
_TELECOMS = {"TE": "phone", "FX": "fax", "EM": "email", "UR": "url"}
_TAX_QUALIFIERS = {"EI": EIN, "TJ": EIN, "FI": EIN, "24": EIN, "SY": SSN, "34": SSN}


def folded(name: str) -> str:
    """Return a name as identifiers use it: lower case, single spaces."""
    return " ".join(name.lower().split())


def person_name(segment: Segment) -> list[Json]:
    """Return the HumanName of an NM1 of a person; empty when it has none."""
    given = [part for part in (segment[4].strip(), segment[5].strip()) if part]
    name: Json = {"family": segment[3].strip(), "given": given}
    name["prefix"] = [segment[6].strip()] if segment[6].strip() else []
    name["suffix"] = [segment[7].strip()] if segment[7].strip() else []
    kept = {key: value for key, value in name.items() if value}
    return [kept] if kept else []


def payer_id(segment: Segment) -> str:
    """Return the payer's identifier of a 2010BB or 2330B, its folded name if it states none."""
    return segment[9].strip() or folded(segment[3])


def payer(facts: FactSet, loop: Loop) -> Json:
    """Keep the payer an NM1*PR loop names; return the reference."""
    return named_payer(facts, loop, loop.opener[3].strip(), loop.opener[9].strip())


def named_payer(facts: FactSet, loop: Loop, name: str, stated: str) -> Json:
    """Keep a payer by its identifier, by its name when none is stated; return the reference."""
    resource: Json = {"resourceType": "Organization"}
    if stated:
        resource["identifier"] = [{"system": OWN_IDENTIFIER + "payer-id", "value": stated}]
    resource |= {"active": True, "type": [_organization_type("pay")], "name": name or stated or "payer"}
    resource |= _address(loop)
    return facts.add(resource, f"payer|{stated}" if stated else f"name|{folded(name)}", Authority.MENTION)


def payee(facts: FactSet, loop: Loop) -> Json:
    """Keep the provider an N1*PE loop names as the one who is paid; return the reference."""
    segment = loop.opener
    return _organization(facts, loop, segment[2].strip(), segment[3].strip(), segment[4].strip())


def provider(facts: FactSet, loop: Loop) -> Json | None:
    """Keep the person or organisation of a provider loop; return the reference, None when the loop names nobody."""
    segment = loop.opener
    if not (segment[9].strip() or segment[3].strip()):
        return None
    if segment[2].strip() == "2":
        return _organization(facts, loop, segment[3].strip(), segment[8].strip(), segment[9].strip())
    resource: Json = {"resourceType": "Practitioner"}
    identifiers = list(_provider_identifiers(loop, segment[8].strip(), segment[9].strip()))
    if identifiers:
        resource["identifier"] = identifiers
    resource |= {"active": True, "name": person_name(segment)} if person_name(segment) else {"active": True}
    taxonomy = loop.segment("PRV")
    if taxonomy and taxonomy[2] == "PXC" and taxonomy[3].strip():
        resource["qualification"] = [{"code": coded(PROVIDER_TAXONOMY, taxonomy[3].strip())}]
    return facts.add(resource, _practitioner_id(segment), Authority.MENTION)


def business_id(segment: Segment) -> str:
    """Return what a claim number of this provider is scoped to: the NPI, else another identifier, else the name."""
    return segment[9].strip() or folded(segment[3])


def address_of(loop: Loop) -> Json | None:
    """Return the Address of the N3 and N4 in `loop`, None without them."""
    street, place = loop.segment("N3"), loop.segment("N4")
    lines = [line for line in (street[1].strip(), street[2].strip()) if line] if street else []
    parts: Json = {"line": lines}
    if place:
        parts |= {"city": place[1].strip(), "state": place[2].strip(), "postalCode": place[3].strip()}
        parts["country"] = place[4].strip()
    return {key: value for key, value in parts.items() if value} or None


def member_identifier(payer_key: str, member_id: str) -> Json:
    """Return the identifier a payer knows a member by."""
    system = f"{OWN_IDENTIFIER}member-id/{'-'.join(payer_key.split())}"
    return {"type": coded(IDENTIFIER_TYPE, "MB"), "system": system, "value": member_id}


def patient(
    facts: FactSet, loop: Loop, source_id: str, identifiers: list[Json], authority: Authority = Authority.MENTION
) -> Json:
    """Keep the patient or subscriber of an NM1 loop as `source_id`; return the reference.

    A loop without segments is somebody of whom only the identifier is known.
    """
    resource: Json = {"resourceType": "Patient"}
    known = [*identifiers, *_reference_identifiers(loop, "SY")]
    if known:
        resource["identifier"] = known
    if loop.segments and (name := person_name(loop.opener)):
        resource["name"] = name
    demographics = loop.segment("DMG")
    if demographics:
        birth, gender = day(demographics[2]), _GENDERS.get(demographics[3].strip())
        resource |= {"gender": gender} if gender else {}
        resource |= {"birthDate": birth} if birth else {}
    return facts.add(resource | _address(loop), source_id, authority)


def _organization(facts: FactSet, loop: Loop, name: str, qualifier: str, stated: str) -> Json:
    resource: Json = {"resourceType": "Organization"}
    identifiers = list(_provider_identifiers(loop, qualifier, stated))
    if identifiers:
        resource["identifier"] = identifiers
    resource |= {"active": True, "type": [_organization_type("prov")], "name": name or stated or "provider"}
    resource |= _telecoms(loop) | _address(loop)
    source_id = f"{_assigner(qualifier)}|{stated}" if stated else f"name|{folded(name)}"
    return facts.add(resource, source_id, Authority.MENTION)


def _practitioner_id(segment: Segment) -> str:
    if stated := segment[9].strip():
        return f"{_assigner(segment[8].strip())}|{stated}"
    return f"name|{folded(segment[3])}|{folded(segment[4])}"


def _assigner(qualifier: str) -> str:
    """Return who gave an identifier, as business identifiers say it: `npi`, else the qualifier of X12."""
    return "npi" if qualifier == "XX" else f"x12-{qualifier.lower()}"


def _organization_type(code: str) -> Json:
    return coded(ORGANIZATION_TYPE, code)


def _provider_identifiers(loop: Loop, qualifier: str, stated: str) -> Iterator[Json]:
    if stated:
        system = (
            NPI if qualifier == "XX" else _TAX_QUALIFIERS.get(qualifier, f"{OWN_IDENTIFIER}x12-{qualifier.lower()}")
        )
        yield {"system": system, "value": stated}
    yield from _reference_identifiers(loop, *_TAX_QUALIFIERS)


def _reference_identifiers(loop: Loop, *qualifiers: str) -> Iterator[Json]:
    for reference in loop.all("REF", *qualifiers):
        if value := reference[2].strip():
            yield {"system": _TAX_QUALIFIERS[reference[1]], "value": value}


def _address(loop: Loop) -> Json:
    address = address_of(loop)
    return {"address": [address]} if address else {}


def _telecoms(loop: Loop) -> Json:
    telecoms = [
        {"system": _TELECOMS[contact[place]], "value": contact[place + 1].strip(), "use": "work"}
        for contact in loop.all("PER")
        for place in (3, 5, 7)
        if contact[place] in _TELECOMS and contact[place + 1].strip()
    ]
    return {"telecom": telecoms} if telecoms else {}
