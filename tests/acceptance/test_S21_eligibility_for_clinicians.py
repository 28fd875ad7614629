"""Clinicians see coverage and eligibility before they order: with the visit on the board, and with the patient."""

from __future__ import annotations

from datetime import datetime, time

from pipelines import office
from tests.integration.hub_api.practice import Practice, today


def test_a_clinician_sees_what_the_payer_said(practice: Practice) -> None:
    ada, doctor = practice.registered(), practice.works("clinician")
    practice.insured(ada)
    practice.booked(ada, datetime.combine(today(), time(0)))
    office.ask_payers(practice.hub.installation)
    [visit] = doctor.get(f"/locations/{practice.north.location_id}/day").json()["visits"]
    assert (visit["patient"]["patient_id"], visit["eligibility"]) == (ada["patient_id"], "active")
    said = doctor.get(f"/patients/{ada['patient_id']}/coverages").json()
    [check] = said["checks"]
    assert check["plan_name"]
    assert practice.rows("SELECT copay_cents FROM eligibility_check") == [(check["copay_cents"],)]
    [coverage] = said["coverages"]
    assert practice.resource("Coverage", coverage["coverage_id"])["subscriberId"] == "M123"
    assert practice.audited("coverage.read", ada["patient_id"]) == [(doctor.principal_id, "northgate", "success")]


def test_a_clinician_of_elsewhere_does_not(practice: Practice) -> None:
    ada, other = practice.registered(), practice.works("clinician", "southgate")
    assert other.get(f"/patients/{ada['patient_id']}/coverages").status_code == 403
    assert practice.audited("request", ada["patient_id"]) == [(other.principal_id, "southgate", "refused")]
