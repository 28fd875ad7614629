"""What a chart shows of each kind of resource."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from hub_api.practice.lines import Line, line, status
from hub_core.fhir.canonical import Json, load_object


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            '{"resourceType": "Observation", "code": {"text": "Glucose"},'
            ' "valueQuantity": {"value": 98.10, "unit": "mg/dL"},'
            ' "interpretation": [{"coding": [{"code": "N", "display": "Normal"}]}],'
            ' "referenceRange": [{"low": {"value": 70}, "high": {"value": 110}}]}',
            Line("Results", "Glucose", "98.10 mg/dL · Normal · normal 70-110"),
        ),
        (
            '{"resourceType": "Observation", "code": {"text": "Blood pressure"},'
            ' "category": [{"coding": [{"code": "vital-signs"}]}],'
            ' "component": [{"code": {"text": "Systolic"}, "valueQuantity": {"value": 120, "unit": "mmHg"}},'
            ' {"code": {"text": "Diastolic"}, "valueQuantity": {"value": 80, "unit": "mmHg"}}]}',
            Line("Vital signs", "Blood pressure", "Systolic 120 mmHg, Diastolic 80 mmHg"),
        ),
        (
            '{"resourceType": "Observation", "code": {"text": "HIV"}, "dataAbsentReason": {"text": "refused"}}',
            Line("Results", "HIV", "refused"),
        ),
        (
            '{"resourceType": "Patient", "name": [{"use": "old", "family": "Lee"}, {"use": "official",'
            ' "given": ["Ada", "B"], "family": "Okafor"}], "birthDate": "1980", "gender": "female"}',
            Line("Registration", "Ada B Okafor", "1980 · female"),
        ),
        ('{"resourceType": "Patient"}', Line("Registration", "(no name)", "")),
        (
            '{"resourceType": "Claim", "total": {"value": 1234.5, "currency": "USD"},'
            ' "item": [{"productOrService": {"coding": [{"code": "99213"}]}}]}',
            Line("Billing", "Claim 1,234.50 USD", "99213"),
        ),
        (
            '{"resourceType": "ExplanationOfBenefit", "payment": {"amount": {"value": 80, "currency": "USD"}},'
            ' "total": [{"category": {"text": "Billed"}, "amount": {"value": 100.125, "currency": "USD"}}]}',
            Line("Billing", "Paid 80.00 USD", "Billed 100.13 USD"),
        ),
        (
            '{"resourceType": "Immunization", "vaccineCode": {"coding": [{"code": "03", "display": "MMR"}]},'
            ' "lotNumber": "L1", "doseQuantity": {"value": 0.5, "unit": "mL"}}',
            Line("Immunizations", "MMR", "0.5 mL · lot L1"),
        ),
        (
            '{"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": "Metformin"},'
            ' "dosageInstruction": [{"text": "twice a day"}]}',
            Line("Medications", "Metformin", "twice a day"),
        ),
        (
            '{"resourceType": "AllergyIntolerance", "code": {"text": "Penicillin"}, "criticality": "high",'
            ' "reaction": [{"manifestation": [{"text": "Hives"}]}]}',
            Line("Allergies", "Penicillin", "high · Hives"),
        ),
        (
            '{"resourceType": "Appointment", "appointmentType": {"text": "Recall"}, "reasonCode": [{"text": "Cough"}],'
            ' "participant": [{"actor": {"display": "Dr Sato"}}]}',
            Line("Visits", "Recall", "Cough · Dr Sato"),
        ),
        (
            '{"resourceType": "Coverage", "payor": [{"display": "Acme Health"}], "subscriberId": "M1"}',
            Line("Coverage", "Acme Health", "member M1"),
        ),
        ('{"resourceType": "Flag", "code": {"text": "Falls"}}', Line("Other", "Falls", "")),
        ('{"resourceType": "Basic"}', Line("Other", "Basic", "")),
    ],
)
def test_a_resource_is_shown_in_words(text: str, shown: Line) -> None:
    assert line(load_object(text)) == shown


@pytest.mark.parametrize(
    ("resource", "state"),
    [
        ({"status": "final"}, "final"),
        ({"clinicalStatus": {"coding": [{"code": "active"}]}}, "active"),
        ({"lifecycleStatus": "proposed"}, "proposed"),
        ({}, None),
    ],
)
def test_the_state_is_the_resources_own_word(resource: Json, state: str | None) -> None:
    assert status({"resourceType": "Condition", **resource}) == state


def test_every_resource_of_the_public_samples_has_a_title(corpora: Path) -> None:
    seen: set[str] = set()
    for path in sorted((corpora / "fhir" / "us-core-examples").glob("*.json")):
        resource = load_object(path.read_bytes())
        assert line(resource).title, path.name
        seen.add(resource["resourceType"])
    for path in sorted((corpora / "fhir" / "synthea-r4-gsd").rglob("*.ndjson.gz")):
        with gzip.open(path) as lines:
            for _, text in zip(range(50), lines, strict=False):
                resource = load_object(text)
                assert line(resource).title, path.name
                seen.add(resource["resourceType"])
    assert len(seen) > 20
