"""OBX and its NTE to Observation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connectors.connector import Authority
from connectors.hl7v2.concepts import concept_of
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.datatypes import entity
from connectors.hl7v2.parties import folded, named_organization, organization, practitioner
from connectors.hl7v2.tables import IMAGING_SECTIONS, INTERPRETATION, LAB_SECTIONS, OBSERVATION_STATUS, V3, Concept
from connectors.hl7v2.tokenizer import Segment
from connectors.hl7v2.values import observed, reference_range
from hub_core.fhir.canonical import Json

_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_INTERPRETATION: Final = f"{V3}ObservationInterpretation"
_INTERPRETATIONS: Final[dict[str, Concept]] = {
    code: (_INTERPRETATION, code, display) for code, display in INTERPRETATION.items()
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What an observation takes from the segments above it."""

    subject: Json
    key: str
    """What the business identifiers of the observations under it begin with."""
    encounter: Json | None = None
    effective: str | None = None
    status: str | None = None
    """The status where OBX-11 names none."""
    category: str = ""
    """Code of the observation category; none for observations that are not results."""
    specimen: Json | None = None
    part_of: Json | None = None


def category_of(section: str, default: str) -> str:
    """Return the observation category of a diagnostic service section (OBR-24, table 0074)."""
    section = section.upper()
    if section in LAB_SECTIONS:
        return "laboratory"
    if section in IMAGING_SECTIONS:
        return "imaging"
    return default if not section else "exam" if section in ("PT", "OT", "PHY", "NRS") else "procedure"


def add_observation(obx: Segment, notes: list[Segment], setting: Setting, conversion: Conversion) -> Json | None:
    """State the observation of `obx` and return a reference; one that does not say what was observed states nothing."""
    code = conversion.concept(obx[3])
    if code is None:
        conversion.note("warning", "required", "an observation without identifier; left out", obx.place(3))
        return None
    named = obx.text(3) or folded(obx[3].whole(2)) or obx[3][4]
    key = conversion.unused("Observation", f"{setting.key}|{named}|{obx.text(4)}")
    return conversion.add("Observation", key, _observation(obx, code, notes, setting, conversion), Authority.FULL)


def comments(notes: list[Segment]) -> list[Json]:
    """Return the comments of NTE segments as one annotation, a line for each."""
    lines = [value.text for nte in notes for value in nte.repetitions(3)]
    text = "\n".join(line for line in lines if line)
    return [{"text": text}] if text else []


def _observation(obx: Segment, code: Json, notes: list[Segment], setting: Setting, conversion: Conversion) -> Json:
    value = observed(obx, conversion)
    absence = _absence(obx, value)
    instance = entity(obx[21], conversion, kind="FILL") if obx.raw(21) else None
    category = setting.category
    return said(
        extension=value.pop("extension", None),
        identifier=[instance] if instance else None,
        partOf=[setting.part_of] if setting.part_of else None,
        status=_status(obx, setting, conversion),
        category=[concept_of((_CATEGORY, category, category.title()))] if category else None,
        code=code,
        subject=setting.subject,
        encounter=setting.encounter,
        effectiveDateTime=(conversion.date_time(obx, 14) if obx.raw(14) else None) or setting.effective,
        performer=_performers(obx, conversion),
        **{name: each for name, each in value.items() if name != "component"},
        dataAbsentReason=absence,
        interpretation=[
            each
            for flag in obx.repetitions(8)
            if (each := conversion.concept(flag, table="0078", mapped=_INTERPRETATIONS)) is not None
        ],
        note=comments(notes),
        bodySite=conversion.concept(obx[20], table="0163") if obx.raw(20) else None,
        method=conversion.concept(obx[17]) if obx.raw(17) else None,
        specimen=setting.specimen,
        referenceRange=reference_range(obx, conversion),
        component=value.get("component"),
    )


def _status(obx: Segment, setting: Setting, conversion: Conversion) -> str:
    code = obx.text(11).upper()
    found = OBSERVATION_STATUS.get(code)
    if code and found is None:
        conversion.note("warning", "code-invalid", "not a code of table 0085", obx.place(11))
    return found or setting.status or "unknown"


def _absence(obx: Segment, value: Json) -> Json | None:
    if value or obx.text(11).upper() == "D":
        return None
    code = {"N": "not-asked", "X": "not-performed"}.get(obx.text(11).upper(), "unknown")
    return concept_of((_ABSENT, code, code.replace("-", " ").capitalize()))


def _performers(obx: Segment, conversion: Conversion) -> list[Json]:
    found = [practitioner(value, conversion) for value in obx.repetitions(16)]
    performing = organization(obx[23], conversion) if obx.raw(23) else None
    if performing is None and obx.raw(15) and (name := obx[15].whole(2)):
        performing = named_organization(name, conversion)
    return [each for each in (*found, performing) if each is not None]
