"""Pages of the schedule beside the day: series, the waitlist, reminders."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import httpx

from tests.integration.hub_api.practice import Practice, at_nine, today
from tests.integration.hub_api.test_workspace_calendar import at, next_monday


def text_of(answer: httpx.Response, status: int = 200) -> str:
    assert answer.status_code == status, answer.text
    return html.unescape(answer.text)


def repeat(practice: Practice, patient_id: str, **more: str) -> httpx.Response:
    told = {
        "visit_type": str(practice.visit_type_id),
        "slot": f"{at(9).isoformat(timespec='minutes')} {practice.north.clinicians[0]}",
        "repeat": "FREQ=WEEKLY",
        "times": "4",
        **more,
    }
    return practice.works("front_desk").client.post(f"/work/patients/{patient_id}/book", data=told)


def visits(practice: Practice) -> list[tuple[Any, ...]]:
    return practice.rows("SELECT local_start, status FROM appointment ORDER BY local_start, status")


def test_a_series_is_booked_without_the_days_taken_out(practice: Practice) -> None:
    ada = practice.registered()
    skipped = next_monday() + timedelta(weeks=2)
    answer = repeat(practice, ada["patient_id"], skip=str(skipped))
    assert answer.status_code == 303, answer.text
    kept = [at(9), at(9, days=7), at(9, days=21)]
    assert visits(practice) == [(start, "booked") for start in kept]
    [(rule,)] = practice.rows("SELECT rrule FROM appointment_series")
    assert rule == f"FREQ=WEEKLY;COUNT=4\nEXDATE:{skipped:%Y%m%d}T090000"
    shown = text_of(practice.works("front_desk").client.get(answer.headers["location"]))
    assert "3 visits" in shown


def test_a_series_that_does_not_fit_says_on_which_day_and_books_nothing(practice: Practice) -> None:
    practice.booked(practice.registered("Other", "Otto"), at(9, days=14))
    ada = practice.registered()
    said = text_of(repeat(practice, ada["patient_id"]), 409)
    assert f"{next_monday() + timedelta(weeks=2)}: the practitioner is taken" in said
    assert len(visits(practice)) == 1


def test_from_one_visit_on_a_series_is_moved_or_cancelled(practice: Practice) -> None:
    desk = practice.works("front_desk").client
    address = repeat(practice, practice.registered()["patient_id"]).headers["location"]
    [(second,)] = practice.rows("SELECT appointment_id FROM appointment ORDER BY local_start OFFSET 1 LIMIT 1")
    told = {"from": str(second), "what": "move", "to": at(10, days=14).isoformat(timespec="minutes"), "reason": "work"}
    moved = desk.post(address, data=told)
    assert moved.status_code == 303, moved.text
    booked = [start for start, status in visits(practice) if status == "booked"]
    assert booked == [at(9), at(10, days=14), at(10, days=21), at(10, days=28)]
    later = moved.headers["location"]
    assert later != address
    [(third,)] = practice.rows("SELECT appointment_id FROM appointment WHERE local_start = %s", at(10, days=21))
    assert desk.post(later, data={"from": str(third), "what": "cancel", "reason": "well again"}).status_code == 303
    booked = [start for start, status in visits(practice) if status == "booked"]
    assert booked == [at(9), at(10, days=14)]
    elsewhere = practice.works("front_desk", "southgate").client
    assert elsewhere.get(later).status_code == 403


def test_the_waitlist_offers_what_is_open_and_books_it(practice: Practice) -> None:
    desk = practice.works("front_desk").client
    ada = practice.registered()
    told = {
        "visit_type_id": str(practice.visit_type_id),
        "not_before": str(next_monday()),
        "not_after": str(next_monday() + timedelta(days=2)),
        "priority": "3",
    }
    assert desk.post(f"/work/patients/{ada['patient_id']}/waitlist", data=told).status_code == 303
    shown = text_of(desk.get("/work/waitlist"))
    assert "Okafor, Ada" in shown
    offers = re.findall(r'name="offer" value="([^"]+)"', shown)
    assert len(offers) == 3
    assert offers[0].startswith(f"{next_monday()}T00:00 ")
    action = re.findall(r'action="(/work/waitlist/[^"]+/book)"', shown)[0]
    assert practice.works("front_desk", "southgate").client.post(action, data={"offer": offers[0]}).status_code == 403
    assert desk.post(action, data={"offer": offers[0]}).status_code == 303
    assert practice.rows("SELECT state FROM waitlist_entry") == [("filled",)]
    assert "Nobody waits" in text_of(desk.get("/work/waitlist"))
    assert practice.audited("waitlist.fill", ada["patient_id"])
    assert "is filled" in text_of(desk.post(action, data={"offer": offers[1]}), 409)


def test_a_time_given_up_goes_to_whoever_waits_when_that_is_wanted(practice: Practice) -> None:
    desk = practice.works("front_desk").client
    first, second = practice.registered("First", "Fay"), practice.registered("Second", "Sue")
    visit = practice.booked(first, at(9))
    told = {
        "visit_type_id": str(practice.visit_type_id),
        "not_before": str(today()),
        "not_after": str(at(9, days=3).date()),
    }
    desk.post(f"/work/patients/{second['patient_id']}/waitlist", data=told)
    said = text_of(
        desk.post(f"/work/appointments/{visit['appointment_id']}/cancel", data={"reason": "ill", "fill": "yes"})
    )
    assert "Second, Sue from the waitlist has the time now" in said
    rows = practice.rows("SELECT status FROM appointment WHERE patient_id = %s", second["patient_id"])
    assert rows == [("booked",)]


def test_reminders_say_what_is_due_what_failed_and_what_the_patient_allowed(practice: Practice) -> None:
    desk = practice.works("front_desk").client
    ada = practice.registered(contacts=[{"kind": "mobile", "value": "612-555-0100", "may_text": True}])
    ben = practice.registered("Silent", "Ben")
    for patient, start in ((ada, at_nine()), (ben, at_nine(31))):
        practice.booked(patient, start)
    due = text_of(desk.get("/work/reminders"))
    assert due.count("Okafor, Ada") == due.count("Silent, Ben") == 2
    assert "nothing: call them" in due
    practice.rows("UPDATE reminder SET state = 'failed', attempts = 5 RETURNING 1")
    failed = text_of(desk.get("/work/reminders?state=failed"))
    again = re.findall(r'action="(/work/reminders/[^"]+/again)"', failed)
    assert len(again) == 4
    assert desk.post(again[0]).status_code == 303
    assert practice.rows("SELECT count(*) FROM reminder WHERE state = 'queued' AND attempts = 0") == [(1,)]
    elsewhere = practice.works("front_desk", "southgate").client
    assert "Okafor" not in text_of(elsewhere.get("/work/reminders?state=failed"))
    assert elsewhere.post(again[1]).status_code == 403
    assert practice.audited("reminder.try_again", ada["patient_id"]) or practice.audited("reminder.try_again")
