"""The R4 resource types, and what Wholechart must know of each: its patient, its dates, what it is searched by.

Adding a type to the house adds one line to `_KNOWN`. Types without a line are still received, kept and read by id.

In a line, `patient` is the element that names the patient (R4 Patient compartment), `dates` are the elements that say
when it happened, best first, and `search` lists search parameters: `code`, or `date=effective` where the parameter is
not the element's name in kebab case. Elements are paths without `[x]`; `search_values` finds their types itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub_core.fhir.canonical import Json


@dataclass(frozen=True, slots=True)
class ResourceType:
    """What is known of one R4 resource type."""

    name: str
    patient: tuple[str, ...] = ()
    """Path of the reference to the patient; `("id",)` for Patient itself, empty where there is none."""
    dates: tuple[str, ...] = ()
    """Paths in JSON names of when it happened, best first: `effectiveDateTime`, `effectivePeriod.start`."""
    search: tuple[str, ...] = ()
    """Search parameters beside `identifier` and `status`, which every type that has them gets: `date=effective`."""


def _known(name: str, patient: str = "", dates: str = "", search: str = "") -> ResourceType:
    return ResourceType(name, tuple(patient.split(".")) if patient else (), tuple(dates.split()), tuple(search.split()))


_PERSON = "name telecom address gender birthdate=birthDate"


_KNOWN = (
    _known("Account", "subject", "servicePeriod.start", "type name subject owner period=servicePeriod"),
    _known("AdverseEvent", "subject", "date detected recordedDate", "date category event subject"),
    _known(
        "AllergyIntolerance",
        "patient",
        "onsetDateTime onsetPeriod.start recordedDate lastOccurrence",
        "code category type clinicalStatus verificationStatus date=recordedDate",
    ),
    _known(
        "Appointment",
        "participant.actor",
        "start created",
        "date=start appointmentType serviceType serviceCategory specialty actor=participant.actor slot",
    ),
    _known("AppointmentResponse", "actor", "start", "appointment actor"),
    _known("AuditEvent", "entity.what", "recorded", "type date=recorded"),
    _known("Basic", "subject", "created", "code created subject"),
    _known("BodyStructure", "patient"),
    _known(
        "CarePlan",
        "subject",
        "period.start created",
        "category intent date=period subject encounter care-team=careTeam",
    ),
    _known(
        "CareTeam", "subject", "period.start", "category date=period subject encounter participant=participant.member"
    ),
    _known(
        "ChargeItem",
        "subject",
        "occurrenceDateTime occurrencePeriod.start enteredDate",
        "code occurrence entered-date=enteredDate subject context account",
    ),
    _known(
        "Claim",
        "patient",
        "billablePeriod.start created",
        "created use type provider insurer facility encounter=item.encounter",
    ),
    _known(
        "ClaimResponse", "patient", "created", "created use outcome insurer request requestor payment-date=payment.date"
    ),
    _known("ClinicalImpression", "subject", "effectiveDateTime effectivePeriod.start date", "date subject encounter"),
    _known("Communication", "subject", "sent received", "category sent received subject encounter sender recipient"),
    _known("CommunicationRequest", "subject", "occurrenceDateTime authoredOn", "category subject encounter requester"),
    _known("Composition", "subject", "date", "type category date subject encounter author title"),
    _known(
        "Condition",
        "subject",
        "onsetDateTime onsetPeriod.start recordedDate",
        "code category severity clinicalStatus verificationStatus subject encounter "
        "recordedDate onset-date=onset abatement-date=abatement",
    ),
    _known("Consent", "patient", "dateTime", "category scope date=dateTime organization"),
    _known("Contract", "subject", "issued", "issued subject"),
    _known(
        "Coverage",
        "beneficiary",
        "period.start",
        "type beneficiary subscriber policyHolder payor class-value=class.value",
    ),
    _known("CoverageEligibilityRequest", "patient", "created", "created provider insurer facility"),
    _known("CoverageEligibilityResponse", "patient", "created", "created outcome insurer request"),
    _known("DetectedIssue", "patient", "identifiedDateTime identifiedPeriod.start", "code identified"),
    _known("Device", "patient", "manufactureDate", "type manufacturer model=modelNumber organization=owner"),
    _known(
        "DeviceRequest", "subject", "occurrenceDateTime authoredOn", "intent subject encounter requester authoredOn"
    ),
    _known("DeviceUseStatement", "subject", "timingDateTime timingPeriod.start recordedOn", "device subject"),
    _known(
        "DiagnosticReport",
        "subject",
        "effectiveDateTime effectivePeriod.start issued",
        "code category date=effective issued subject encounter performer based-on=basedOn result",
    ),
    _known("DocumentManifest", "subject", "created", "type created subject author"),
    _known(
        "DocumentReference",
        "subject",
        "context.period.start date",
        "type category date period=context.period subject encounter=context.encounter author custodian description",
    ),
    _known(
        "Encounter",
        "subject",
        "period.start",
        "class type date=period reasonCode subject location=location.location participant=participant.individual "
        "service-provider=serviceProvider part-of=partOf episode-of-care=episodeOfCare appointment account",
    ),
    _known("Endpoint", search="name connectionType organization=managingOrganization"),
    _known("EnrollmentRequest", "candidate", "created", "subject=candidate"),
    _known("EpisodeOfCare", "patient", "period.start", "type date=period organization=managingOrganization"),
    _known(
        "ExplanationOfBenefit",
        "patient",
        "billablePeriod.start created",
        "created use type claim provider insurer facility coverage=insurance.coverage encounter=item.encounter",
    ),
    _known("FamilyMemberHistory", "patient", "date", "code=condition.code date relationship"),
    _known("Flag", "subject", "period.start", "code category date=period subject encounter"),
    _known(
        "Goal",
        "subject",
        "startDate statusDate",
        "category lifecycleStatus start-date=start target-date=target.due subject",
    ),
    _known("Group", search="type code member=member.entity managingEntity"),
    _known("GuidanceResponse", "subject", "occurrenceDateTime", "subject encounter"),
    _known("HealthcareService", search="name service-type=type specialty organization=providedBy location"),
    _known("ImagingStudy", "subject", "started", "started modality=series.modality subject encounter"),
    _known(
        "Immunization",
        "patient",
        "occurrenceDateTime recorded",
        "vaccineCode date=occurrence encounter location performer=performer.actor lotNumber",
    ),
    _known("ImmunizationEvaluation", "patient", "date", "date targetDisease"),
    _known("ImmunizationRecommendation", "patient", "date", "date vaccine-type=recommendation.vaccineCode"),
    _known("Invoice", "subject", "date", "type date subject account issuer recipient"),
    _known("List", "subject", "date", "code date subject encounter title"),
    _known("Location", search="name type address telecom organization=managingOrganization partof=partOf"),
    _known("MeasureReport", "subject", "date period.start", "type date period subject"),
    _known("Media", "subject", "createdDateTime createdPeriod.start issued", "type created subject encounter"),
    _known("Medication", search="code form manufacturer"),
    _known(
        "MedicationAdministration",
        "subject",
        "effectiveDateTime effectivePeriod.start",
        "code=medicationCodeableConcept medication=medicationReference effective-time=effective subject context "
        "performer=performer.actor request",
    ),
    _known(
        "MedicationDispense",
        "subject",
        "whenHandedOver whenPrepared",
        "code=medicationCodeableConcept medication=medicationReference type whenhandedover=whenHandedOver "
        "whenprepared=whenPrepared subject context performer=performer.actor prescription=authorizingPrescription",
    ),
    _known(
        "MedicationRequest",
        "subject",
        "authoredOn",
        "code=medicationCodeableConcept medication=medicationReference category intent priority authoredon=authoredOn "
        "subject encounter requester",
    ),
    _known(
        "MedicationStatement",
        "subject",
        "effectiveDateTime effectivePeriod.start dateAsserted",
        "code=medicationCodeableConcept medication=medicationReference category effective subject context",
    ),
    _known("MolecularSequence", "patient", search="type"),
    _known("NutritionOrder", "patient", "dateTime", "datetime=dateTime encounter"),
    _known(
        "Observation",
        "subject",
        "effectiveDateTime effectivePeriod.start effectiveInstant issued",
        "code category date=effective subject encounter performer",
    ),
    _known("Organization", search="name name=alias type address telecom partof=partOf"),
    _known(
        "Patient",
        "id",
        "birthDate",
        f"{_PERSON} organization=managingOrganization general-practitioner=generalPractitioner",
    ),
    _known(
        "PaymentReconciliation",
        "extension.valueReference",  # R4 has no element for the patient whose account a payment was posted to
        "paymentDate created",
        "created disposition outcome payment-issuer=paymentIssuer request requestor",
    ),
    _known("Person", "link.target", "birthDate", _PERSON),
    _known("Practitioner", search=_PERSON),
    _known(
        "PractitionerRole",
        "",
        "period.start",
        "role=code specialty practitioner organization location telecom date=period",
    ),
    _known(
        "Procedure",
        "subject",
        "performedDateTime performedPeriod.start",
        "code category date=performed subject encounter performer=performer.actor location",
    ),
    _known("Provenance", "target", "occurredDateTime occurredPeriod.start recorded", "recorded target agent=agent.who"),
    _known("QuestionnaireResponse", "subject", "authored", "authored subject encounter author source"),
    _known("RelatedPerson", "patient", "birthDate", f"{_PERSON} relationship"),
    _known("RequestGroup", "subject", "authoredOn", "code intent priority subject encounter authored=authoredOn"),
    _known("ResearchSubject", "individual", "period.start", "date=period individual study"),
    _known(
        "RiskAssessment",
        "subject",
        "occurrenceDateTime occurrencePeriod.start",
        "method date=occurrence subject encounter",
    ),
    _known("Schedule", "actor", "planningHorizon.start", "active serviceType specialty date=planningHorizon actor"),
    _known(
        "ServiceRequest",
        "subject",
        "occurrenceDateTime occurrencePeriod.start authoredOn",
        "code category intent priority subject encounter requester performer occurrence authored=authoredOn",
    ),
    _known("Slot", "", "start", "start serviceType specialty schedule"),
    _known(
        "Specimen",
        "subject",
        "collection.collectedDateTime receivedTime",
        "type collected=collection.collected subject",
    ),
    _known("SupplyDelivery", "patient", "occurrenceDateTime"),
    _known("SupplyRequest", "deliverTo", "authoredOn", "category date=authoredOn subject=deliverTo requester"),
    _known("Task", "for", "authoredOn", "code intent priority subject=for encounter owner requester authoredOn focus"),
    _known("VisionPrescription", "patient", "dateWritten", "datewritten=dateWritten encounter prescriber"),
)

_OTHERS = """
ActivityDefinition Binary BiologicallyDerivedProduct Bundle CapabilityStatement CatalogEntry ChargeItemDefinition
CodeSystem CompartmentDefinition ConceptMap DeviceDefinition DeviceMetric EffectEvidenceSynthesis EnrollmentResponse
EventDefinition Evidence EvidenceVariable ExampleScenario GraphDefinition ImplementationGuide InsurancePlan Library
Linkage Measure MedicationKnowledge MedicinalProduct MedicinalProductAuthorization MedicinalProductContraindication
MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured
MedicinalProductPackaged MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition
MessageHeader NamingSystem ObservationDefinition OperationDefinition OperationOutcome OrganizationAffiliation
Parameters PaymentNotice PlanDefinition Questionnaire ResearchDefinition
ResearchElementDefinition ResearchStudy RiskEvidenceSynthesis SearchParameter SpecimenDefinition StructureDefinition
StructureMap Subscription Substance SubstanceNucleicAcid SubstancePolymer SubstanceProtein
SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification TerminologyCapabilities TestReport
TestScript ValueSet VerificationResult
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
    for value in _reach(resource, known.patient):
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
