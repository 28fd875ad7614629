"""Patients as FHIR R4 with US Core's extensions; related persons and consents beside them."""

from __future__ import annotations

from typing import Final

from ehr_pm.patients.models import Consent, Patient, PatientAddress, PatientContact, RelatedPerson
from hub_core.clock import instant
from hub_core.fhir.canonical import Json
from hub_core.fhir.systems import (
    RACE_AND_ETHNICITY,
    ROLE_CODE,
    US_CORE_BIRTH_SEX,
    US_CORE_ETHNICITY,
    US_CORE_RACE,
    coding,
    concept,
    identifier,
)

MRN: Final = "https://wholechart.example/fhir/mrn"
_CONSENT_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
_CONSENT_KIND: Final = "https://wholechart.example/fhir/consent-kind"
_LABELS: Final = {
    "1002-5": "American Indian or Alaska Native",
    "2028-9": "Asian",
    "2054-5": "Black or African American",
    "2076-8": "Native Hawaiian or Other Pacific Islander",
    "2106-3": "White",
    "2131-1": "Other Race",
    "2135-2": "Hispanic or Latino",
    "2186-5": "Not Hispanic or Latino",
}
_RELATIONS: Final = {
    "parent": "PRN",
    "spouse": "SPS",
    "child": "CHILD",
    "guardian": "GUARD",
    "sibling": "SIB",
    "self": "ONESELF",
}


def patient(row: Patient) -> Json:
    """Return a patient as US Core Patient."""
    names = [{"use": "official", "family": row.family, "given": [row.given, *([row.middle] if row.middle else [])]}]
    if row.suffix:
        names[0]["suffix"] = [row.suffix]
    if row.preferred_name:
        names.append({"use": "usual", "text": row.preferred_name})
    own = identifier(MRN, row.mrn, type_code="MR", use="official")
    resource: Json = {
        "resourceType": "Patient",
        "id": str(row.patient_id),
        "extension": _extensions(row),
        "identifier": [own, *(identifier(e.system, e.value, type_code=e.kind) for e in row.identifiers)],
        "active": row.merged_into is None,
        "name": names,
        "telecom": [_telecom(each) for each in row.contacts],
        "gender": row.gender,
        "birthDate": row.birth_date.isoformat(),
        "deceasedDateTime": row.deceased_on.isoformat() if row.deceased_on else None,
        "address": [_address(each) for each in row.addresses],
        "communication": [{"language": concept(coding("urn:ietf:bcp:47", row.language)), "preferred": True}],
        "managingOrganization": {"reference": f"Organization/{row.home_location.organization_id}"},
    }
    if row.merged_into is not None:
        resource["link"] = [{"other": {"reference": f"Patient/{row.merged_into}"}, "type": "replaced-by"}]
    return {name: value for name, value in resource.items() if value not in (None, [])}


def merged(survivor: Patient, loser: Patient, linkage_id: str, *, is_standing: bool) -> Json:
    """Return the Linkage that says two records are one patient, or were taken apart again."""
    return {
        "resourceType": "Linkage",
        "id": linkage_id,
        "active": is_standing,
        "item": [
            {"type": "source", "resource": {"reference": f"Patient/{survivor.patient_id}"}},
            {"type": "alternate", "resource": {"reference": f"Patient/{loser.patient_id}"}},
        ],
    }


def related(row: RelatedPerson) -> Json:
    """Return somebody who stands by a patient as RelatedPerson."""
    roles = [concept(coding(ROLE_CODE, _RELATIONS[row.relationship_]))] if row.relationship_ in _RELATIONS else []
    roles += [concept(coding(ROLE_CODE, "GUAR"))] if row.is_guarantor else []
    roles += [concept(coding("http://terminology.hl7.org/CodeSystem/v2-0131", "C"))] if row.is_emergency_contact else []
    resource: Json = {
        "resourceType": "RelatedPerson",
        "id": str(row.related_id),
        "active": row.ended_on is None,
        "patient": {"reference": f"Patient/{row.patient_id}"},
        "relationship": roles or [{"text": row.relationship_}],
        "name": [{"family": row.family, "given": [row.given]}],
    }
    if row.phone:
        resource["telecom"] = [{"system": "phone", "value": row.phone}]
    return resource


def consent(row: Consent) -> Json:
    """Return a consent as Consent."""
    scope = "treatment" if row.kind in ("treatment", "assignment-of-benefits") else "patient-privacy"
    states = {"given": "active", "refused": "rejected", "withdrawn": "inactive"}
    period = {"start": row.effective_on.isoformat()}
    if row.expires_on:
        period["end"] = row.expires_on.isoformat()
    return {
        "resourceType": "Consent",
        "id": str(row.consent_id),
        "status": states[row.state],
        "scope": concept(coding(_CONSENT_SCOPE, scope)),
        "category": [concept(coding(_CONSENT_KIND, row.kind))],
        "patient": {"reference": f"Patient/{row.patient_id}"},
        "dateTime": instant(row.changed_at),
        "provision": {"type": "permit" if row.state == "given" else "deny", "period": period},
    }


def _extensions(row: Patient) -> list[Json]:
    extensions: list[Json] = []
    if row.races:
        categories = [{"url": "ombCategory", "valueCoding": _omb(code)} for code in row.races if code != "2131-1"]
        text = {"url": "text", "valueString": ", ".join(_LABELS[code] for code in row.races)}
        extensions.append({"url": US_CORE_RACE, "extension": [*categories, text]})
    if row.ethnicity:
        parts = [
            {"url": "ombCategory", "valueCoding": _omb(row.ethnicity)},
            {"url": "text", "valueString": _LABELS[row.ethnicity]},
        ]
        extensions.append({"url": US_CORE_ETHNICITY, "extension": parts})
    if row.birth_sex:
        extensions.append({"url": US_CORE_BIRTH_SEX, "valueCode": row.birth_sex})
    return extensions


def _omb(code: str) -> Json:
    return {"system": RACE_AND_ETHNICITY, "code": code, "display": _LABELS[code]}


def _telecom(row: PatientContact) -> Json:
    if row.kind == "email":
        return {"system": "email", "value": row.value}
    return {"system": "phone", "value": row.value, "use": row.kind}


def _address(row: PatientAddress) -> Json:
    period = {"start": row.valid_from.isoformat()}
    if row.valid_to:
        period["end"] = row.valid_to.isoformat()
    return {
        "use": row.use,
        "line": [row.line],
        "city": row.city,
        "state": row.state,
        "postalCode": row.postal_code,
        "country": "US",
        "period": period,
    }
