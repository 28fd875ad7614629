"""Resources of STU3 and R5 become what R4's own models take, keep what they said, or are refused by name."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from connectors.connector import Origin
from connectors.fhir import r5, releases, stu3
from connectors.fhir.connector import FHIRConnector
from hub_core.errors import UnreadableError
from hub_core.fhir.canonical import Json, dumps

JANE = {"reference": "Patient/p1"}
VISIT = {"reference": "Encounter/e1"}
FLU = {"text": "Influenza"}
EVERY = {"STU3": stu3.RULES, "R5": r5.RULES}


def stated(resource_type: str, /, **elements: Any) -> Json:
    return {"resourceType": resource_type, "id": "x1", **elements}


STU3 = {
    "patient": stated("Patient", animal={"species": FLU, "breed": {"text": "Beagle"}}),
    "condition": stated(
        "Condition",
        subject=JANE,
        context=VISIT,
        clinicalStatus="resolved",
        verificationStatus="confirmed",
        assertedDate="2017-03-01",
        abatementBoolean=True,
        stage={"summary": FLU},
    ),
    "allergy": stated(
        "AllergyIntolerance", patient=JANE, clinicalStatus="active", verificationStatus="confirmed", assertedDate="2017"
    ),
    "observation": stated(
        "Observation",
        status="final",
        code=FLU,
        subject=JANE,
        context=VISIT,
        comment="taken twice",
        interpretation={"text": "high"},
        related=[{"type": "has-member", "target": {"reference": "Observation/o2"}}],
        component=[{"code": FLU, "interpretation": {"text": "low"}}],
    ),
    "encounter": stated(
        "Encounter",
        status="finished",
        **{"class": {"code": "AMB"}},
        subject=JANE,
        reason=[FLU],
        appointment={"reference": "Appointment/a1"},
        diagnosis=[{"condition": {"reference": "Condition/c1"}, "role": FLU}],
    ),
    "order": stated(
        "MedicationRequest",
        status="active",
        intent="order",
        medicationCodeableConcept=FLU,
        subject=JANE,
        context=VISIT,
        category={"text": "outpatient"},
        requester={"agent": {"reference": "Practitioner/d1"}, "onBehalfOf": {"reference": "Organization/o1"}},
        substitution={"allowed": False},
    ),
    "statement": stated(
        "MedicationStatement",
        status="active",
        medicationCodeableConcept=FLU,
        subject=JANE,
        taken="y",
        reasonNotTaken=[FLU],
    ),
    "vaccination": stated(
        "Immunization",
        status="completed",
        notGiven=True,
        vaccineCode=FLU,
        patient=JANE,
        date="2017-10-02",
        primarySource=True,
        practitioner=[{"actor": {"reference": "Practitioner/d1"}, "role": FLU}],
        explanation={"reasonNotGiven": [FLU]},
    ),
    "procedure": stated(
        "Procedure",
        status="aborted",
        subject=JANE,
        context=VISIT,
        performer=[{"actor": {"reference": "Practitioner/d1"}, "role": FLU}],
    ),
    "report": stated(
        "DiagnosticReport",
        status="final",
        code=FLU,
        context=VISIT,
        category=FLU,
        codedDiagnosis=[FLU],
        performer=[{"actor": {"reference": "Practitioner/d1"}, "role": FLU}],
        image=[{"link": {"reference": "Media/m1"}}],
    ),
    "document": stated(
        "DocumentReference",
        status="current",
        indexed="2017-03-01T10:00:00Z",
        created="2017-03-01",
        **{"class": FLU},
        content=[{"attachment": {"contentType": "text/plain"}}],
        context={"encounter": VISIT, "related": [{"ref": JANE}]},
    ),
    "coverage": stated(
        "Coverage",
        status="active",
        beneficiary=JANE,
        payor=[{"reference": "Organization/o1"}],
        grouping={"group": "G7", "groupDisplay": "Seven", "subPlan": "P1"},
        sequence="2",
    ),
    "appointment": stated(
        "Appointment", status="booked", reason=[FLU], serviceCategory=FLU, participant=[{"status": "accepted"}]
    ),
    "place": stated("Location", type=FLU),
}
R5 = {
    "encounter": stated(
        "Encounter",
        status="discharged",
        **{"class": [{"coding": [{"code": "IMP"}], "text": "inpatient"}]},
        subject=JANE,
        subjectStatus=FLU,
        actualPeriod={"start": "2024-03-01"},
        serviceType=[{"concept": FLU}],
        dietPreference=[FLU],
        admission={"dischargeDisposition": FLU},
        reason=[{"use": [FLU], "value": [{"concept": FLU}, {"reference": {"reference": "Condition/c1"}}]}],
        participant=[{"actor": {"reference": "Practitioner/d1"}}],
        diagnosis=[{"condition": [{"reference": {"reference": "Condition/c1"}}], "use": [FLU]}],
        location=[{"location": {"reference": "Location/l1"}, "form": FLU}],
    ),
    "condition": stated(
        "Condition",
        subject=JANE,
        clinicalStatus=FLU,
        evidence=[{"concept": FLU}, {"reference": {"reference": "Observation/o1"}}],
        participant=[{"function": {"coding": [{"code": "author"}]}, "actor": {"reference": "Practitioner/d1"}}],
    ),
    "allergy": stated(
        "AllergyIntolerance",
        patient=JANE,
        type={"coding": [{"code": "allergy"}]},
        reaction=[{"manifestation": [{"concept": FLU}]}],
    ),
    "observation": stated(
        "Observation",
        status="final",
        code=FLU,
        instantiatesCanonical="http://example.org/x",
        referenceRange=[{"text": "usual", "normalValue": FLU}],
    ),
    "order": stated(
        "MedicationRequest",
        status="ended",
        intent="order",
        subject=JANE,
        medication={"concept": FLU},
        reason=[{"concept": FLU}],
        reported=True,
        performer=[{"reference": "Practitioner/d1"}],
        statusChanged="2024-03-01",
        dispenseRequest={"dispenser": {"reference": "Organization/o1"}},
    ),
    "statement": stated(
        "MedicationStatement",
        status="recorded",
        subject=JANE,
        medication={"reference": {"reference": "Medication/m1"}},
        category=[FLU],
        encounter=VISIT,
        informationSource=[JANE],
    ),
    "vaccination": stated(
        "Immunization",
        status="completed",
        vaccineCode=FLU,
        patient=JANE,
        occurrenceDateTime="2024-10-02",
        manufacturer={"reference": {"reference": "Organization/o1"}},
        informationSource={"concept": FLU},
        protocolApplied=[{"doseNumber": "1", "seriesDoses": "2"}],
    ),
    "procedure": stated(
        "Procedure",
        status="completed",
        subject=JANE,
        occurrenceDateTime="2024-03-01",
        category=[FLU],
        recorded="2024-03-02",
        used=[{"concept": FLU}],
        complication=[{"reference": {"reference": "Condition/c1"}}],
    ),
    "report": stated(
        "DiagnosticReport", status="final", code=FLU, study=[{"reference": "ImagingStudy/i1"}], note=[{"text": "late"}]
    ),
    "document": stated(
        "DocumentReference",
        status="current",
        period={"start": "2024-03-01"},
        context=[VISIT],
        event=[{"concept": FLU}],
        facilityType=FLU,
        relatesTo=[{"code": {"coding": [{"code": "replaces"}]}, "target": {"reference": "DocumentReference/d2"}}],
        content=[{"attachment": {"contentType": "text/plain"}, "profile": [{"valueCoding": {"code": "ccda"}}]}],
    ),
    "coverage": stated(
        "Coverage",
        status="active",
        kind="insurance",
        beneficiary=JANE,
        insurer={"reference": "Organization/o1"},
        subscriberId=[{"value": "W1"}],
        **{"class": [{"type": FLU, "value": {"value": "G7"}}]},
    ),
    "appointment": stated(
        "Appointment",
        status="cancelled",
        cancellationReason=FLU,
        reason=[{"concept": FLU}],
        serviceType=[{"concept": FLU}],
        participant=[{"status": "accepted"}],
    ),
    "dose": stated(
        "MedicationStatement",
        status="active",
        medicationCodeableConcept=FLU,
        subject=JANE,
        dosage=[{"text": "at night", "asNeededFor": [FLU], "asNeeded": True}],
    ),
    "picture": stated("Patient", photo=[{"contentType": "image/png", "height": 64, "width": 48}]),
    "wave": stated(
        "Observation",
        status="final",
        code=FLU,
        valueSampledData={
            "origin": {"value": 0},
            "interval": 2.5,
            "intervalUnit": "s",
            "dimensions": 1,
            "data": "1 2 3",
        },
    ),
    "clinician": stated("Practitioner", communication=[{"language": FLU, "preferred": True}], deceasedBoolean=False),
    "group": stated("Organization", name="East", contact=[{"name": [{"family": "Berg"}], "telecom": [{"value": "1"}]}]),
}
STU3 |= {
    "dose": stated(
        "MedicationRequest",
        intent="order",
        status="active",
        subject=JANE,
        medicationCodeableConcept=FLU,
        dosageInstruction=[
            {"rateRatio": {"numerator": {"value": 1}}, "doseQuantity": {"value": 2, "unit": "tablet"}, "text": "twice"}
        ],
    ),
    "price": stated(
        "ChargeItem",
        status="billed",
        subject=JANE,
        code=FLU,
        priceOverride={"system": "urn:iso:std:iso:4217", "code": "USD", "value": 12.5},
    ),
    "signed": stated(
        "Provenance",
        recorded="2017-03-01T10:00:00Z",
        target=[JANE],
        agent=[{"who": JANE}],
        signature=[
            {
                "type": [{"code": "1.2.840.10065.1.12.1.1"}],
                "when": "2017-03-01T10:00:00Z",
                "whoReference": {"reference": "Practitioner/d1"},
                "onBehalfOfUri": "https://east.example/",
                "contentType": "application/jose",
                "blob": "aGVsbG8=",
            }
        ],
    ),
}
CASES = [(release, name) for release, cases in (("STU3", STU3), ("R5", R5)) for name in cases]


@pytest.mark.parametrize(("release", "name"), CASES)
def test_what_another_release_says_is_valid_r4_and_nothing_of_it_is_lost(release: str, name: str) -> None:
    resource = (STU3 if release == "STU3" else R5)[name]
    before = copy.deepcopy(resource)
    said, told = releases.to_r4(resource, resource["resourceType"])
    get_fhir_model_class(said["resourceType"]).model_validate(said)
    assert [issue.text for issue in told] == [f"read as FHIR {release} and converted to R4"]
    assert resource == before
    assert leaves(resource) - leaves(said) <= UNSAID
    assert releases.to_r4(said, said["resourceType"]) == (said, [])


UNSAID = {"True", "completed", "has-member", "author", "urn:iso:std:iso:4217"}
"""What R4 says in another way: a status of its own, a name of an element, a flag, the system of currencies."""


def leaves(node: Any) -> set[str]:
    if isinstance(node, dict):
        return set().union(*map(leaves, node.values()))
    return set().union(*map(leaves, node)) if isinstance(node, list) else {str(node)}


def test_the_words_of_stu3_stand_where_r4_has_them() -> None:
    said = {name: releases.to_r4(resource, "")[0] for name, resource in STU3.items()}
    [code] = said["condition"]["clinicalStatus"]["coding"]
    assert code == {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "resolved"}
    assert said["condition"]["extension"] == [
        {
            "url": "http://hl7.org/fhir/3.0/StructureDefinition/extension-Condition.abatementBoolean",
            "valueBoolean": True,
        }
    ]
    assert (said["condition"]["encounter"], said["condition"]["recordedDate"]) == (VISIT, "2017-03-01")
    assert said["observation"]["hasMember"] == [{"reference": "Observation/o2"}]
    assert (said["vaccination"]["status"], said["vaccination"]["statusReason"]) == ("not-done", FLU)
    assert said["vaccination"]["occurrenceDateTime"] == "2017-10-02"
    assert said["procedure"]["status"] == "stopped"
    assert [each["value"] for each in said["coverage"]["class"]] == ["G7", "P1"]
    assert said["order"]["requester"]["reference"] == "Practitioner/d1"


def test_the_words_of_r5_stand_where_r4_has_them() -> None:
    said = {name: releases.to_r4(resource, "")[0] for name, resource in R5.items()}
    visit = said["encounter"]
    assert (visit["class"], visit["status"]) == ({"code": "IMP", "display": "inpatient"}, "finished")
    assert visit["extension"][-1]["valueCode"] == "discharged"
    assert visit["hospitalization"] == {"dischargeDisposition": FLU, "dietPreference": [FLU]}
    assert visit["reasonReference"][0]["reference"] == "Condition/c1"
    assert said["order"]["medicationCodeableConcept"] == FLU
    assert said["document"]["context"] == {
        "period": {"start": "2024-03-01"},
        "encounter": [VISIT],
        "event": [FLU],
        "facilityType": FLU,
    }
    assert said["procedure"]["performedDateTime"] == "2024-03-01"
    assert said["coverage"]["payor"] == [{"reference": "Organization/o1"}]


def test_inside_of_data_types_too_each_element_stands_where_r4_has_it() -> None:
    old = {name: releases.to_r4(STU3[name], "")[0] for name in ("dose", "price", "signed")}
    new = {name: releases.to_r4(R5[name], "")[0] for name in ("dose", "picture", "wave")}
    assert old["dose"]["dosageInstruction"] == [
        {
            "text": "twice",
            "doseAndRate": [
                {"doseQuantity": {"value": 2, "unit": "tablet"}, "rateRatio": {"numerator": {"value": 1}}},
            ],
        }
    ]
    assert old["price"]["priceOverride"] == {"value": 12.5, "currency": "USD"}
    [signature] = old["signed"]["signature"]
    assert signature["onBehalfOf"]["identifier"]["value"] == "https://east.example/"
    assert (signature["sigFormat"], signature["data"]) == ("application/jose", "aGVsbG8=")
    assert new["dose"]["dosage"] == [{"text": "at night", "asNeededCodeableConcept": FLU}]
    url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Attachment"
    assert new["picture"]["photo"][0]["extension"] == [
        {"url": f"{url}.height", "valueInteger": 64},
        {"url": f"{url}.width", "valueInteger": 48},
    ]
    assert dumps(new["wave"]["valueSampledData"]["period"]) == b"2500.0"


def test_what_a_data_type_says_and_r4_cannot_is_kept_beside_it() -> None:
    doses: list[Json] = [
        {"asNeeded": False},
        {"asNeeded": True},
        {"asNeededFor": [FLU, FLU]},
        {"maxDosePerPeriod": [{"numerator": {"value": 2}}]},
    ]
    said, _ = releases.to_r4(stated("MedicationStatement", dosage=doses), "")
    url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Dosage.asNeededFor"
    assert said["dosage"] == [
        {"asNeededBoolean": False},
        {"asNeededBoolean": True},
        {"extension": [{"url": url, "valueCodeableConcept": FLU}] * 2},
        {"maxDosePerPeriod": {"numerator": {"value": 2}}},
    ]
    points = {"value": 3, "code": "pts", "system": "https://east.example/points"}
    said, _ = releases.to_r4(stated("ChargeItem", priceOverride=points), "")
    assert said["priceOverride"]["value"] == 3
    assert {each["url"].rpartition(".")[2] for each in said["priceOverride"]["extension"]} == {"code", "system"}
    assert "currency" not in said["priceOverride"]
    seconds = {"interval": 2, "intervalUnit": "wk", "dimensions": 1, "data": "1 2"}
    said, _ = releases.to_r4(stated("Observation", valueSampledData=seconds), "")
    assert "period" not in said["valueSampledData"]
    assert len(said["valueSampledData"]["extension"]) == 2


@pytest.mark.parametrize(
    ("resource", "place"),
    [
        (stated("Observation", triggeredBy=[{"observation": JANE, "reason": "x"}]), "Observation.triggeredBy"),
        (stated("MedicationRequest", device=[{"concept": FLU}]), "MedicationRequest.device"),
        (stated("Observation", related=[{"type": "sequel-to", "target": JANE}]), "Observation.related"),
        (stated("Encounter", diagnosis=[{"condition": [{"concept": FLU}]}]), "Encounter.diagnosis[0].condition"),
        (stated("Condition", clinicalStatus="active", _clinicalStatus={"id": "a"}), "Condition.clinicalStatus"),
        (stated("Encounter", reason=[{"value": ["no object"]}]), "Encounter.reason"),
    ],
)  # fmt: skip
def test_what_r4_has_no_place_for_is_refused_by_name(resource: Json, place: str) -> None:
    with pytest.raises(UnreadableError, match="has no place in R4") as refused:
        releases.to_r4(resource, resource["resourceType"])
    assert place in refused.value.location
    [outcome] = FHIRConnector().convert(dumps(resource), Origin("clinic"))
    assert outcome.state == "rejected"


def test_what_is_said_of_the_release_is_believed_and_what_only_another_has_refused() -> None:
    both = stated("Encounter", appointment=JANE, diagnosis=[{"role": FLU}], subjectStatus=FLU)
    old = stated("Condition", assertedDate="2017-03-01")
    for said in (None, "STU3"):
        assert releases.to_r4(old, "Condition", said)[0] == stated("Condition", recordedDate="2017-03-01")
    for said in ("R4", "R4B", "R5"):
        with pytest.raises(UnreadableError, match=f"assertedDate is of FHIR STU3, but this is said to be FHIR {said}"):
            releases.to_r4(old, "Condition", said)
    for said, other in (("STU3", "subjectStatus is of FHIR R5"), ("R5", "is of FHIR STU3"), ("R4", "is of FHIR")):
        with pytest.raises(UnreadableError, match=other) as refused:
            releases.to_r4(both, "Bundle.entry[1].resource", said)
        assert refused.value.location.startswith("Bundle.entry[1].resource.")
    plain = stated("Condition", recordedDate="2017-03-01")
    assert all(releases.to_r4(plain, "", said) == (plain, []) for said in (None, "STU3", "R4", "R4B", "R5"))
    paused = stated("Procedure", status="suspended")
    assert releases.to_r4(paused, "", "R4") == (paused, [])
    assert releases.to_r4(paused, "", "STU3")[0]["status"] == "on-hold"


def test_resources_of_a_bundle_are_of_the_release_that_is_said() -> None:
    old = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": stated("Slot")},
           {"resource": stated("Condition", assertedDate="2017-03-01")}]}  # fmt: skip
    [outcome] = FHIRConnector().convert(dumps(old), Origin("clinic", release="R5"))
    assert [fact.resource["resourceType"] for fact in outcome.facts] == ["Slot"]
    assert [issue.location for issue in outcome.issues] == ["Bundle.entry[1].resource.assertedDate"]


def test_what_only_looks_foreign_is_left_as_it_is() -> None:
    contact = {"purpose": FLU, "name": {"family": "Berg"}, "telecom": [{"value": "1"}]}
    for resource in (
        stated("Organization", contact=[contact]),
        stated("Encounter", status=["no code"], **{"class": {"code": "AMB"}}),
        stated("Condition", stage=[{"summary": FLU}], clinicalStatus={"text": "active"}),
        stated("DiagnosticReport", performer=[JANE], category=[FLU]),
        stated("DocumentReference", context={"encounter": [VISIT], "related": [JANE]}),
    ):
        assert releases.to_r4(resource, "") == (resource, [])


def test_several_classes_of_an_encounter_are_kept_beside_it() -> None:
    said, _ = releases.to_r4(stated("Encounter", **{"class": [FLU, FLU]}), "Encounter")
    url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.class"
    assert said == stated("Encounter", extension=[{"url": url, "valueCodeableConcept": FLU}] * 2)


def test_contained_resources_and_entries_of_a_bundle_are_read_by_themselves() -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"resource": stated("Observation", triggeredBy=[{"observation": JANE}])},
            {"resource": stated("Patient", contained=[STU3["condition"]])},
        ],
    }
    [outcome] = FHIRConnector().convert(dumps(bundle), Origin("clinic"))
    [fact] = outcome.facts
    assert fact.resource["contained"][0]["recordedDate"] == "2017-03-01"
    assert [issue.location for issue in outcome.issues] == ["Bundle.entry[0].resource.triggeredBy"]


def test_every_rule_is_for_something_that_its_release_has_otherwise() -> None:
    for release, rules in EVERY.items():
        for path in rules:
            marks: Any = releases._marks(release)
            for name in path.split("."):
                marks = marks[name]
            assert isinstance(marks, str), path
