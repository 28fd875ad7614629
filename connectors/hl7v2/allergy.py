"""AL1 to AllergyIntolerance."""

from __future__ import annotations

from connectors.hl7v2.concepts import concept, concept_of
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.parties import folded
from connectors.hl7v2.tables import ALLERGY_CATEGORY, ALLERGY_CRITICALITY, ALLERGY_SEVERITY
from connectors.hl7v2.tokenizer import Segment

_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


def add_allergy(al1: Segment, patient_key: str, conversion: Conversion) -> None:
    """State the allergy of `al1`, known by what the patient is allergic to."""
    substance = concept(al1[3], conversion.origin.source)
    if substance is None:
        return
    severity = al1.text(4).upper()
    kind = al1.text(2).upper()
    reactions = [text for value in al1.repetitions(5) if (text := value.text)]
    key = al1.text(3) or folded(al1[3].whole(2))
    content = said(
        clinicalStatus=concept_of((_CLINICAL, "active", "Active")),
        type="allergy" if kind in ALLERGY_CATEGORY else None,
        category=[ALLERGY_CATEGORY[kind]] if kind in ALLERGY_CATEGORY else None,
        criticality=ALLERGY_CRITICALITY.get(severity),
        code=substance,
        patient=conversion.reference("Patient", patient_key),
        onsetDateTime=conversion.date_time(al1, 6),
        reaction=_reaction(reactions, ALLERGY_SEVERITY.get(severity)),
    )
    conversion.add("AllergyIntolerance", conversion.unused("AllergyIntolerance", f"{patient_key}|AL1|{key}"), content)


def _reaction(manifestations: list[str], severity: str | None) -> list[dict[str, object]]:
    """Return one reaction; a severity without a manifestation says that the manifestation is unknown."""
    if not manifestations and severity is None:
        return []
    manifestation = [{"text": text} for text in manifestations] or [concept_of((_ABSENT, "unknown", "Unknown"))]
    return [said(manifestation=manifestation, severity=severity)]
