"""What STU3 says otherwise than R4, and how R4 says it (R4 resource pages, "R3 conversions" and "Changes since R3")."""

from __future__ import annotations

from typing import Any, Final

from connectors.fhir.rules import (
    TERMINOLOGY,
    Rules,
    by_uri,
    concept,
    encounter,
    extended,
    in_array,
    in_first,
    only_one,
    renamed,
)
from hub_core.fhir.canonical import Json
from hub_core.fhir.indexed_types import CURRENCY

_CONDITION: Final = ("active", "recurrence", "inactive", "remission", "resolved")
_EXTENSIONS: Final = "http://hl7.org/fhir/StructureDefinition"
_STU3: Final = "http://hl7.org/fhir/3.0/StructureDefinition"
_RELATED: Final = {"has-member": "hasMember", "derived-from": "derivedFrom"}
_CLASSES: Final = {
    "group": "group",
    "subGroup": "subgroup",
    "plan": "plan",
    "subPlan": "subplan",
    "class": "class",
    "subClass": "subclass",
}

VALUES: Final = {"Procedure.status": {"suspended": "on-hold", "aborted": "stopped"}}
"""Codes of STU3 that R4 has not, and what it has."""


def _animal(node: Json, _: str, value: Any) -> bool:
    """Say what an animal is as R4 does: patient-animal, an extension of the specification."""
    if value.keys() - {"species", "breed", "genderStatus"}:
        return False
    said = [{"url": name, "valueCodeableConcept": each} for name, each in value.items()]
    animal = {"url": f"{_EXTENSIONS}/patient-animal", "extension": said}
    node["extension"] = [*node.get("extension", ()), animal]
    return True


def _comment(node: Json, _: str, value: Any) -> bool:
    node["note"] = [*node.get("note", ()), {"text": value}]
    return True


def _related(node: Json, _: str, value: Any) -> bool:
    if any(each.keys() - {"type", "target"} or each.get("type") not in _RELATED for each in value):
        return False
    for each in value:
        node.setdefault(_RELATED[each["type"]], []).append(each["target"])
    return True


def _requester(node: Json, name: str, value: Any) -> bool:
    if "agent" not in value or value.keys() - {"agent", "onBehalfOf"}:
        return False
    agent, behalf = value["agent"], value.get("onBehalfOf")
    url = f"{_STU3}/extension-MedicationRequest.requester.onBehalfOf"
    node[name] = extended(agent, url, {"valueReference": behalf}) if behalf else agent
    return True


def _not_done(node: Json, _: str, value: Any) -> bool:
    if value is True:
        node["status"] = "not-done"
    return True


def _explanation(node: Json, _: str, value: Any) -> bool:
    not_given = value.get("reasonNotGiven", [])
    if len(not_given) > 1 or value.keys() - {"reason", "reasonNotGiven"}:
        return False
    node.update({"reasonCode": value["reason"]} if "reason" in value else {})
    node.update({"statusReason": not_given[0]} if not_given else {})
    return True


def _practitioner(node: Json, _: str, value: Any) -> bool:
    names = {"role": "function"}
    node["performer"] = [{names.get(name, name): each for name, each in one.items()} for one in value]
    return True


def _performer(node: Json, name: str, value: Any) -> bool:
    if any("actor" not in each or each.keys() - {"actor", "role"} for each in value):
        return False
    url = f"{_STU3}/extension-DiagnosticReport.performer.role"
    node[name] = [
        extended(each["actor"], url, {"valueCodeableConcept": each["role"]}) if "role" in each else each["actor"]
        for each in value
    ]
    return True


def _documents(node: Json, name: str, value: Any) -> bool:
    """Say what a document is related to as references, by identifier where nothing else is known."""
    if any(each.keys() - {"ref", "identifier"} for each in value):
        return False
    node[name] = [
        {**each.get("ref", {}), **({"identifier": each["identifier"]} if "identifier" in each else {})}
        for each in value
    ]
    return True


def _grouping(node: Json, _: str, value: Any) -> bool:
    """Say the groups of a coverage as its classes; what has a display only has no place."""
    if value.keys() - {name for each in _CLASSES for name in (each, f"{each}Display")}:
        return False
    if any(f"{each}Display" in value and each not in value for each in _CLASSES):
        return False
    node["class"] = [
        {
            "type": {"coding": [{"system": f"{TERMINOLOGY}/coverage-class", "code": kind}]},
            "value": value[each],
            **({"name": value[f"{each}Display"]} if f"{each}Display" in value else {}),
        }
        for each, kind in _CLASSES.items()
        if each in value
    ]
    return True


def _currency(node: Json, _: str, value: Any) -> bool:
    """Let the code of an amount be its currency, which is what R4 means, if it is of the system of currencies."""
    if value == CURRENCY:
        return True
    if "currency" in node:
        node.update(extended(node, f"{_STU3}/extension-Money.code", {"valueCode": node.pop("currency")}))
    return False


RULES: Final[Rules] = {
    "AllergyIntolerance.assertedDate": renamed("recordedDate"),
    "AllergyIntolerance.clinicalStatus": concept("allergyintolerance-clinical", "active", "inactive", "resolved"),
    "AllergyIntolerance.verificationStatus": concept(
        "allergyintolerance-verification", "unconfirmed", "confirmed", "refuted", "entered-in-error"
    ),
    "Appointment.incomingReferral": renamed("basedOn"),
    "Appointment.indication": renamed("reasonReference"),
    "Appointment.reason": renamed("reasonCode"),
    "Appointment.serviceCategory": in_array(),
    "CarePlan.author": only_one(),
    "CarePlan.context": encounter,
    "CareTeam.context": encounter,
    "CareTeam.participant.role": in_array(),
    "Condition.assertedDate": renamed("recordedDate"),
    "Condition.clinicalStatus": concept("condition-clinical", *_CONDITION),
    "Condition.context": encounter,
    "Condition.stage": in_array(),
    "Condition.verificationStatus": concept(
        "condition-ver-status", "provisional", "differential", "confirmed", "refuted", "entered-in-error"
    ),
    "Coverage.grouping": _grouping,
    "DiagnosticReport.category": in_array(),
    "DiagnosticReport.codedDiagnosis": renamed("conclusionCode"),
    "DiagnosticReport.context": encounter,
    "DiagnosticReport.image": renamed("media"),
    "DiagnosticReport.performer": _performer,
    "DocumentReference.class": in_array("category"),
    "DocumentReference.context.encounter": in_array(),
    "DocumentReference.context.related": _documents,
    "DocumentReference.indexed": renamed("date"),
    **{
        f"Dosage.{name}": in_first("doseAndRate")
        for name in ("doseQuantity", "doseRange", "rateQuantity", "rateRange", "rateRatio")
    },
    "Encounter.appointment": in_array(),
    "Encounter.diagnosis.role": renamed("use"),
    "Encounter.incomingReferral": renamed("basedOn"),
    "Encounter.reason": renamed("reasonCode"),
    "Goal.target": in_array(),
    "Immunization.date": renamed("occurrenceDateTime"),
    "Immunization.explanation": _explanation,
    "Immunization.notGiven": _not_done,
    "Immunization.practitioner": _practitioner,
    "Location.type": in_array(),
    "MedicationRequest.category": in_array(),
    "MedicationRequest.context": encounter,
    "MedicationRequest.requester": _requester,
    "MedicationRequest.substitution.allowed": renamed("allowedBoolean"),
    "MedicationStatement.reasonNotTaken": renamed("statusReason"),
    "Money.code": renamed("currency"),
    "Money.system": _currency,
    "Observation.comment": _comment,
    "Observation.component.interpretation": in_array(),
    "Observation.context": encounter,
    "Observation.interpretation": in_array(),
    "Observation.related": _related,
    "Patient.animal": _animal,
    "Procedure.context": encounter,
    "Procedure.notDone": _not_done,
    "Procedure.notDoneReason": renamed("statusReason"),
    "Procedure.performer.role": renamed("function"),
    "Signature.blob": renamed("data"),
    "Signature.contentType": renamed("sigFormat"),
    "Signature.onBehalfOfReference": renamed("onBehalfOf"),
    "Signature.onBehalfOfUri": by_uri("onBehalfOf"),
    "Signature.whoReference": renamed("who"),
    "Signature.whoUri": by_uri("who"),
}
