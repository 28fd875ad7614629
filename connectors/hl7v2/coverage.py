"""IN1 to Coverage, and the payer to Organization."""

from __future__ import annotations

from connectors.connector import Authority
from connectors.hl7v2.concepts import concept
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.datatypes import addresses, identifier, telecoms
from connectors.hl7v2.parties import folded
from connectors.hl7v2.tables import SUBSCRIBER_RELATIONSHIP, V2
from connectors.hl7v2.tokenizer import Segment
from hub_core.fhir.canonical import Json

_CLASS = "http://terminology.hl7.org/CodeSystem/coverage-class"
_RELATIONSHIP = "http://terminology.hl7.org/CodeSystem/subscriber-relationship"


def add_coverage(in1: Segment, patient_key: str, conversion: Conversion) -> None:
    """State the insurance of `in1`, known by payer and policy number; one that names no payer states nothing."""
    payer = insurer(in1, conversion)
    if payer is None:
        return
    member_id = in1.text(49) or in1.text(36)
    plan = in1.text(2)
    relationship = SUBSCRIBER_RELATIONSHIP.get(in1.text(17).upper())
    beneficiary = conversion.reference("Patient", patient_key)
    content = said(
        identifier=[
            each for each in (identifier(in1[49], conversion, kind="MB"), _policy(in1, conversion)) if each is not None
        ],
        status="active",
        type=concept(in1[15], conversion.origin.source, table="0086"),
        subscriber=beneficiary if relationship == "self" else None,
        subscriberId=member_id,
        beneficiary=beneficiary,
        relationship={"coding": [{"system": _RELATIONSHIP, "code": relationship}]} if relationship else None,
        period=said(start=conversion.date(in1, 12), end=conversion.date(in1, 13)),
        payor=[payer],
        **{"class": _classes(in1)},
        order=_order(in1),
    )
    key = f"{patient_key}|IN1|{in1.text(3) or folded(in1[4].whole(1))}|{member_id or plan}"
    conversion.add("Coverage", conversion.unused("Coverage", key), content)


def payer_key(number: str, name: str) -> str:
    """Return the business identifier of a payer: its number, else its name."""
    return f"payer|{number}" if number else f"name|{folded(name)}"


def insurer(in1: Segment, conversion: Conversion) -> Json | None:
    """Return a reference to the payer of `in1`, stated as a mention; None where it names none."""
    number, name = in1.text(3), in1[4].whole(1)
    if not (number or name):
        return None
    content = said(
        identifier=[identifier(in1[3], conversion)] if number else None,
        type=[{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/organization-type", "code": "pay"}]}],
        name=name or number,
        telecom=telecoms(in1, 7),
        address=addresses(in1, 5, conversion),
    )
    return {**conversion.add("Organization", payer_key(number, name), content, Authority.MENTION), **said(display=name)}


def _policy(in1: Segment, conversion: Conversion) -> Json | None:
    number = in1.text(36)
    if not number or number == in1.text(49):
        return None
    return {"type": {"coding": [{"system": f"{V2}0203", "code": "MB"}]}, "value": number}


def _classes(in1: Segment) -> list[Json]:
    result = []
    for code, value, name in (("group", in1.text(8), in1[9].whole(1)), ("plan", in1.text(2), in1[2].whole(2))):
        if value:
            kind = {"coding": [{"system": _CLASS, "code": code}]}
            result.append(said(type=kind, value=value, name=name))
    return result


def _order(in1: Segment) -> int | None:
    """Return the order of coordination of benefits (IN1-22), else the set id."""
    text = in1.text(22) or in1.text(1)
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 100 else None
