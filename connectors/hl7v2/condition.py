"""DG1 to Condition: the diagnoses of a visit."""

from __future__ import annotations

from connectors.connector import Authority
from connectors.hl7v2.concepts import concept, concept_of
from connectors.hl7v2.conversion import Conversion, said
from connectors.hl7v2.datatypes import entity
from connectors.hl7v2.parties import folded, practitioner
from connectors.hl7v2.tokenizer import Segment
from hub_core.fhir.canonical import Json

_CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def add_condition(
    dg1: Segment,
    patient_key: str,
    encounter: Json | None,
    conversion: Conversion,
    authority: Authority = Authority.FULL,
) -> None:
    """State the diagnosis of `dg1`, known by DG1-20, else by its code within the visit or the patient."""
    code = concept(dg1[3], conversion.origin.source)
    description = dg1[4].text
    if code is None and not description:
        return
    code = code or {}
    if description and not dg1[3].whole(2):
        code = {**code, "text": description}
    number = entity(dg1[20], conversion, kind="FILL") if dg1.raw(20) else None
    scope = f"{patient_key}|{encounter['reference']}" if encounter else patient_key
    key = number["value"] if number else dg1.text(3) or folded(description)
    verified = "entered-in-error" if dg1.text(21) == "D" else _verification(dg1.text(6))
    asserter = practitioner(dg1[16], conversion) if dg1.raw(16) else None
    content = said(
        identifier=[number] if number else None,
        verificationStatus=concept_of((_VERIFICATION, verified, "")),
        category=[concept_of((_CATEGORY, "encounter-diagnosis", "Encounter Diagnosis"))],
        code=code,
        subject=conversion.reference("Patient", patient_key),
        encounter=encounter,
        onsetDateTime=conversion.date_time(dg1, 5),
        recordedDate=conversion.date_time(dg1, 19),
        asserter=asserter,
    )
    conversion.add("Condition", conversion.unused("Condition", f"{scope}|DG1|{key}"), content, authority)


def _verification(diagnosis_type: str) -> str:
    """Return how sure a diagnosis of table 0052 is: final is confirmed, admitting and working are provisional."""
    return {"F": "confirmed", "A": "provisional", "W": "provisional"}.get(diagnosis_type.upper(), "unconfirmed")
