"""Two records of one patient become one, with all that hangs on them, and are taken apart again to the row if wrong."""

from __future__ import annotations

from tests.integration.hub_api.practice import Practice, at_nine


def test_a_merge_moves_everything_and_is_taken_back(practice: Practice) -> None:
    officer = practice.works("privacy_officer")
    ada, twice = practice.registered(), practice.registered("Okafor", "Adah")
    held, visit = practice.insured(twice), practice.booked(twice, at_nine())
    rows = "SELECT patient_id::text FROM coverage UNION ALL SELECT patient_id::text FROM appointment"
    told = {"survivor_id": ada["patient_id"], "merged_id": twice["patient_id"], "reason": "registered twice"}
    merge = officer.post("/merges", told).json()
    assert practice.rows(rows) == [(ada["patient_id"],)] * 2
    survivor, merged = f"Patient/{ada['patient_id']}", f"Patient/{twice['patient_id']}"
    assert practice.resource("Coverage", held["coverage_id"])["beneficiary"]["reference"] == survivor
    assert practice.resource("Patient", twice["patient_id"])["link"][0]["other"]["reference"] == survivor
    assert practice.audited("patient.merge", ada["patient_id"]) == [(officer.principal_id, "northgate", "success")]

    assert officer.post(f"/merges/{merge['merge_id']}/undo").status_code == 200
    assert practice.rows(rows) == [(twice["patient_id"],)] * 2
    assert practice.resource("Coverage", held["coverage_id"])["beneficiary"]["reference"] == merged
    participants = practice.resource("Appointment", visit["appointment_id"])["participant"]
    assert merged in [each["actor"]["reference"] for each in participants]
    assert len(practice.audited("patient.unmerge", twice["patient_id"])) == 1


def test_a_front_desk_merges_nobody(practice: Practice) -> None:
    ada, ben = practice.registered(), practice.registered("Bello", "Ben")
    told = {"survivor_id": ada["patient_id"], "merged_id": ben["patient_id"], "reason": "looks alike"}
    assert practice.works("front_desk").post("/merges", told).status_code == 403
    assert practice.rows("SELECT count(*) FROM patient_merge") == [(0,)]
