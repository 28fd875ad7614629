"""How cardiology's system writes FHIR R4: one resource a line, codes and identifiers under their systems."""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from pipelines.simulation.clocks import clock
from pipelines.simulation.group import EXCHANGE, PRACTICES
from pipelines.simulation.world import Code, Identifier

Content: TypeAlias = dict[str, Any]

PRACTICE: Final = PRACTICES["cardiology"]
instant: Final = clock(PRACTICE.zone).written
"""Returns an instant to the second, as the clocks of the practice show it."""
BASE: Final = "https://cardiology.riverbend.example"
TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
NPI: Final = "http://hl7.org/fhir/sid/us-npi"
_US_CORE: Final = "http://hl7.org/fhir/us/core/StructureDefinition"
_IDENTIFIER_TYPE: Final = f"{TERMINOLOGY}/v2-0203"
_CODE_SYSTEMS: Final = {
    "ICD-10-CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "LOINC": "http://loinc.org",
    "RxNorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "CVX": "http://hl7.org/fhir/sid/cvx",
    "HCPCS": "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "CPT": "http://www.ama-assn.org/go/cpt",
}
_ASSIGNERS: Final = {EXCHANGE: f"urn:id:{EXCHANGE}"}
"""Systems of those who assign numbers for several sites; the site's own numbers are under its own system."""
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_NUMBER: Final = re.compile(r'"\\u0000([^"]+)"')


class Version(NamedTuple):
    """A resource as it stands from a moment on."""

    since: datetime
    type: str
    id: str
    content: Content


def line(version: Version, number: int) -> str:
    """Return the line of an export that holds the `number`-th version of a resource."""
    resource = {
        "resourceType": version.type,
        "id": version.id,
        "meta": {
            "versionId": str(number),
            "lastUpdated": instant(version.since),
            "profile": [f"{_US_CORE}/{_PROFILES[version.type]}"],
        }
        if version.type in _PROFILES
        else {"versionId": str(number), "lastUpdated": instant(version.since)},
        **version.content,
    }
    text = _ENCODER.encode(resource)
    return _NUMBER.sub(r"\1", text) if "\\u0000" in text else text


def exact(value: Decimal) -> str:
    """Return a number that `line` writes digit for digit, which a float could not keep."""
    return f"\0{value:f}"


def reference(resource_type: str, resource_id: str, display: str = "") -> Content:
    """Return a reference to a resource of the same export."""
    target = {"reference": f"{resource_type}/{resource_id}"}
    return {**target, "display": display} if display else target


@lru_cache(maxsize=4096)
def concept(code: Code) -> Content:
    """Return a CodeableConcept of a code, with its label where it has one; it is shared, and not to be changed."""
    coding = {"system": _CODE_SYSTEMS[code.system], "code": code.code}
    return {"coding": [{**coding, "display": code.label}], "text": code.label} if code.label else {"coding": [coding]}


@lru_cache(maxsize=1024)
def term(system: str, code: str, display: str = "") -> Content:
    """Return a CodeableConcept of HL7's own terminology (`condition-clinical`, `active`), or of a system by its URI.

    It is shared, and not to be changed.
    """
    uri = system if "/" in system else f"{TERMINOLOGY}/{system}"
    coding = {"system": uri, "code": code}
    return {"coding": [{**coding, "display": display} if display else coding]}


def identifier(number: Identifier) -> Content:
    """Return an Identifier of a patient; the exchange's number has the name that every site gives its system."""
    return {
        "type": {"coding": [{"system": _IDENTIFIER_TYPE, "code": number.kind}]},
        "system": _ASSIGNERS.get(number.assigner, f"{BASE}/mrn"),
        "value": number.value,
    }


_PROFILES: Final = {
    "AllergyIntolerance": "us-core-allergyintolerance",
    "Condition": "us-core-condition-problems-health-concerns",
    "Coverage": "us-core-coverage",
    "DiagnosticReport": "us-core-diagnosticreport-lab",
    "Encounter": "us-core-encounter",
    "Location": "us-core-location",
    "MedicationRequest": "us-core-medicationrequest",
    "Observation": "us-core-observation-lab",
    "Organization": "us-core-organization",
    "Patient": "us-core-patient",
    "Practitioner": "us-core-practitioner",
}
"""Profiles of US Core 6.1 that the system says its resources follow."""
