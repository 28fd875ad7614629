"""HL7 v2 data types CX, EI, XPN, XAD and XTN to FHIR Identifier, HumanName, Address and ContactPoint."""

from __future__ import annotations

import re

from connectors.hl7v2.concepts import named_uri
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.tables import (
    ADDRESS_TYPE,
    ADDRESS_USE,
    NAME_USE,
    NPI_OID,
    SSN_OID,
    TELECOM_SYSTEM,
    TELECOM_USE,
    V2,
)
from connectors.hl7v2.tokenizer import Composite, Segment
from hub_core.fhir.canonical import Json
from hub_core.fhir.systems import NPI, SSN

_OID = re.compile(r"[0-2](?:\.\d+)+\Z")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z")
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,190}\Z")


def authority_uri(namespace: str, universal: str, universal_type: str) -> str | None:
    """Return the URI of an assigning authority (HD): its universal id where it has one, else its local name."""
    if universal and (universal_type == "ISO" or _OID.match(universal)):
        return f"urn:oid:{universal}"
    if universal and _UUID.match(universal):
        return f"urn:uuid:{universal.lower()}"
    if universal.startswith(("http://", "https://", "urn:")):
        return universal
    name = namespace or universal
    return named_uri(name) if name else None


def hierarchic(value: Composite, number: int) -> tuple[str, str, str]:
    """Return namespace, universal id and its type of component `number` (HD)."""
    raw = value.component(number)
    if not raw:
        return "", "", ""
    authority = value.sub(number)
    return authority[1], authority[2], authority[3]


def assigner(value: Composite, number: int, conversion: Conversion) -> str:
    """Return who assigned the identifier in `value`: component `number` (HD), else the sending facility."""
    if not value.component(number):
        return conversion.assigner
    authority = value.sub(number)
    return authority[1] or authority[2] or conversion.assigner


def identifier(value: Composite, conversion: Conversion, *, kind: str = "") -> Json | None:
    """Return an Identifier of a CX; `kind` is its type (table 0203) where CX-5 names none."""
    number = value[1]
    if not number:
        return None
    kind = value[5].upper() or kind
    namespace, universal, universal_type = hierarchic(value, 4)
    if kind == "SS" or universal == SSN_OID:
        uri: str | None = SSN
    elif kind == "NPI" or universal == NPI_OID:
        uri = NPI
    else:
        # A facility's name is unique within its source only: two clinics called "CLINIC" are not one assigner.
        unnamed = named_uri(f"{conversion.origin.source}.{conversion.assigner}")
        uri = authority_uri(namespace, universal, universal_type) or unnamed
    period = None
    if len(value.parts) > 6:
        period = said(start=conversion.clock.date(value[7]), end=conversion.clock.date(value[8]))
    return said(
        type=identifier_type(kind) if kind else None,
        system=uri,
        value=number,
        period=period,
        assigner={"display": namespace} if namespace else None,
    )


def entity(value: Composite, conversion: Conversion, *, kind: str) -> Json | None:
    """Return an Identifier of an EI (order numbers, instance ids) of type `kind`."""
    number = value[1]
    if not number:
        return None
    uri = authority_uri(value[2], value[3], value[4]) or named_uri(conversion.assigner)
    return said(type=identifier_type(kind), system=uri, value=number)


def identifier_type(code: str) -> Json:
    """Return the type of an identifier, a code of table 0203."""
    return {"coding": [{"system": f"{V2}0203", "code": code}]}


def human_name(value: Composite) -> Json | None:
    """Return a HumanName of an XPN."""
    family = value[1]
    given = [name for name in (value[2], value[3]) if name]
    suffix = [part for part in (value[4], value[6]) if part]
    use = NAME_USE.get(value[7].upper()) if value.component(7) else None
    result = said(use=use, family=family, given=given, prefix=[value[5]] if value[5] else None, suffix=suffix)
    return result if family or given else None


def names(segment: Segment, *numbers: int) -> list[Json]:
    """Return the names in fields `numbers` of `segment`."""
    return [
        name for number in numbers for value in segment.repetitions(number) if (name := human_name(value)) is not None
    ]


def address(value: Composite, conversion: Conversion) -> Json | None:
    """Return an Address of an XAD."""
    kind = value[7].upper() if value.component(7) else ""
    lines = [line for line in (value[1], value[2], value.whole(19)) if line]
    result = said(
        use=ADDRESS_USE.get(kind),
        type=ADDRESS_TYPE.get(kind),
        line=lines,
        city=value.whole(3),
        district=value[9],
        state=value[4],
        postalCode=value[5],
        country=value[6],
    )
    if value.component(12):
        period = value.sub(12)
        result |= said(
            period=said(start=conversion.clock.date_time(period[1]), end=conversion.clock.date_time(period[2]))
        )
    return result if len(result) > ("use" in result) + ("type" in result) else None


def addresses(segment: Segment, number: int, conversion: Conversion) -> list[Json]:
    """Return the addresses in field `number` of `segment`."""
    found = (address(value, conversion) for value in segment.repetitions(number))
    return [each for each in found if each is not None]


def telecoms(segment: Segment, number: int, use: str = "") -> list[Json]:
    """Return the contact points in field `number`, each once; `use` is what the field itself says of them."""
    points = (point for value in segment.repetitions(number) for point in _contact_points(value, use))
    return list({(point["system"], point["value"]): point for point in points}.values())


def _contact_points(value: Composite, use: str) -> list[Json]:
    """Return the number and the e-mail address of an XTN; either may be there."""
    used = TELECOM_USE.get(value[2].upper(), use)
    equipment = value[3].upper()
    email = value[4] or (value[1] if "@" in value[1] and _EMAIL.match(value[1]) else "")
    number = _number(value) if not email or value[1] != email else ""
    result = []
    if number:
        system = TELECOM_SYSTEM.get(equipment, "phone")
        result.append(said(system=system, value=number, use="mobile" if equipment == "CP" else used))
    if email:
        result.append(said(system="email", value=email, use="" if used == "mobile" else used))
    return result


def _number(value: Composite) -> str:
    if value[12]:
        return value[12]
    if value[1]:
        return value[1]
    country, area, local, extension = value[5], value[6], value[7], value[8]
    if not local:
        return ""
    text = (f"+{country.lstrip('+')} " if country else "") + (f"({area}) " if area else "") + local
    return text + (f" ext. {extension}" if extension else "")
