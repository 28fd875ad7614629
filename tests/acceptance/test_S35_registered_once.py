"""A patient is registered once: scheduling, coverage and chart all stand on the one record, and nothing is typed again.

Somebody who looks like a registered patient is shown before another record is made; going on needs a reason.
"""

from __future__ import annotations

from tests.integration.hub_api.practice import Practice


def test_one_registration_serves_the_schedule_the_payer_and_the_chart(practice: Practice) -> None:
    desk, ada = practice.works("front_desk"), practice.registered()
    held, visit = practice.insured(ada), practice.booked(ada)
    refused = desk.post("/patients", {"patient": practice.person(given="Adah")})
    assert refused.status_code == 409
    assert refused.json()["candidates"][0]["patient"]["mrn"] == ada["mrn"]
    assert practice.rows("SELECT count(*) FROM patient") == [(1,)]

    told = {"family": "Bell", "given": "Ada", "birth_date": "1980-04-02", "gender": "female"}
    version = desk.get(f"/patients/{ada['patient_id']}").headers["etag"]
    assert desk.put(f"/patients/{ada['patient_id']}", told, If_Match=version).status_code == 200
    reference = f"Patient/{ada['patient_id']}"
    assert practice.resource("Coverage", held["coverage_id"])["beneficiary"]["reference"] == reference
    participants = practice.resource("Appointment", visit["appointment_id"])["participant"]
    assert reference in [each["actor"]["reference"] for each in participants]
    assert practice.resource("Patient", ada["patient_id"])["name"][0]["family"] == "Bell"
    columns = "SELECT table_name FROM information_schema.columns WHERE column_name = 'birth_date'"
    assert practice.rows(columns) == [("patient",)]
    assert practice.audited("patient.correct", ada["patient_id"]) == [(desk.principal_id, "northgate", "success")]


def test_nobody_registers_at_a_location_that_is_not_theirs(practice: Practice) -> None:
    desk = practice.works("front_desk", "southgate")
    assert desk.post("/patients", {"patient": practice.person(at="northgate")}).status_code == 403
    assert practice.rows("SELECT count(*) FROM patient") == [(0,)]
