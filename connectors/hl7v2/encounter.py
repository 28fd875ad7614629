"""PV1 and PV2 to Encounter, with the places and people it names."""

from __future__ import annotations

from connectors.connector import Authority
from connectors.hl7v2.concepts import coding, concept, concept_of
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.datatypes import assigner, identifier
from connectors.hl7v2.parties import location, practitioner
from connectors.hl7v2.tables import (
    ENCOUNTER_CLASS,
    ENCOUNTER_PARTICIPANTS,
    ENCOUNTER_STATUS,
    NOT_DISCHARGED,
    PATIENT_CLASS,
    V2,
    V3,
)
from connectors.hl7v2.tokenizer import Composite, Segment
from hub_core.fhir.canonical import Json
from hub_core.fhir.systems import NULL_FLAVOR


def encounter_key(pv1: Segment, patient_key: str, conversion: Conversion) -> str | None:
    """Return the business identifier of a visit: its number, else the patient and when the visit began.

    None where the segment identifies no visit.
    """
    for number in (19, 50):
        value = pv1[number]
        if value[1]:
            return f"{assigner(value, 4, conversion)}|{value[1]}"
    admitted = pv1.text(44)
    return f"{patient_key}|{admitted}" if admitted else None


def add_encounter(
    pv1: Segment | None, pv2: Segment | None, patient_key: str, conversion: Conversion, authority: Authority
) -> Json | None:
    """State the visit of `pv1` and return a reference to it; None where there is none.

    A message about the visit always states it: one that names neither visit number nor admission is known by itself.
    """
    if pv1 is None:
        return None
    key = encounter_key(pv1, patient_key, conversion)
    if key is None:
        control_id = conversion.message.header.text(10)
        if authority < Authority.FULL or conversion.event not in ENCOUNTER_STATUS or not control_id:
            return None
        conversion.note("warning", "required", "neither visit number nor admission time", pv1.place(19))
        key = f"message|{control_id}"
    status, has_left = _status(pv1, conversion.event), _has_left(pv1, conversion.event)
    words = (pv1.place(), pv1.encode(), pv2 and pv2.encode(), patient_key, status, has_left)
    content = conversion.once(
        words, lambda: encounter(pv1, pv2, patient_key, conversion, status=status, has_left=has_left)
    )
    return conversion.add("Encounter", key, content, authority)


def encounter(
    pv1: Segment, pv2: Segment | None, patient_key: str, conversion: Conversion, *, status: str, has_left: bool
) -> Json:
    """Return what `pv1` and `pv2` say of a visit that is at `status`, without type and id."""
    source = conversion.origin.source
    return said(
        identifier=_identifiers(pv1, conversion),
        status=status,
        **{"class": _class(pv1[2])},
        type=_listed(concept(pv1[4], source, table="0007")),
        serviceType=concept(pv1[10], source, table="0069"),
        priority=concept(pv2[25], source, table="0217") if pv2 else None,
        subject=conversion.reference("Patient", patient_key),
        participant=_participants(pv1, conversion),
        period=said(start=conversion.date_time(pv1, 44), end=conversion.date_time(pv1, 45) if has_left else None),
        reasonCode=_listed(concept(pv2[3], source)) if pv2 else None,
        hospitalization=_hospitalization(pv1, conversion, has_left=has_left),
        location=_locations(pv1, conversion, status),
    )


def _status(pv1: Segment, event: str) -> str:
    """Return the status the event says; else a discharge time, then the class decide (v2-to-FHIR, PV1[Encounter])."""
    if event in ENCOUNTER_STATUS:
        return ENCOUNTER_STATUS[event]
    if pv1.text(45):
        return "finished"
    code = pv1.text(2).upper()
    if code == "P":
        return "planned"
    return "unknown" if code in ("", "U", "N") else "in-progress"


def _has_left(pv1: Segment, event: str) -> bool:
    """Return whether what the segment says of a discharge counts."""
    return event not in NOT_DISCHARGED and bool(pv1.raw(36) or pv1.raw(45))


def _class(value: Composite) -> Json:
    code = value[1]
    if not code:
        return coding("UNK", "unknown", NULL_FLAVOR)
    known = ENCOUNTER_CLASS.get(code.upper())
    if known:
        return coding(known[1], known[2], known[0])
    return coding(code, value.whole(2) or PATIENT_CLASS.get(code.upper(), ""), f"{V2}0004")


def _identifiers(pv1: Segment, conversion: Conversion) -> list[Json]:
    found = (identifier(pv1[number], conversion, kind="VN") for number in (19, 50))
    return [each for each in found if each]


def _participants(pv1: Segment, conversion: Conversion) -> list[Json]:
    result = []
    for number, code, display in ENCOUNTER_PARTICIPANTS:
        for value in pv1.repetitions(number):
            if individual := practitioner(value, conversion):
                kind = concept_of((f"{V3}ParticipationType", code, display))
                result.append({"type": [kind], "individual": individual})
    return result


def _locations(pv1: Segment, conversion: Conversion, status: str) -> list[Json]:
    now = {"planned": "planned", "finished": "completed", "cancelled": "planned"}.get(status, "active")
    result: list[Json] = []
    for number, word in ((3, now), (6, "completed"), (11, "active"), (42, "reserved")):
        place = location(pv1[number], conversion) if pv1.raw(number) else None
        if place and all(place["reference"] != other["location"]["reference"] for other in result):
            result.append({"location": place, "status": word})
    return result


def _hospitalization(pv1: Segment, conversion: Conversion, *, has_left: bool) -> Json:
    source = conversion.origin.source
    return said(
        preAdmissionIdentifier=identifier(pv1[5], conversion) if pv1.raw(5) else None,
        admitSource=concept(pv1[14], source, table="0023"),
        reAdmission=concept(pv1[13], source, table="0092"),
        dietPreference=_listed(concept(pv1[38], source, table="0114")),
        specialCourtesy=_listed(concept(pv1[16], source, table="0099")),
        specialArrangement=[
            each for value in pv1.repetitions(15) if (each := concept(value, source, table="0009")) is not None
        ],
        dischargeDisposition=concept(pv1[36], source, table="0112") if has_left else None,
    )


def _listed(value: Json | None) -> list[Json]:
    return [value] if value else []
