"""One line of a chart per resource: what it is, in words a clinician or a biller reads at a glance.

One small function per resource type; a type without one is shown by its code. Nothing here invents: what the resource
does not say stays empty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from hub_api.practice.names import concept, display_name, joined, money, number, quantity, reference
from hub_core.fhir.canonical import Json


@dataclass(frozen=True, slots=True)
class Line:
    """What a chart shows of one resource."""

    category: str
    title: str
    detail: str = ""


def line(resource: Json) -> Line:
    """Return the line of a resource."""
    return _LINES.get(resource["resourceType"], _other)(resource)


def status(resource: Json) -> str | None:
    """Return the state a resource is in, in its own word."""
    for element in ("status", "clinicalStatus", "lifecycleStatus"):
        found = resource.get(element)
        if isinstance(found, str):
            return found
        if words := _code(found):
            return words
    return None


def _code(value: Any) -> str:
    codings = value.get("coding", []) if isinstance(value, dict) else []
    return str(codings[0].get("code", "")) if codings else ""


def _patient(resource: Json) -> Line:
    return Line(
        "Registration", display_name(resource), joined(resource.get("birthDate", ""), resource.get("gender", ""))
    )


def _encounter(resource: Json) -> Line:
    kind = concept(resource.get("type")) or concept(resource.get("class")) or "Encounter"
    places = ", ".join(reference(each.get("location")) for each in resource.get("location", []))
    return Line("Visits", kind, joined(concept(resource.get("reasonCode")), places.strip(", ")))


def _appointment(resource: Json) -> Line:
    kind = concept(resource.get("appointmentType")) or concept(resource.get("serviceType")) or "Appointment"
    reason = concept(resource.get("reasonCode")) or resource.get("description", "")
    people = reference([each.get("actor") for each in resource.get("participant", [])])
    return Line("Visits", kind, joined(reason, people))


def _condition(resource: Json) -> Line:
    return Line("Problems", concept(resource.get("code")) or "Condition", concept(resource.get("severity")))


def _allergy(resource: Json) -> Line:
    reactions = concept(
        [each for reaction in resource.get("reaction", []) for each in reaction.get("manifestation", [])]
    )
    return Line(
        "Allergies", concept(resource.get("code")) or "Allergy", joined(resource.get("criticality", ""), reactions)
    )


def _observation(resource: Json) -> Line:
    category = "Vital signs" if "vital-signs" in map(_code, resource.get("category", [])) else "Results"
    parts = [
        f"{concept(each.get('code'))} {_value(each)}".strip() for each in resource.get("component", []) if _value(each)
    ]
    bounds = resource.get("referenceRange", [])
    normal = f"normal {_range(bounds[0])}" if bounds and _range(bounds[0]) else ""
    return Line(
        category,
        concept(resource.get("code")) or "Observation",
        joined(_value(resource) or ", ".join(parts), concept(resource.get("interpretation")), normal),
    )


def _value(holder: Json) -> str:
    """Return the value of an Observation or component, of whichever type it has."""
    for element, words in _VALUES.items():
        if element in holder:
            return words(holder[element])
    return concept(holder.get("dataAbsentReason"))


def _range(bounds: Json) -> str:
    if text := bounds.get("text"):
        return str(text)
    low, high = quantity(bounds.get("low")), quantity(bounds.get("high"))
    return f"{low}-{high}" if low and high else f"from {low}" if low else f"up to {high}" if high else ""


def _ratio(value: Any) -> str:
    return f"{quantity(value.get('numerator'))} : {quantity(value.get('denominator'))}"


def _report(resource: Json) -> Line:
    count = len(resource.get("result", []))
    results = f"{count} result{'s' if count != 1 else ''}" if count else ""
    return Line("Results", concept(resource.get("code")) or "Report", joined(resource.get("conclusion", ""), results))


def _immunization(resource: Json) -> Line:
    lot = f"lot {resource['lotNumber']}" if "lotNumber" in resource else ""
    detail = joined(quantity(resource.get("doseQuantity")), lot, reference(resource.get("manufacturer")))
    return Line("Immunizations", concept(resource.get("vaccineCode")) or "Immunization", detail)


def _medication(resource: Json) -> Line:
    drug = concept(resource.get("medicationCodeableConcept")) or reference(resource.get("medicationReference"))
    doses = resource.get("dosageInstruction") or resource.get("dosage") or []
    directions = [str(each.get("text", "")) for each in (doses if isinstance(doses, list) else [doses])]
    return Line("Medications", drug or "Medication", joined(*directions))


def _procedure(resource: Json) -> Line:
    return Line("Procedures", concept(resource.get("code")) or "Procedure", concept(resource.get("reasonCode")))


def _coverage(resource: Json) -> Line:
    member = resource.get("subscriberId", "")
    title = reference(resource.get("payor")) or concept(resource.get("type")) or "Coverage"
    return Line("Coverage", title, joined(concept(resource.get("type")), f"member {member}" if member else ""))


def _claim(resource: Json) -> Line:
    lines = concept([item.get("productOrService") for item in resource.get("item", [])])
    return Line(
        "Billing", f"Claim {money(resource.get('total'))}".strip(), joined(lines, reference(resource.get("insurer")))
    )


def _explanation(resource: Json) -> Line:
    totals = [
        f"{concept(total.get('category'))} {money(total.get('amount'))}".strip() for total in resource.get("total", [])
    ]
    paid = money(resource.get("payment", {}).get("amount"))
    return Line(
        "Billing",
        f"Paid {paid}" if paid else "Explanation of benefit",
        joined(*totals, resource.get("disposition", "")),
    )


def _document(resource: Json) -> Line:
    return Line("Documents", concept(resource.get("type")) or "Document", str(resource.get("description", "")))


def _order(resource: Json) -> Line:
    detail = joined(str(resource.get("priority", "")), reference(resource.get("requester")))
    return Line("Orders", concept(resource.get("code")) or "Order", detail)


def _plan(resource: Json) -> Line:
    title = resource.get("title") or concept(resource.get("category")) or resource["resourceType"]
    return Line("Plans", str(title), str(resource.get("description", "")))


def _goal(resource: Json) -> Line:
    return Line("Plans", concept(resource.get("description")) or "Goal", concept(resource.get("category")))


def _team(resource: Json) -> Line:
    people = reference([each.get("member") for each in resource.get("participant", [])])
    return Line("Plans", str(resource.get("name", "Care team")), people)


def _related(resource: Json) -> Line:
    return Line("Registration", display_name(resource), concept(resource.get("relationship")))


def _other(resource: Json) -> Line:
    return Line("Other", concept(resource.get("code")) or concept(resource.get("type")) or resource["resourceType"])


_VALUES: Final[dict[str, Callable[[Any], str]]] = {
    "valueQuantity": quantity,
    "valueCodeableConcept": concept,
    "valueString": str,
    "valueInteger": number,
    "valueBoolean": lambda value: "yes" if value else "no",
    "valueDateTime": str,
    "valueTime": str,
    "valuePeriod": lambda value: f"{value.get('start', '')} to {value.get('end', '')}",
    "valueRange": _range,
    "valueRatio": _ratio,
}
_LINES: Final[dict[str, Callable[[Json], Line]]] = {
    "AllergyIntolerance": _allergy,
    "Appointment": _appointment,
    "CarePlan": _plan,
    "CareTeam": _team,
    "Claim": _claim,
    "Condition": _condition,
    "Coverage": _coverage,
    "DiagnosticReport": _report,
    "DocumentReference": _document,
    "Encounter": _encounter,
    "ExplanationOfBenefit": _explanation,
    "Goal": _goal,
    "Immunization": _immunization,
    "MedicationAdministration": _medication,
    "MedicationDispense": _medication,
    "MedicationRequest": _medication,
    "MedicationStatement": _medication,
    "Observation": _observation,
    "Patient": _patient,
    "Procedure": _procedure,
    "RelatedPerson": _related,
    "ServiceRequest": _order,
}
