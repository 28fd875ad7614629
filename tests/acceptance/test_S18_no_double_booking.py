"""Nothing is booked twice: of two who take the last place at once, the database lets one, and tells the other.

Whoever may override does it with a reason, visibly, and never by accident.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.integration.hub_api.practice import Practice


def test_of_eight_who_book_the_same_time_at_once_one_gets_it(practice: Practice) -> None:
    desk = practice.works("front_desk")
    people = [practice.registered(f"Family{letter}") for letter in "ABCDEFGH"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda each: desk.post("/appointments", practice.visit(each)), people))
    assert sorted(each.status_code for each in answers) == [201] + [409] * 7
    [winner] = [each.json() for each in answers if each.status_code == 201]
    clinician = str(practice.north.clinicians[0])
    query = "SELECT appointment_id::text FROM resource_booking WHERE is_blocking AND taken_id = %s"
    assert practice.rows(query, clinician) == [(winner["appointment_id"],)]
    assert practice.rows("SELECT count(*) FROM appointment") == [(1,)]
    assert practice.resource("Appointment", winner["appointment_id"])["status"] == "booked"
    assert practice.audited("appointment.book") == [(desk.principal_id, "northgate", "success")]


def test_a_front_desk_cannot_override(practice: Practice) -> None:
    practice.booked(practice.registered())
    ben = practice.registered("Bello", "Ben")
    told = practice.visit(ben, override_reason="squeezed in")
    assert practice.works("front_desk").post("/appointments", told).status_code == 403
    assert [row[2] for row in practice.audited("request", ben["patient_id"])] == ["refused"]
