"""VXU: ORC, RXA, RXR and the OBX under them to Immunization, refusals included."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from connectors.connector import Authority
from connectors.hl7v2.admission import required_pid
from connectors.hl7v2.concepts import concept, concept_of, system
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.datatypes import entity
from connectors.hl7v2.encounter import add_encounter
from connectors.hl7v2.observation import Setting, add_observation, comments
from connectors.hl7v2.parties import folded, location, named_organization, organization, practitioner
from connectors.hl7v2.patient import add_patient
from connectors.hl7v2.related import add_related_person
from connectors.hl7v2.tables import IMMUNIZATION_STATUS, V2, V3
from connectors.hl7v2.tokenizer import Segment
from connectors.hl7v2.values import decimal
from hub_core.fhir.canonical import Json

NO_VACCINE: Final = "998"
"""CVX of a message that administers nothing: it only carries observations (history of disease)."""

_UNKNOWN_DOSE: Final = "999"
_ELIGIBILITY: Final = "64994-7"
_FUNDING: Final = "30963-3"
_VIS_TYPE: Final = frozenset({"30956-7", "69764-9"})
_VIS_PUBLISHED: Final = "29768-9"
_VIS_PRESENTED: Final = "29769-7"
"""LOINC codes of OBX-3 under an RXA (CDC immunization guide 1.5, value set NIP003)."""
_REFUSED: Final = (f"{V3}ActReason", "PATOBJ", "patient objection")


@dataclass(slots=True)
class Administration:
    """One RXA with the segments that belong to it."""

    rxa: Segment
    orc: Segment | None = None
    rxr: Segment | None = None
    observations: list[tuple[Segment, list[Segment]]] = field(default_factory=list)
    notes: list[Segment] = field(default_factory=list)


def map_vaccinations(conversion: Conversion) -> None:
    """State what a VXU message says.

    Raises:
        UnreadableError: if it has no PID, or the PID identifies nobody.
    """
    message = conversion.message
    key, patient = add_patient(required_pid(conversion), conversion, Authority.MENTION, message.first("PD1"))
    encounter = add_encounter(message.first("PV1"), message.first("PV2"), key, conversion, Authority.MENTION)
    for nk1 in message.all("NK1"):
        add_related_person(nk1, key, conversion)
    for given in administrations(message.segments):
        _add_immunization(given, key, patient, encounter, conversion)


def administrations(segments: list[Segment]) -> list[Administration]:
    """Return the RXA of a message, each with its ORC before and its RXR, OBX and NTE after it."""
    result: list[Administration] = []
    orc: Segment | None = None
    for segment in segments:
        name = segment.name
        if name == "ORC":
            orc = segment
        elif name == "RXA":
            result.append(Administration(segment, orc))
            orc = None
        elif result and name == "RXR" and result[-1].rxr is None:
            result[-1].rxr = segment
        elif result and name == "OBX":
            result[-1].observations.append((segment, []))
        elif result and name == "NTE":
            last = result[-1]
            (last.observations[-1][1] if last.observations else last.notes).append(segment)
    return result


def _add_immunization(
    given: Administration, patient_key: str, patient: Json, encounter: Json | None, conversion: Conversion
) -> None:
    rxa = given.rxa
    vaccine = rxa.text(5)
    key = _key(given, patient_key, conversion)
    stated: Json | None = None
    about, others = _sorted_observations(given)
    if vaccine != NO_VACCINE:
        content = _immunization(given, about, patient, encounter, conversion)
        stated = conversion.add("Immunization", conversion.unused("Immunization", key), content)
    setting = Setting(patient, key, encounter, conversion.date_time(rxa, 3), status="final", part_of=stated)
    for obx, notes in others:
        add_observation(obx, notes, setting, conversion)


def _key(given: Administration, patient_key: str, conversion: Conversion) -> str:
    """Return the filler's (else placer's) order number with the vaccine; else patient, vaccine and day."""
    rxa = given.rxa
    code = rxa.text(5) or folded(rxa[5].whole(2))
    for number in (3, 2):
        if given.orc is not None and (value := given.orc[number])[1] and value[1] != "9999":
            # 9999 is the number immunization registries write where there was no order
            return f"{value[2] or value[3] or conversion.assigner}|{value[1]}|{code}"
    return f"{patient_key}|RXA|{code}|{rxa.text(3)[:8]}"


def _sorted_observations(given: Administration) -> tuple[list[Segment], list[tuple[Segment, list[Segment]]]]:
    """Return what FHIR says within the Immunization, and what it says as observations."""
    within = {_ELIGIBILITY, _FUNDING, _VIS_PUBLISHED, _VIS_PRESENTED, *_VIS_TYPE}
    about = [obx for obx, _ in given.observations if obx.text(3) in within]
    return about, [each for each in given.observations if each[0].text(3) not in within]


def _immunization(
    given: Administration, about: list[Segment], patient: Json, encounter: Json | None, conversion: Conversion
) -> Json:
    rxa, orc, rxr, source = given.rxa, given.orc, given.rxr, conversion.origin.source
    status = "entered-in-error" if rxa.text(21) == "D" else IMMUNIZATION_STATUS.get(rxa.text(20).upper(), "completed")
    occurred = conversion.date_time(rxa, 3)
    numbers = [entity(orc[number], conversion, kind=kind) for number, kind in ((2, "PLAC"), (3, "FILL"))] if orc else []
    return said(
        identifier=[each for each in numbers if each],
        status=status,
        statusReason=_status_reason(rxa, status, source),
        vaccineCode=concept(rxa[5], source, table="0292") or {"text": "unknown"},
        patient=patient,
        encounter=encounter,
        occurrenceDateTime=occurred,
        occurrenceString=None if occurred else "unknown",
        recorded=conversion.date_time(orc, 9) if orc and orc.raw(9) else None,
        **_origin(rxa, source),
        location=_place(rxa, conversion),
        manufacturer=_manufacturer(rxa, conversion),
        lotNumber=rxa.text(15),
        expirationDate=conversion.date(rxa, 16),
        site=concept(rxr[2], source, table="0163") if rxr else None,
        route=concept(rxr[1], source, table="0162") if rxr else None,
        doseQuantity=_dose(rxa, source),
        performer=_performers(rxa, orc, conversion),
        note=_notes(given),
        reasonCode=[each for value in rxa.repetitions(19) if (each := concept(value, source)) is not None],
        education=_education(about, conversion),
        programEligibility=_answers(about, _ELIGIBILITY, source),
        fundingSource=next(iter(_answers(about, _FUNDING, source)), None),
    )


def _status_reason(rxa: Segment, status: str, source: str) -> Json | None:
    if status != "not-done":
        return None
    reason = concept(rxa[18], source)
    if rxa.text(20).upper() != "RE":
        return reason
    refused = concept_of(_REFUSED)
    return {**reason, "coding": [*refused["coding"], *reason.get("coding", ())]} if reason else refused


def _origin(rxa: Segment, source: str) -> Json:
    """Return whether the sender gave the dose itself: RXA-9 `00` is a new record, others come from elsewhere."""
    for value in rxa.repetitions(9):
        if value[3] == "NIP001" and value[1]:
            if value[1] == "00":
                return {"primarySource": True}
            return said(primarySource=False, reportOrigin=concept(value, source))
    return {}


def _place(rxa: Segment, conversion: Conversion) -> Json | None:
    """Return where it was given: RXA-27 (v2.7), else RXA-11, whose fourth component names the facility."""
    for number in (27, 11):
        if rxa.raw(number) and (place := location(rxa[number], conversion)):
            return place
    return None


def _manufacturer(rxa: Segment, conversion: Conversion) -> Json | None:
    value = rxa[17]
    name = value.whole(2) or value[1]
    return named_organization(name, conversion) if name else None


def _dose(rxa: Segment, source: str) -> Json | None:
    amount = decimal(rxa.text(6))
    if amount is None or rxa.text(6) == _UNKNOWN_DOSE:
        return None
    unit = rxa[7]
    uri = system(unit[3], source)
    return said(value=amount, unit=unit.whole(2) or unit[1], system=uri if unit[1] else None, code=uri and unit[1])


def _performers(rxa: Segment, orc: Segment | None, conversion: Conversion) -> list[Json]:
    result = []
    for code, display, segment, number in (
        ("OP", "Ordering Provider", orc, 12),
        ("AP", "Administering Provider", rxa, 10),
    ):
        actor = practitioner(segment[number], conversion) if segment is not None and segment.raw(number) else None
        if actor:
            result.append({"function": concept_of((f"{V2}0443", code, display)), "actor": actor})
    if orc is not None and orc.raw(21) and (place := organization(orc[21], conversion)):
        result.append({"actor": place})
    return result


def _notes(given: Administration) -> list[Json]:
    texts = [value.whole(2) for value in given.rxa.repetitions(9) if value[3] != "NIP001" and value.whole(2)]
    return [{"text": text} for text in texts] + comments(given.notes)


def _answers(about: list[Segment], code: str, source: str) -> list[Json]:
    found = (concept(obx[5], source) for obx in about if obx.text(3) == code)
    return [each for each in found if each is not None]


def _education(about: list[Segment], conversion: Conversion) -> list[Json]:
    """Return the information statements given, one for each OBX-4 group."""
    groups: dict[str, Json] = {}
    for obx in about:
        code, group = obx.text(3), groups.setdefault(obx.text(4), {})
        if code in _VIS_TYPE:
            group["documentType"] = obx[5].whole(2) or obx[5][1]
        elif code == _VIS_PUBLISHED:
            group["publicationDate"] = conversion.date_time(obx, 5)
        elif code == _VIS_PRESENTED:
            group["presentationDate"] = conversion.date_time(obx, 5)
    return [stated for group in groups.values() if (stated := said(**group))]
