"""The names FHIR gives to the code systems that X12 claims and remittances use."""

from __future__ import annotations

import re

from hub_core.fhir.canonical import Json
from hub_core.fhir.systems import CPT, HCPCS, ICD9_CM, ICD10_CM, NDC

MEMBER_LIABILITY = "http://hl7.org/fhir/us/carin-bb/CodeSystem/C4BBAdjudication"
OWN_ADJUDICATION = "https://wholechart.example/fhir/CodeSystem/adjudication"
OWN_INFORMATION = "https://wholechart.example/fhir/CodeSystem/claim-information"
OWN_IDENTIFIER = "https://wholechart.example/fhir/sid/"
OWN_EXTENSION = "https://wholechart.example/fhir/StructureDefinition/"
PAYER_CONTROL_NUMBER = OWN_IDENTIFIER + "payer-control-number"
"""The payer's number of a claim: CLP07, referred to by REF*F8."""
LINE_NUMBER = OWN_EXTENSION + "line-item-control-number"
"""Extension of an item: the provider's number of the line (REF*6R), which a remittance repeats."""

CLAIM_STATUS, CLAIM_FREQUENCY, PLB_REASON = "1029", "1325", "426"
FILING_INDICATOR, RELATIONSHIP, PAYMENT_METHOD, ENTITY, UNIT = "1032", "1069", "591", "98", "355"
"""Data elements of X12 whose codes are kept, by number."""

_DIAGNOSIS_SYSTEMS = {
    "ABK": ICD10_CM, "ABF": ICD10_CM, "ABJ": ICD10_CM, "APR": ICD10_CM, "ABN": ICD10_CM,
    "BK": ICD9_CM, "BF": ICD9_CM, "BJ": ICD9_CM, "PR": ICD9_CM, "BN": ICD9_CM,
}  # fmt: skip
_PRODUCT_SYSTEMS = {"HC": HCPCS, "N4": NDC}
_CPT_FORM = re.compile(r"\d{4}[0-9A-Z]", re.ASCII)


def element_system(element: str) -> str:
    """Return the code system of an X12 data element in version 005010."""
    return f"https://codesystem.x12.org/005010/{element}"


def coded(system: str, code: str, text: str | None = None) -> Json:
    """Return a CodeableConcept of one coding, without a display."""
    concept: Json = {"coding": [{"system": system, "code": code}]}
    if text:
        concept["text"] = text
    return concept


def diagnosis(qualifier: str, code: str) -> Json | None:
    """Return a diagnosis with the decimal point its code system writes and X12 leaves out; None for other qualifiers.

    The code as sent stays in `text`.
    """
    system = _DIAGNOSIS_SYSTEMS.get(qualifier)
    if system is None or not code:
        return None
    return coded(system, _with_point(system, code), code)


def is_diagnosis(qualifier: str) -> bool:
    """Return whether a code list qualifier (HI01-1) says diagnosis."""
    return qualifier in _DIAGNOSIS_SYSTEMS


def procedure(qualifier: str, code: str) -> Json:
    """Return the coding of a service (SV101, SVC01): CPT has the form 99213 or 0001F, HCPCS level II a letter first."""
    system = _PRODUCT_SYSTEMS.get(qualifier, element_system("235") + f"-{qualifier}")
    if system == HCPCS and _CPT_FORM.fullmatch(code):
        system = CPT
    return {"system": system, "code": code}


def modifier(code: str) -> Json:
    """Return a procedure modifier: two digits are CPT's, any other HCPCS level II's."""
    return coded(CPT if code.isdigit() else HCPCS, code)


def _with_point(system: str, code: str) -> str:
    stem = 4 if system == ICD9_CM and code.startswith("E") else 3
    return code if "." in code or len(code) <= stem else f"{code[:stem]}.{code[stem:]}"
