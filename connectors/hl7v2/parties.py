"""People, organizations and places that a message names in passing (XCN, XON, PL): each a resource of its own.

They are mentions: whatever a registry or master file says of them is stronger.
"""

from __future__ import annotations

import re
import unicodedata

from connectors.connector import Authority
from connectors.hl7v2.concepts import named_uri
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.datatypes import assigner, authority_uri, hierarchic, identifier_type
from connectors.hl7v2.tables import NPI_OID
from connectors.hl7v2.tokenizer import Composite
from hub_core.fhir.canonical import Json
from hub_core.fhir.systems import NPI

_NPI_NAMESPACES = frozenset({"NPI", "CMS", "NPPES"})
_NPI = re.compile(r"\d{10}\Z")
_PHYSICAL_TYPES = ((3, "bd", "Bed"), (2, "ro", "Room"), (1, "wa", "Ward"), (7, "bu", "Building"), (4, "si", "Site"))
_PHYSICAL_TYPE_SYSTEM = "http://terminology.hl7.org/CodeSystem/location-physical-type"


def folded(text: str) -> str:
    """Return a name as it is compared: lower case, no accents, single spaces."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(plain.casefold().split())


def practitioner(value: Composite, conversion: Conversion) -> Json | None:
    """Return a reference to the person in an XCN, stated as a mention; only a display where there is no id."""
    if not value:
        return None
    number = value[1]
    name = _name(value)
    shown = _display(name)
    if not number:
        return {"display": shown} if shown else None
    namespace, universal, universal_type = hierarchic(value, 9)
    if _NPI.match(number) and (value[13] == "NPI" or universal == NPI_OID or namespace in _NPI_NAMESPACES):
        source_id, uri, kind = f"npi|{number}", NPI, "NPI"
    else:
        source_id = f"{namespace or universal or conversion.assigner}|{number}"
        uri = authority_uri(namespace, universal, universal_type) or named_uri(conversion.assigner)
        kind = value[13]
    identifier = said(type=identifier_type(kind) if kind else None, system=uri, value=number)
    reference = conversion.add(
        "Practitioner", source_id, said(identifier=[identifier], name=[name] if name else None), Authority.MENTION
    )
    return {**reference, "display": shown} if shown else reference


def organization(value: Composite, conversion: Conversion, address: list[Json] | None = None) -> Json | None:
    """Return a reference to the organization in an XON, stated as a mention under its id, else its name."""
    name = value.whole(1)
    number = value[10] or value[3]
    if not (name or number):
        return None
    if value[7] == "NPI" and _NPI.match(number):
        source_id, uri = f"npi|{number}", NPI
    elif number:
        authority = value.sub(6)
        source_id = f"{assigner(value, 6, conversion)}|{number}"
        uri = authority_uri(authority[1], authority[2], authority[3]) or named_uri(conversion.assigner)
    else:
        source_id, uri = f"name|{folded(name)}", ""
    content = said(
        identifier=[said(system=uri, value=number)] if number else None, name=name or number, address=address
    )
    return {**conversion.add("Organization", source_id, content, Authority.MENTION), **said(display=name)}


def named_organization(name: str, conversion: Conversion) -> Json:
    """Return a reference to the organization called `name`, stated as a mention."""
    content = {"name": name}
    return {**conversion.add("Organization", f"name|{folded(name)}", content, Authority.MENTION), "display": name}


def location(value: Composite, conversion: Conversion) -> Json | None:
    """Return a reference to the place in a PL, stated as a mention, scoped to its facility."""
    if not value:
        return None
    place = {number: value[number] for number in (1, 2, 3, 4, 7, 8)}
    facility = place[4]
    parts = [place[number] for number in (1, 2, 3, 7, 8)]
    described = value.whole(9)
    if not any(parts) and not facility and not described:
        return None
    path = "^".join(parts).rstrip("^") or (f"^{described}" if described else "")
    shown = described or ", ".join(part for part in parts[:3] if part) or parts[3] or facility
    physical = next(((code, word) for number, code, word in _PHYSICAL_TYPES if place[number]), None)
    content = said(
        identifier=[{"system": named_uri(facility or conversion.assigner), "value": path}] if path else None,
        name=shown,
        mode="instance",
        physicalType=physical
        and {"coding": [{"system": _PHYSICAL_TYPE_SYSTEM, "code": physical[0], "display": physical[1]}]},
        managingOrganization={"display": facility} if facility else None,
    )
    reference = conversion.add("Location", f"{facility or conversion.assigner}|{path}", content, Authority.MENTION)
    return {**reference, "display": shown}


def _name(value: Composite) -> Json | None:
    family, given = value[2], [name for name in (value[3], value[4]) if name]
    if not family and not given:
        return None
    suffix = [part for part in (value[5], value[7]) if part]
    return said(family=family, given=given, prefix=[value[6]] if value[6] else None, suffix=suffix)


def _display(name: Json | None) -> str:
    if not name:
        return ""
    parts = [*name.get("prefix", ()), *name.get("given", ()), name.get("family", ""), *name.get("suffix", ())]
    return " ".join(part for part in parts if part)
