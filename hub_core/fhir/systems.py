"""Names of the code and identifier systems in use, and builders of the data types mappers write most.

Builders leave out what is None or empty, as FHIR forbids both (R4 section 2.6.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from decimal import Decimal

    from hub_core.fhir.canonical import Json

# Clinical vocabularies
LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
CVX: Final = "http://hl7.org/fhir/sid/cvx"
MVX: Final = "http://hl7.org/fhir/sid/mvx"
NDC: Final = "http://hl7.org/fhir/sid/ndc"
UCUM: Final = "http://unitsofmeasure.org"
ICD10_CM: Final = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10_PCS: Final = "http://www.cms.gov/Medicare/Coding/ICD10"
ICD9_CM: Final = "http://hl7.org/fhir/sid/icd-9-cm"
CPT: Final = "http://www.ama-assn.org/go/cpt"
HCPCS: Final = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
CDT: Final = "http://www.ada.org/cdt"
MS_DRG: Final = "https://www.cms.gov/Medicare/Medicare-Fee-for-Service-Payment/AcuteInpatientPPS/MS-DRG-Classifications-and-Software"

# Codes of billing and administration
REVENUE_CODE: Final = "https://www.nubc.org/CodeSystem/RevenueCodes"
TYPE_OF_BILL: Final = "https://www.nubc.org/CodeSystem/TypeOfBill"
PLACE_OF_SERVICE: Final = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
PROVIDER_TAXONOMY: Final = "http://nucc.org/provider-taxonomy"
CLAIM_ADJUSTMENT_REASON: Final = "https://x12.org/codes/claim-adjustment-reason-codes"
CLAIM_ADJUSTMENT_GROUP: Final = "https://x12.org/codes/claim-adjustment-group-codes"
REMITTANCE_ADVICE_REMARK: Final = "https://x12.org/codes/remittance-advice-remark-codes"

# Identifiers
NPI: Final = "http://hl7.org/fhir/sid/us-npi"
SSN: Final = "http://hl7.org/fhir/sid/us-ssn"
EIN: Final = "urn:oid:2.16.840.1.113883.4.4"
MEDICARE_BENEFICIARY: Final = "http://hl7.org/fhir/sid/us-mbi"
PATIENT_CONTROL_NUMBER: Final = "https://wholechart.example/fhir/sid/patient-control-number"
"""The provider's number of a claim: CLM01 of an 837, echoed by the payer as CLP01 of an 835."""
OID_PREFIX: Final = "urn:oid:"
URI: Final = "urn:ietf:rfc:3986"

# HL7's own code systems
IDENTIFIER_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PARTICIPATION_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
ROLE_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
MARITAL_STATUS: Final = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"
NULL_FLAVOR: Final = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
OBSERVATION_INTERPRETATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
DIAGNOSTIC_SERVICE: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"
CONDITION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/condition-category"
CONDITION_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CONDITION_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ALLERGY_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
ALLERGY_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
DATA_ABSENT_REASON: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
APPOINTMENT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v2-0276"
LOCATION_PHYSICAL_TYPE: Final = "http://terminology.hl7.org/CodeSystem/location-physical-type"
ORGANIZATION_TYPE: Final = "http://terminology.hl7.org/CodeSystem/organization-type"
CLAIM_TYPE: Final = "http://terminology.hl7.org/CodeSystem/claim-type"
ADJUDICATION: Final = "http://terminology.hl7.org/CodeSystem/adjudication"
PROCESS_PRIORITY: Final = "http://terminology.hl7.org/CodeSystem/processpriority"
DIAGNOSIS_TYPE: Final = "http://terminology.hl7.org/CodeSystem/ex-diagnosistype"
RACE_AND_ETHNICITY: Final = "urn:oid:2.16.840.1.113883.6.238"

# Extensions
DATA_ABSENT_REASON_EXTENSION: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
US_CORE_RACE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
US_CORE_ETHNICITY: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity"
US_CORE_BIRTH_SEX: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"


def coding(system: str | None, code: str | None, display: str | None = None) -> Json:
    """Return a Coding."""
    return said(system=system, code=code, display=display)


def concept(*codings: Json, text: str | None = None) -> Json:
    """Return a CodeableConcept of the codings that say something, with the original text."""
    return said(coding=[each for each in codings if each], text=text)


def identifier(
    system: str | None,
    value: str | None,
    *,
    type_code: str | None = None,
    use: str | None = None,
    assigner: str | None = None,
) -> Json:
    """Return an Identifier; `type_code` is of HL7 table 0203 (`MR`, `SS`, `NPI`), `assigner` the assigner's name."""
    kind = concept(coding(IDENTIFIER_TYPE, type_code)) if type_code else None
    return said(use=use, type=kind, system=system, value=value, assigner=said(display=assigner))


def reference(resource_type: str, resource_id: str, display: str | None = None) -> Json:
    """Return a literal Reference: `{"reference": "Patient/..."}`."""
    return said(reference=f"{resource_type}/{resource_id}", display=display)


def logical_reference(resource_type: str, identified_by: Json, display: str | None = None) -> Json:
    """Return a Reference by identifier, to something this sender names but does not send (R4 section 2.3.0.2)."""
    return said(type=resource_type, identifier=identified_by, display=display)


def period(start: str | None, end: str | None) -> Json:
    """Return a Period of two FHIR dateTimes, either of which may be open."""
    return said(start=start, end=end)


def money(amount: Decimal, currency: str = "USD") -> Json:
    """Return a Money; the amount keeps its digits."""
    return {"value": amount, "currency": currency}


def quantity(value: Decimal, unit: str | None = None, *, system: str | None = None, code: str | None = None) -> Json:
    """Return a Quantity; the value keeps its digits, `system` belongs to `code`, `unit` is what people read."""
    return {"value": value, **said(unit=unit, system=system if code else None, code=code)}


def said(**elements: object) -> Json:
    """Return the elements that say something; FHIR has no empty ones (R4 section 2.6.2)."""
    return {name: value for name, value in elements.items() if value not in (None, "", [], {})}
