"""Check-in takes one step, and all see on the flow board who has arrived, who is in a room, and how long they wait."""

from __future__ import annotations

from datetime import datetime, time

from tests.integration.hub_api.practice import Practice, today


def test_a_patient_goes_through_the_day(practice: Practice) -> None:
    desk, ada = practice.works("front_desk"), practice.registered()
    nurse, doctor = practice.works("medical_assistant"), practice.works("clinician")
    visit_id = practice.booked(ada, datetime.combine(today(), time(0)))["appointment_id"]
    board = f"/locations/{practice.north.location_id}/day"
    assert desk.get(board).json()["visits"][0]["waiting_minutes"] is None
    assert desk.post(f"/appointments/{visit_id}/arrive").json()["status"] == "arrived"
    assert practice.audited("appointment.arrived", ada["patient_id"]) == [(desk.principal_id, "northgate", "success")]
    practice.rows(
        "UPDATE appointment_status_event SET recorded_at = recorded_at - interval '12 minutes' WHERE status = 'arrived'"
    )
    assert nurse.post(f"/appointments/{visit_id}/room").json()["status"] == "roomed"
    assert practice.resource("Appointment", visit_id)["status"] == "checked-in"
    [seen] = doctor.get(board).json()["visits"]
    assert (seen["status"], seen["waiting_minutes"]) == ("roomed", 12)
    assert doctor.post(f"/appointments/{visit_id}/begin").json()["status"] == "in_visit"
    assert desk.post(f"/appointments/{visit_id}/check-out").json()["status"] == "checked_out"
    steps = practice.rows("SELECT status FROM appointment_status_event ORDER BY number")
    assert [status for (status,) in steps] == ["booked", "arrived", "roomed", "in_visit", "checked_out"]
    assert practice.resource("Appointment", visit_id)["status"] == "fulfilled"


def test_a_step_out_of_order_or_by_a_stranger_is_refused(practice: Practice) -> None:
    visit_id = practice.booked(practice.registered())["appointment_id"]
    assert practice.works("front_desk").post(f"/appointments/{visit_id}/check-out").status_code == 409
    assert practice.works("front_desk", "southgate").post(f"/appointments/{visit_id}/arrive").status_code == 403
    assert practice.rows("SELECT status FROM appointment") == [("booked",)]
