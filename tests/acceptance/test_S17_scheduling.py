"""Visits are scheduled from weekly hours: found, booked with clinician and room together, moved, and given up.

Openings come from weekly hours in the location's wall time less exceptions and what is taken.
"""

from __future__ import annotations

from tests.integration.hub_api.practice import Practice, at_nine


def test_a_visit_is_found_booked_moved_and_given_up(practice: Practice) -> None:
    desk, ada = practice.works("front_desk"), practice.registered()
    both = [str(practice.north.clinicians[0]), str(practice.north.room)]
    day = at_nine().date().isoformat()
    query = {"visit_type_id": str(practice.visit_type_id), "bookable_id": both, "first": day, "last": day}
    path = f"/locations/{practice.north.location_id}/openings"
    assert f"{day}T09:00" in desk.get(path, **query).json()

    booked = desk.post("/appointments", practice.visit(ada, bookable_ids=both))
    visit_id = booked.json()["appointment_id"]
    assert booked.status_code == 201
    assert f"{day}T09:00" not in desk.get(path, **query).json()
    taken = practice.rows("SELECT kind FROM resource_booking WHERE appointment_id = %s ORDER BY kind", visit_id)
    assert taken == [("patient",), ("practitioner",), ("room",)]
    projected = practice.resource("Appointment", visit_id)
    assert (projected["status"], len(projected["participant"])) == ("booked", 4)
    assert practice.audited("appointment.book", ada["patient_id"]) == [(desk.principal_id, "northgate", "success")]

    move = {"to": practice.visit(ada, at_nine(31), bookable_ids=both), "reason": "works late that day"}
    moved = desk.post(f"/appointments/{visit_id}/reschedule", move).json()
    assert practice.resource("Appointment", visit_id)["status"] == "cancelled"
    gone = desk.post(f"/appointments/{moved['appointment_id']}/cancel", {"reason": "moves away"}).json()
    assert gone["appointment"]["status"] == "cancelled"
    assert practice.rows("SELECT count(*) FROM resource_booking WHERE is_blocking") == [(0,)]


def test_the_desk_of_another_location_books_nothing_here(practice: Practice) -> None:
    ada, elsewhere = practice.registered(), practice.works("front_desk", "southgate")
    assert elsewhere.post("/appointments", practice.visit(ada)).status_code == 403
    assert practice.rows("SELECT count(*) FROM appointment") == [(0,)]
    assert practice.audited("request", ada["patient_id"]) == [(elsewhere.principal_id, "southgate", "refused")]
