"""The audit trail covers the whole record: what was read, changed, refused, who saw whom, and whom it was given to."""

from __future__ import annotations

from tests.integration.hub_api.hub import observation
from tests.integration.hub_api.practice import Practice


def test_who_did_what_with_a_patient_is_on_record_and_answered(practice: Practice) -> None:
    ada, desk, doctor = practice.registered(), practice.works("front_desk"), practice.works("clinician")
    practice.hub.record(observation({"id": ada["patient_id"]}), source="lab", location="northgate")
    desk.post(f"/patients/{ada['patient_id']}/addresses", _ADDRESS)
    doctor.client.get(f"/fhir/Observation?patient={ada['patient_id']}")
    assert doctor.client.get(f"/work/patients/{ada['patient_id']}/chart").status_code == 200
    assert practice.works("clinician", "southgate").get(f"/patients/{ada['patient_id']}").status_code == 403
    officer = practice.works("privacy_officer")
    found = officer.client.get(f"/fhir/AuditEvent?patient={ada['patient_id']}&_count=100").json()
    said = {(each["resource"]["subtype"][-1]["code"], each["resource"]["outcome"]) for each in found["entry"]}
    assert said >= {("patient.register", "0"), ("patient.move", "0"), ("resource.search", "0"), ("chart.read", "0")}
    stored = practice.rows(
        "SELECT action, outcome FROM audit_event WHERE patient_id = %s AND location = 'northgate'", ada["patient_id"]
    )
    assert {action for action, _ in stored} >= {"patient.register", "patient.move", "resource.search", "chart.read"}
    assert practice.rows("SELECT outcome FROM audit_event WHERE patient_id = %s AND outcome = 'refused'",
                         ada["patient_id"]) == [("refused",)]  # fmt: skip
    page = officer.client.get(f"/work/patients/{ada['patient_id']}/audit").text
    assert "read the whole chart" in page


def test_an_emergency_is_let_in_put_on_record_and_reviewed_by_another(practice: Practice) -> None:
    ada, doctor = practice.registered(), practice.works("clinician", "southgate")
    path = f"/work/patients/{ada['patient_id']}/chart"
    assert doctor.client.get(path).status_code == 403
    told = {"patient": ada["patient_id"], "reason": "brought in unconscious"}
    assert doctor.client.post("/work/emergency", data=told).status_code == 303
    assert doctor.client.get(path).status_code == 200
    [(grant_id, who)] = practice.rows("SELECT grant_id, principal_id FROM break_glass_grant WHERE reviewed_at IS NULL")
    assert who == doctor.principal_id
    officer = practice.works("privacy_officer").client
    assert "read the whole chart" in officer.get("/work/emergencies").text
    officer.post(f"/work/emergencies/{grant_id}/review", data={"finding": "justified"})
    assert practice.rows("SELECT finding FROM break_glass_grant") == [("justified",)]
    assert [row[0] for row in practice.audited("glass.break", ada["patient_id"])] == [doctor.principal_id]


def test_a_patient_is_told_to_whom_their_record_was_given(practice: Practice) -> None:
    ada, officer = practice.registered(), practice.works("privacy_officer")
    told = {"recipient": "County health", "description": "a laboratory result", "purpose": "public-health"}
    assert officer.post(f"/patients/{ada['patient_id']}/disclosures", told).status_code == 201
    assert practice.rows("SELECT recipient FROM disclosure") == [("County health",)]
    [given] = officer.get(f"/patients/{ada['patient_id']}/disclosures").json()
    assert (given["recipient"], given["purpose"]) == ("County health", "public-health")
    assert [row[0] for row in practice.audited("disclosure.record", ada["patient_id"])] == [officer.principal_id]


def test_who_works_at_the_desk_reads_no_audit_trail(practice: Practice) -> None:
    ada, desk = practice.registered(), practice.works("front_desk")
    for path in (f"/fhir/AuditEvent?patient={ada['patient_id']}", f"/work/patients/{ada['patient_id']}/audit"):
        assert desk.client.get(path).status_code == 403
    assert desk.get(f"/patients/{ada['patient_id']}/disclosures").status_code == 403
    refused = practice.rows("SELECT principal_id FROM audit_event WHERE outcome = 'refused'")
    assert refused == [(desk.principal_id,)] * 3


_ADDRESS = {"line": "1 Main St", "city": "Minneapolis", "state": "MN", "postal_code": "55401"}
