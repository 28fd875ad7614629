"""A clinician enters the room with the chart at hand: a visit's row on the board leads to all of it in one request."""

from __future__ import annotations

from datetime import datetime, time

from tests.integration.hub_api.practice import Practice, today


def test_the_row_of_a_roomed_patient_leads_to_the_whole_chart(practice: Practice) -> None:
    ada, doctor = practice.registered(), practice.works("clinician")
    held = practice.insured(ada)
    visit_id = practice.booked(ada, datetime.combine(today(), time(0)))["appointment_id"]
    for step in ("arrive", "room"):
        practice.works("medical_assistant").post(f"/appointments/{visit_id}/{step}")
    [visit] = doctor.get(f"/locations/{practice.north.location_id}/day").json()["visits"]
    assert visit["status"] == "roomed"
    chart = doctor.client.get(visit["chart"]).json()
    found = {(each["resource"]["resourceType"], each["resource"]["id"]) for each in chart["entry"]}
    assert {("Patient", ada["patient_id"]), ("Coverage", held["coverage_id"]), ("Appointment", visit_id)} <= found
    assert practice.rows("SELECT status FROM appointment") == [("roomed",)]
    assert practice.resource("Appointment", visit_id)["status"] == "checked-in"
    opened = practice.rows(
        "SELECT DISTINCT principal_id, outcome FROM audit_event WHERE patient_id = %s AND principal_id = %s",
        ada["patient_id"],
        doctor.principal_id,
    )
    assert opened == [(doctor.principal_id, "success")]


def test_a_front_desk_sees_the_row_but_not_the_chart(practice: Practice) -> None:
    practice.booked(practice.registered(), datetime.combine(today(), time(0)))
    desk = practice.works("front_desk")
    [visit] = desk.get(f"/locations/{practice.north.location_id}/day").json()["visits"]
    assert desk.client.get(visit["chart"]).status_code == 403
    assert practice.audited("request")[-1] == (desk.principal_id, "northgate", "refused")
