"""What R5 says otherwise than R4, and how R4 says it (R5 resource pages, "R4 conversions" and "Changes from R4")."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from connectors.fhir.rules import Rules, below, code, extended, in_array, merged, only_one, parted, renamed
from hub_core.fhir.canonical import Json

_R5: Final = "http://hl7.org/fhir/5.0/StructureDefinition"
_PARTICIPANTS: Final = {"author": "recorder", "informant": "asserter"}

VALUES: Final = {
    "Encounter.status": {
        "on-hold": "onleave",
        "discharged": "finished",
        "completed": "finished",
        "discontinued": "cancelled",
    },
    "MedicationRequest.status": {"ended": "unknown"},
    "MedicationStatement.status": {"recorded": "unknown"},
}
"""Codes of R5 that R4 has not, and the nearest that it has; the code itself is kept beside it as an extension."""


def _class(node: Json, name: str, value: Any) -> bool:
    codings = [coding for each in value for coding in each.get("coding", ())]
    if len(codings) != 1 or len(value) != 1:
        return False
    display = {"display": value[0]["text"]} if "text" in value[0] and "display" not in codings[0] else {}
    node[name] = {**codings[0], **display}
    return True


def _reason(node: Json, _: str, value: Any) -> bool:
    """Part the reasons of an encounter; what each is used for stays beside it."""
    url = f"{_R5}/extension-Encounter.reason.use"
    found = []
    for each in value:
        if each.keys() - {"use", "value"}:
            return False
        uses = [{"url": url, "valueCodeableConcept": use} for use in each.get("use", ())]
        for said in each.get("value", ()):
            kept = {name: {**one, "extension": [*one.get("extension", ()), *uses]} for name, one in said.items()}
            found.append(kept if uses else said)
    return parted("reasonCode", "reasonReference")(node, "", found)


def _condition(node: Json, name: str, value: Any) -> bool:
    if len(value) != 1 or value[0].keys() != {"reference"}:
        return False
    node[name] = value[0]["reference"]
    return True


def _evidence(node: Json, name: str, value: Any) -> bool:
    names = {"concept": "code", "reference": "detail"}
    if any(each.keys() - names.keys() for each in value):
        return False
    node[name] = [{names[part]: [said] for part, said in each.items()} for each in value]
    return True


def _participant(node: Json, _: str, value: Any) -> bool:
    """Say who recorded and who told as R4 does; others who took part have no place."""
    found: Json = {}
    for each in value:
        codes = [coding.get("code") for coding in each.get("function", {}).get("coding", ())]
        role = _PARTICIPANTS.get(codes[0]) if len(codes) == 1 and each.keys() == {"function", "actor"} else None
        if role is None or role in found or role in node:
            return False
        found[role] = each["actor"]
    node.update(found)
    return True


def _studies(node: Json, _: str, value: Any) -> bool:
    if not all("ImagingStudy/" in each.get("reference", "") for each in value):
        return False
    node["imagingStudy"] = value
    return True


def _context(node: Json, name: str, value: Any) -> bool:
    if not all("Encounter/" in each.get("reference", "") for each in value):
        return False
    return below(name, "encounter")(node, name, value)


def _events(node: Json, _: str, value: Any) -> bool:
    if any(each.keys() != {"concept"} for each in value):
        return False
    return below("context")(node, "event", [each["concept"] for each in value])


def _profile(node: Json, _: str, value: Any) -> bool:
    if len(value) != 1 or value[0].keys() != {"valueCoding"}:
        return False
    node["format"] = value[0]["valueCoding"]
    return True


def _payers(node: Json, _: str, value: Any) -> bool:
    if any(each.keys() != {"party"} for each in value):
        return False
    node["payor"] = [*node.get("payor", ()), *(each["party"] for each in value)]
    return True


def _insurer(node: Json, _: str, value: Any) -> bool:
    node["payor"] = [value, *node.get("payor", ())]
    return True


def _plain_identifier(node: Json, name: str, value: Any) -> bool:
    """Say an identifier that says nothing but its value as that."""
    one = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(one, dict) or one.keys() != {"value"}:
        return False
    node[name] = one["value"]
    return True


def _contacts(node: Json, name: str, value: Any) -> bool:
    if any(
        each.keys() - {"purpose", "name", "telecom", "address"} or len(each.get("name", [0])) != 1 for each in value
    ):
        return False
    node[name] = [{**each, "name": each["name"][0]} if "name" in each else each for each in value]
    return True


def _languages(node: Json, name: str, value: Any) -> bool:
    if any("language" not in each or each.keys() - {"language", "preferred"} for each in value):
        return False
    url = f"{_R5}/extension-Practitioner.communication.preferred"
    node[name] = [
        extended(each["language"], url, {"valueBoolean": each["preferred"]})
        if "preferred" in each
        else each["language"]
        for each in value
    ]
    return True


def _as_needed(node: Json, _: str, value: Any) -> bool:
    """Say that a dose is taken when needed; where it is said for what, R4 says just that."""
    if value is not True or "asNeededCodeableConcept" not in node:
        node["asNeededBoolean"] = value
    return True


def _as_needed_for(node: Json, _: str, value: Any) -> bool:
    if len(value) != 1 or node.get("asNeededBoolean") is False:
        return False
    node.pop("asNeededBoolean", None)
    node["asNeededCodeableConcept"] = value[0]
    return True


def _interval(node: Json, name: str, value: Any) -> bool:
    """Say in milliseconds how far apart samples are (R4 SampledData.period), beside what was said."""
    kept = {each["url"]: each for each in node.get("extension", ()) if "url" in each}
    interval = kept.get(f"{_R5}/extension-SampledData.interval")
    if value not in _MILLISECONDS or interval is None:
        return False
    node["period"] = Decimal(str(interval["valueDecimal"])) * _MILLISECONDS[value]
    node.update(extended(node, f"{_R5}/extension-SampledData.{name}", {"valueCode": value}))
    return True


_MILLISECONDS: Final = {
    unit: Decimal(factor)
    for unit, factor in (("us", "0.001"), ("ms", "1"), ("s", "1000"), ("min", "60000"), ("h", "3600000"))
}
"""Of a unit of time, as UCUM writes it."""
_REASONS: Final = parted("reasonCode", "reasonReference")
_MEDICATION: Final = parted("medicationCodeableConcept", "medicationReference", is_array=False)

RULES: Final[Rules] = {
    "AllergyIntolerance.participant": _participant,
    "AllergyIntolerance.reaction.manifestation": parted("manifestation", None),
    "AllergyIntolerance.type": code("allergy", "intolerance"),
    "Appointment.cancellationReason": renamed("cancelationReason"),
    "Appointment.reason": _REASONS,
    "Appointment.serviceType": parted("serviceType", None),
    "CarePlan.addresses": parted(None, "addresses"),
    "CareTeam.participant.coveragePeriod": renamed("period"),
    "CareTeam.participant.role": in_array(),
    "CareTeam.reason": _REASONS,
    "Condition.evidence": _evidence,
    "Condition.participant": _participant,
    "Coverage.class.value": _plain_identifier,
    "Coverage.insurer": _insurer,
    "Coverage.paymentBy": _payers,
    "Coverage.subscriberId": _plain_identifier,
    "Device.type": only_one(),
    "DiagnosticReport.study": _studies,
    "DocumentReference.content.profile": _profile,
    "DocumentReference.context": _context,
    "DocumentReference.event": _events,
    "DocumentReference.facilityType": below("context"),
    "DocumentReference.period": below("context"),
    "DocumentReference.practiceSetting": below("context"),
    "DocumentReference.relatesTo.code": code("replaces", "transforms", "signs", "appends"),
    "Dosage.asNeeded": _as_needed,
    "Dosage.asNeededFor": _as_needed_for,
    "Dosage.maxDosePerPeriod": only_one(),
    "Encounter.actualPeriod": renamed("period"),
    "Encounter.admission": merged("hospitalization"),
    "Encounter.class": _class,
    "Encounter.diagnosis.condition": _condition,
    "Encounter.diagnosis.use": only_one(),
    "Encounter.dietPreference": below("hospitalization"),
    "Encounter.location.form": renamed("physicalType"),
    "Encounter.participant.actor": renamed("individual"),
    "Encounter.reason": _reason,
    "Encounter.serviceType": parted("serviceType", None, is_array=False),
    "Encounter.specialArrangement": below("hospitalization"),
    "Encounter.specialCourtesy": below("hospitalization"),
    "Immunization.informationSource": parted("reportOrigin", None, is_array=False),
    "Immunization.manufacturer": parted(None, "manufacturer", is_array=False),
    "Immunization.protocolApplied.doseNumber": renamed("doseNumberString"),
    "Immunization.protocolApplied.seriesDoses": renamed("seriesDosesString"),
    "Immunization.reaction.manifestation": parted(None, "detail", is_array=False),
    "Immunization.reason": _REASONS,
    "Location.form": renamed("physicalType"),
    "Medication.doseForm": renamed("form"),
    "Medication.ingredient.item": parted("itemCodeableConcept", "itemReference", is_array=False),
    "Medication.ingredient.strengthRatio": renamed("strength"),
    "MedicationRequest.dispenseRequest.dispenser": renamed("performer"),
    "MedicationRequest.informationSource": only_one("reportedReference"),
    "MedicationRequest.medication": _MEDICATION,
    "MedicationRequest.performer": only_one(),
    "MedicationRequest.reason": _REASONS,
    "MedicationRequest.reported": renamed("reportedBoolean"),
    "MedicationStatement.category": only_one(),
    "MedicationStatement.encounter": renamed("context"),
    "MedicationStatement.informationSource": only_one(),
    "MedicationStatement.medication": _MEDICATION,
    "MedicationStatement.reason": _REASONS,
    "Organization.contact": _contacts,
    "Practitioner.communication": _languages,
    "Procedure.category": only_one(),
    "Procedure.complication": parted("complication", "complicationDetail"),
    "Procedure.occurrenceAge": renamed("performedAge"),
    "Procedure.occurrenceDateTime": renamed("performedDateTime"),
    "Procedure.occurrencePeriod": renamed("performedPeriod"),
    "Procedure.occurrenceRange": renamed("performedRange"),
    "Procedure.occurrenceString": renamed("performedString"),
    "Procedure.reason": _REASONS,
    "Procedure.used": parted("usedCode", "usedReference"),
    "ServiceRequest.code": parted("code", None, is_array=False),
    "ServiceRequest.location": parted("locationCode", "locationReference"),
    "ServiceRequest.reason": _REASONS,
    "ServiceRequest.supportingInfo": parted(None, "supportingInfo"),
    "SampledData.intervalUnit": _interval,
}
