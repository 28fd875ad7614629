"""The R4 resource types, and what Wholechart must know of each: its patient and its dates.

Adding a type of a patient to the house adds one line to `_KNOWN`. Types without a line are still received, kept, read
and searched: by what is told in `search_parameters`.

In a line, `patient` is the element that names the patient (R4 Patient compartment), and `dates` are the elements that
say when it happened, best first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hub_core.fhir.canonical import Json


@dataclass(frozen=True, slots=True)
class ResourceType:
    """What is known of one R4 resource type."""

    name: str
    patient: tuple[str, ...] = ()
    """Path of the reference to the patient; `("id",)` for Patient itself, empty where there is none."""
    dates: tuple[str, ...] = ()
    """Paths in JSON names of when it happened, best first: `effectiveDateTime`, `effectivePeriod.start`."""


def _known(name: str, patient: str = "", dates: str = "") -> ResourceType:
    return ResourceType(name, tuple(patient.split(".")) if patient else (), tuple(dates.split()))


_KNOWN = (
    _known("Account", "subject", "servicePeriod.start"),
    _known("AdverseEvent", "subject", "date detected recordedDate"),
    _known("AllergyIntolerance", "patient", "onsetDateTime onsetPeriod.start recordedDate lastOccurrence"),
    _known("Appointment", "participant.actor", "start created"),
    _known("AppointmentResponse", "actor", "start"),
    _known("AuditEvent", "entity.what", "recorded"),
    _known("Basic", "subject", "created"),
    _known("BodyStructure", "patient"),
    _known("CarePlan", "subject", "period.start created"),
    _known("CareTeam", "subject", "period.start"),
    _known("ChargeItem", "subject", "occurrenceDateTime occurrencePeriod.start enteredDate"),
    _known("Claim", "patient", "billablePeriod.start created"),
    _known("ClaimResponse", "patient", "created"),
    _known("ClinicalImpression", "subject", "effectiveDateTime effectivePeriod.start date"),
    _known("Communication", "subject", "sent received"),
    _known("CommunicationRequest", "subject", "occurrenceDateTime authoredOn"),
    _known("Composition", "subject", "date"),
    _known("Condition", "subject", "onsetDateTime onsetPeriod.start recordedDate"),
    _known("Consent", "patient", "dateTime"),
    _known("Contract", "subject", "issued"),
    _known("Coverage", "beneficiary", "period.start"),
    _known("CoverageEligibilityRequest", "patient", "created"),
    _known("CoverageEligibilityResponse", "patient", "created"),
    _known("DetectedIssue", "patient", "identifiedDateTime identifiedPeriod.start"),
    _known("Device", "patient", "manufactureDate"),
    _known("DeviceRequest", "subject", "occurrenceDateTime authoredOn"),
    _known("DeviceUseStatement", "subject", "timingDateTime timingPeriod.start recordedOn"),
    _known("DiagnosticReport", "subject", "effectiveDateTime effectivePeriod.start issued"),
    _known("DocumentManifest", "subject", "created"),
    _known("DocumentReference", "subject", "context.period.start date"),
    _known("Encounter", "subject", "period.start"),
    _known("EnrollmentRequest", "candidate", "created"),
    _known("EpisodeOfCare", "patient", "period.start"),
    _known("ExplanationOfBenefit", "patient", "billablePeriod.start created"),
    _known("FamilyMemberHistory", "patient", "date"),
    _known("Flag", "subject", "period.start"),
    _known("Goal", "subject", "startDate statusDate"),
    _known("GuidanceResponse", "subject", "occurrenceDateTime"),
    _known("ImagingStudy", "subject", "started"),
    _known("Immunization", "patient", "occurrenceDateTime recorded"),
    _known("ImmunizationEvaluation", "patient", "date"),
    _known("ImmunizationRecommendation", "patient", "date"),
    _known("Invoice", "subject", "date"),
    _known("List", "subject", "date"),
    _known("MeasureReport", "subject", "date period.start"),
    _known("Media", "subject", "createdDateTime createdPeriod.start issued"),
    _known("MedicationAdministration", "subject", "effectiveDateTime effectivePeriod.start"),
    _known("MedicationDispense", "subject", "whenHandedOver whenPrepared"),
    _known("MedicationRequest", "subject", "authoredOn"),
    _known("MedicationStatement", "subject", "effectiveDateTime effectivePeriod.start dateAsserted"),
    _known("MolecularSequence", "patient"),
    _known("NutritionOrder", "patient", "dateTime"),
    _known("Observation", "subject", "effectiveDateTime effectivePeriod.start effectiveInstant issued"),
    _known("Patient", "id", "birthDate"),
    _known("PaymentReconciliation", "extension.valueReference", "paymentDate created"),
    _known("Person", "link.target", "birthDate"),
    _known("PractitionerRole", "", "period.start"),
    _known("Procedure", "subject", "performedDateTime performedPeriod.start"),
    _known("Provenance", "target", "occurredDateTime occurredPeriod.start recorded"),
    _known("QuestionnaireResponse", "subject", "authored"),
    _known("RelatedPerson", "patient", "birthDate"),
    _known("RequestGroup", "subject", "authoredOn"),
    _known("ResearchSubject", "individual", "period.start"),
    _known("RiskAssessment", "subject", "occurrenceDateTime occurrencePeriod.start"),
    _known("Schedule", "actor", "planningHorizon.start"),
    _known("ServiceRequest", "subject", "occurrenceDateTime occurrencePeriod.start authoredOn"),
    _known("Slot", "", "start"),
    _known("Specimen", "subject", "collection.collectedDateTime receivedTime"),
    _known("SupplyDelivery", "patient", "occurrenceDateTime"),
    _known("SupplyRequest", "deliverTo", "authoredOn"),
    _known("Task", "for", "authoredOn"),
    _known("VisionPrescription", "patient", "dateWritten"),
)

_OTHERS = """
ActivityDefinition Binary BiologicallyDerivedProduct Bundle CapabilityStatement CatalogEntry ChargeItemDefinition
CodeSystem CompartmentDefinition ConceptMap DeviceDefinition DeviceMetric EffectEvidenceSynthesis Endpoint
EnrollmentResponse EventDefinition Evidence EvidenceVariable ExampleScenario GraphDefinition Group HealthcareService
ImplementationGuide InsurancePlan Library Linkage Location Measure Medication MedicationKnowledge MedicinalProduct
MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient
MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical
MedicinalProductUndesirableEffect MessageDefinition MessageHeader NamingSystem ObservationDefinition
OperationDefinition OperationOutcome Organization OrganizationAffiliation Parameters PaymentNotice PlanDefinition
Practitioner Questionnaire ResearchDefinition ResearchElementDefinition ResearchStudy RiskEvidenceSynthesis
SearchParameter SpecimenDefinition StructureDefinition StructureMap Subscription Substance SubstanceNucleicAcid
SubstancePolymer SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification
TerminologyCapabilities TestReport TestScript ValueSet VerificationResult
"""

RESOURCE_TYPES: dict[str, ResourceType] = {
    known.name: known for known in sorted((*_KNOWN, *map(_known, _OTHERS.split())), key=lambda known: known.name)
}
"""Every R4 resource type that can be sent, by name (the abstract Resource and DomainResource cannot)."""


def patient_id(resource: Json) -> str | None:
    """Return the id of the patient a resource is about, from its `Patient/<id>` reference; None if it names none.

    Where several are named (two patients of one appointment), the first one.
    """
    known = RESOURCE_TYPES.get(resource.get("resourceType", ""))
    if known is None or not known.patient:
        return None
    if known.patient == ("id",):
        return resource.get("id")
    element = resource.get(known.patient[0])
    if type(element) is dict and len(known.patient) == 1:  # so it is in nearly all: no need to walk
        values: Iterable[Any] = (element,)
    else:
        values = _reach(resource, known.patient)
    for value in values:
        text = value.get("reference") if isinstance(value, dict) else None
        if isinstance(text, str) and text.startswith("Patient/"):
            return text.split("/", 2)[1]
    return None


def clinical_date(resource: Json) -> str | None:
    """Return when a resource happened, as FHIR wrote it (possibly partial: `2020-03`); None if it does not say."""
    known = RESOURCE_TYPES.get(resource.get("resourceType", ""))
    for path in known.dates if known else ():
        for value in _reach(resource, path.split(".")):
            if isinstance(value, str):
                return value
    return None


def _reach(node: Any, path: tuple[str, ...] | list[str]) -> Iterator[Any]:
    """Yield the values at a path, through arrays."""
    if isinstance(node, list):
        for child in node:
            yield from _reach(child, path)
    elif not path:
        yield node
    elif isinstance(node, dict) and path[0] in node:
        yield from _reach(node[path[0]], path[1:])
