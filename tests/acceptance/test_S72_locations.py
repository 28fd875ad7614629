"""A group of several locations is one installation: each works on its own patients and days, and some visit both.

What one location may not open is neither found, shown nor counted there.
"""

from __future__ import annotations

from datetime import datetime, time

from tests.integration.hub_api.practice import Practice, today


def test_each_location_works_on_its_own_until_a_patient_visits_both(practice: Practice) -> None:
    north, south = practice.works("front_desk"), practice.works("front_desk", "southgate")
    ada, ben = practice.registered(), practice.registered("Okafor", "Ben", at="southgate")
    for desk, known in ((north, ada), (south, ben)):
        found = desk.post("/patients/search", {"name": "Okafor"}).json()
        assert [each["mrn"] for each in found] == [known["mrn"]]

    midnight = datetime.combine(today(), time(0))
    both = practice.works("front_desk", "southgate").principal_id
    practice.rows(
        "INSERT INTO role_assignment (assignment_id, principal_id, role, location_id, valid_from, created_at,"
        " changed_at, version) VALUES (gen_random_uuid(), %s, 'front_desk', %s, now(), now(), now(), 1)",
        both,
        practice.north.location_id,
    )
    made = south.post("/appointments", practice.visit(ada, midnight, site=practice.south))
    assert made.status_code == 201
    projected = practice.resource("Appointment", made.json()["appointment_id"])
    places = [each["actor"]["reference"] for each in projected["participant"]]
    assert f"Location/{practice.south.location_id}" in places
    assert practice.rows("SELECT location FROM resource WHERE resource_type = 'Appointment'") == [("southgate",)]
    assert practice.audited("appointment.book", ada["patient_id"]) == [(both, "southgate", "success")]
    board = f"/locations/{practice.south.location_id}/day"
    assert south.get(board).json()["counts"] == {"booked": 1}
    assert practice.works("clinician", "southgate").get(f"/patients/{ada['patient_id']}").status_code == 200


def test_the_day_of_another_location_is_closed(practice: Practice) -> None:
    desk = practice.works("front_desk")
    assert desk.get(f"/locations/{practice.south.location_id}/day").status_code == 403
    assert practice.audited("request") == [(desk.principal_id, "northgate", "refused")]
