"""The schedule through the API: hours, openings, booking once, the flow board, the waitlist, series."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time, timedelta
from uuid import uuid4

from tests.integration.hub_api.practice import Practice, at_nine, today


def test_hours_and_exceptions_make_openings(practice: Practice) -> None:
    manager, desk, day = practice.works("manager"), practice.works("front_desk"), at_nine().date()
    visit = manager.post("/visit-types", {"key": "physical", "name": "Physical", "minutes": 60})
    assert visit.status_code == 201
    room = {"location_id": str(practice.north.location_id), "kind": "room", "subject_id": str(uuid4()), "name": "R2"}
    bookable_id = manager.post("/bookables", room).json()["bookable_id"]
    hours = {"weekday": day.isoweekday(), "starts": "09:00", "ends": "12:00", "valid_from": "2026-01-01"}
    assert manager.post("/schedule-rules", {"bookable_id": bookable_id, **hours}).status_code == 201
    starts = at_nine().replace(hour=10).astimezone().isoformat()
    query = {
        "visit_type_id": visit.json()["visit_type_id"],
        "bookable_id": [bookable_id, str(practice.north.clinicians[0])],
        "first": day.isoformat(),
        "last": day.isoformat(),
    }
    path = f"/locations/{practice.north.location_id}/openings"
    found = desk.get(path, **query).json()
    assert (found[0], found[-1]) == (f"{day}T09:00", f"{day}T11:00")
    closed = {"bookable_id": bookable_id, "starts_at": starts, "ends_at": f"{day + timedelta(1)}T12:00Z"}
    assert manager.post("/schedule-exceptions", {**closed, "reason": "painters"}).status_code == 201
    assert len(desk.get(path, **query).json()) < len(found)
    listed = desk.get(f"/locations/{practice.north.location_id}/bookables").json()
    assert [len(each["exceptions"]) for each in listed if each["bookable_id"] == bookable_id] == [1]
    assert desk.post("/visit-types", {"key": "x", "name": "X", "minutes": 60}).status_code == 403
    assert practice.works("manager", "southgate").post("/bookables", room).status_code == 403
    assert desk.get(path, **{**query, "last": "2099-01-01"}).status_code == 400


def test_the_same_booking_sent_again_is_one_appointment(practice: Practice) -> None:
    desk, ada, key = practice.works("front_desk"), practice.registered(), str(uuid4())
    told = practice.visit(ada)

    def book(_: int) -> int:
        return desk.post("/appointments", told, Idempotency_Key=key).status_code

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(book, range(4)))
    assert answers == [200, 200, 200, 201]
    assert practice.rows("SELECT appointment_id::text FROM appointment") == [(key,)]
    other = practice.visit(ada, at_nine(31))
    assert desk.post("/appointments", other, Idempotency_Key=key).status_code == 409
    assert desk.post("/appointments", told).status_code == 409


def test_booking_asks_payers_in_the_same_act(practice: Practice) -> None:
    ada = practice.registered()
    practice.insured(ada)
    made = practice.booked(ada)
    checks = practice.rows("SELECT appointment_id::text, requested_for, state FROM eligibility_check")
    assert checks == [(made["appointment_id"], at_nine().date(), "queued")]


def test_only_who_may_override_books_over_others(practice: Practice) -> None:
    practice.booked(practice.registered())
    told = practice.visit(practice.registered("Bello", "Ben"), override_reason="urgent, agreed with Dr Ito")
    assert practice.works("front_desk").post("/appointments", told).status_code == 403
    made = practice.works("manager").post("/appointments", told)
    assert made.status_code == 201
    assert practice.rows("SELECT max(lane) FROM resource_booking WHERE kind = 'practitioner'") == [(2,)]


def test_the_flow_of_a_day_is_seen_on_the_board(practice: Practice) -> None:
    desk, ada = practice.works("front_desk"), practice.registered()
    start = datetime.combine(today(), time(0))
    visit_id = practice.booked(ada, start)["appointment_id"]
    path = f"/locations/{practice.north.location_id}/day"
    for step, status in (("confirm", "confirmed"), ("arrive", "arrived"), ("room", "roomed"), ("begin", "in_visit")):
        assert desk.post(f"/appointments/{visit_id}/{step}").json()["status"] == status
        board = desk.get(path).json()
        assert board["counts"] == {status: 1}
    [seen] = board["visits"]
    assert (seen["waiting_minutes"], seen["patient"]["name"]) == (0, "Ada Okafor")
    assert desk.post(f"/appointments/{visit_id}/no-show").status_code == 409
    assert desk.post(f"/appointments/{visit_id}/check-out").json()["status"] == "checked_out"
    steps = desk.get(f"/appointments/{visit_id}").json()["steps"]
    assert [each["status"] for each in steps][-1] == "checked_out"
    assert len(practice.audited("schedule.read_day", ada["patient_id"])) == 4
    assert practice.works("front_desk", "southgate").get(path).status_code == 403
    assert desk.post(f"/appointments/{visit_id}/fly").status_code == 422


def test_what_is_given_up_goes_to_the_waitlist(practice: Practice) -> None:
    desk, ada, ben = practice.works("front_desk"), practice.registered(), practice.registered("Bello", "Ben")
    made = practice.booked(ada)
    wish = {
        "patient_id": ben["patient_id"],
        "location_id": str(practice.north.location_id),
        "visit_type_id": str(practice.visit_type_id),
        "not_before": today().isoformat(),
        "not_after": (today() + timedelta(60)).isoformat(),
    }
    assert desk.post("/waitlist", wish).status_code == 201
    path = f"/locations/{practice.north.location_id}/waitlist"
    assert [each["patient_id"] for each in desk.get(path).json()] == [ben["patient_id"]]
    gone = {"reason": "has a cold", "fill_from_waitlist": True}
    answer = desk.post(f"/appointments/{made['appointment_id']}/cancel", gone).json()
    assert answer["appointment"]["status"] == "cancelled"
    assert (answer["filled"]["patient_id"], answer["filled"]["local_start"]) == (ben["patient_id"], made["local_start"])
    assert desk.get(path).json() == []
    entry = desk.post("/waitlist", wish).json()
    assert desk.post(f"/waitlist/{entry['entry_id']}/withdraw").json()["state"] == "withdrawn"
    assert desk.post(f"/waitlist/{entry['entry_id']}/withdraw").status_code == 409


def test_held_booked_and_moved(practice: Practice) -> None:
    desk, ada = practice.works("front_desk"), practice.registered()
    held = desk.post("/appointments/hold", practice.visit(ada)).json()
    assert (held["status"], held["held_until"] is None) == ("hold", False)
    booked = desk.post(f"/appointments/{held['appointment_id']}/book").json()
    assert booked["status"] == "booked"
    move = {"to": practice.visit(ada, at_nine(31)), "reason": "patient asked"}
    stale = desk.post(f"/appointments/{held['appointment_id']}/reschedule", move, If_Match='"1"')
    assert stale.status_code == 409
    moved = desk.post(f"/appointments/{held['appointment_id']}/reschedule", move).json()
    assert moved["rescheduled_from"] == held["appointment_id"]
    listed = desk.get(f"/patients/{ada['patient_id']}/appointments").json()
    assert [each["status"] for each in listed] == ["booked", "rescheduled"]


def test_a_series_is_booked_whole_or_not_at_all(practice: Practice) -> None:
    desk, ada = practice.works("front_desk"), practice.registered()
    told = {"first": practice.visit(ada), "rrule": "FREQ=WEEKLY;COUNT=3"}
    assert len(desk.post("/appointment-series", told).json()) == 3
    clash = {"first": practice.visit(practice.registered("Bello", "Ben"), at_nine(23)), "rrule": "FREQ=WEEKLY;COUNT=3"}
    refused = desk.post("/appointment-series", clash)
    assert refused.status_code == 409
    assert str(at_nine().date()) in refused.text
    assert practice.rows("SELECT count(*) FROM appointment") == [(3,)]


def test_nobody_books_for_a_patient_they_cannot_see(practice: Practice) -> None:
    ben = practice.registered("Bello", "Ben", at="southgate")
    desk = practice.works("front_desk")
    assert desk.post("/appointments", practice.visit(ben)).status_code == 403
    assert desk.post("/appointments", practice.visit(practice.registered(), site=practice.south)).status_code == 403
    assert practice.rows("SELECT count(*) FROM appointment") == [(0,)]


def test_times_and_texts_that_cannot_be_are_refused(practice: Practice) -> None:
    desk, manager, ada = practice.works("front_desk"), practice.works("manager"), practice.registered()
    gone = practice.visit(ada, datetime(2027, 3, 14, 2, 30))  # noqa: DTZ001 - a wall time the clocks jump over
    refused = desk.post("/appointments", gone)
    assert (refused.status_code, "does not exist" in refused.text) == (400, True)
    assert desk.post("/appointments", practice.visit(ada, datetime(9999, 12, 31))).status_code == 422  # noqa: DTZ001
    path = f"/locations/{practice.north.location_id}/day"
    assert desk.get(path, on="9999-12-31").status_code == 422
    assert manager.post("/visit-types", {"key": "nul", "name": "a\x00b", "minutes": 30}).status_code == 400
    wish = {"patient_id": ada["patient_id"], "location_id": str(practice.north.location_id)}
    unknown = {**wish, "visit_type_id": str(uuid4()), "not_before": "2026-03-01", "not_after": "2026-03-02"}
    assert desk.post("/waitlist", unknown).status_code == 404
