"""The calendar of a location: what is in its cells, what is not, and moving a visit in it."""

from __future__ import annotations

import html
import re
from datetime import date, datetime, time, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from tests.integration.hub_api.practice import Practice, today

MOST_STATEMENTS = 14


def text_of(answer: httpx.Response, status: int = 200) -> str:
    assert answer.status_code == status, answer.text
    return html.unescape(answer.text)


def next_monday() -> date:
    return today() + timedelta(days=7 - today().weekday())


def at(hour: int, minute: int = 0, days: int = 0) -> datetime:
    return datetime.combine(next_monday() + timedelta(days=days), time(hour, minute))


def week(client: httpx.Client, **more: str) -> str:
    return text_of(client.get("/work/calendar", params={"first": str(next_monday()), **more}))


def test_a_week_shows_visits_free_times_holds_and_what_is_closed(practice: Practice) -> None:
    desk, manager = practice.works("front_desk"), practice.works("manager")
    visit = practice.booked(practice.registered(), at(9))
    held = desk.post("/appointments/hold", practice.visit(practice.registered("Held", "Hanna"), at(10)))
    assert held.status_code == 201
    closing = {
        "bookable_id": str(practice.north.clinicians[0]),
        "starts_at": f"{next_monday() + timedelta(days=1)}T14:00:00Z",
        "ends_at": f"{next_monday() + timedelta(days=1)}T16:00:00Z",
        "reason": "conference",
    }
    assert manager.post("/schedule-exceptions", closing).status_code == 201
    shown = week(desk.client)
    assert f'<a class="booked" href="/work/appointments/{visit["appointment_id"]}"><b>09:00</b> Okafor, Ada' in shown
    assert re.search(r"<b>10:00</b> Held, Hanna <i>held</i>", shown)
    assert "09:30–10:00 free" in shown
    assert "closed: conference" in shown
    assert "Dr Ruiz" in shown
    assert "Room 1" not in shown[shown.index("<table") :]
    day = text_of(desk.client.get("/work/calendar", params={"first": str(next_monday()), "span": "day"}))
    assert 'class="visit booked h9 m0 H0 M6 l1"' in day
    assert "2 visits" in day


def test_what_may_not_be_opened_is_neither_shown_nor_counted_nor_free(practice: Practice) -> None:
    desk = practice.works("front_desk").client
    secret = practice.registered("Secret", "Sam")
    practice.booked(secret, at(9))
    practice.rows("UPDATE patient SET sensitivity = '42cfr2' WHERE patient_id = %s RETURNING 1", secret["patient_id"])
    shown = text_of(desk.get("/work/calendar", params={"first": str(next_monday()), "span": "day"}))
    assert "Secret" not in shown
    assert "0 visits" in shown
    assert "09:30–17:00 free" in shown
    before = practice.audited("schedule.read", secret["patient_id"])
    assert before == []
    assert "Secret" not in week(practice.works("front_desk", "southgate").client)


def test_every_patient_shown_is_on_record(practice: Practice) -> None:
    desk = practice.works("front_desk")
    ada = practice.registered()
    practice.booked(ada, at(9))
    week(desk.client)
    assert practice.audited("schedule.read", ada["patient_id"]) == [(desk.principal_id, "northgate", "success")]


def test_a_full_week_takes_no_more_statements_than_an_empty_one(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        practice.booked(practice.registered(given=f"Ada{number}"), at(9, 0, number))
    desk, asked = practice.works("front_desk").client, list[str]()
    execute = psycopg.Cursor.execute

    def counted(self: Any, query: Any, *values: Any, **more: Any) -> Any:
        asked.append(str(query))
        return execute(self, query, *values, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)
    assert week(desk).count("Okafor") == 6
    assert 3 < len(asked) <= MOST_STATEMENTS, "\n".join(asked)


def test_a_visit_is_moved_in_the_calendar_with_a_reason(practice: Practice) -> None:
    desk = practice.works("front_desk").client
    taking = [str(practice.north.clinicians[0]), str(practice.north.room)]
    visit = practice.booked(practice.registered(), at(9), bookable_ids=taking)
    address = f"/work/appointments/{visit['appointment_id']}"
    places = re.findall(rf'href="({address}/move[^"]+)"', week(desk, moves=visit["appointment_id"]))
    assert any(f"to={next_monday()}T09:30" in place for place in places)
    assert "Move: Follow-up" in text_of(desk.get(places[0]))
    told = {"to": f"{next_monday()}T11:00", "with": str(practice.north.clinicians[1]), "reason": ""}
    assert "Say why it is moved" in text_of(desk.post(f"{address}/move", data=told), 422)
    moved = desk.post(f"{address}/move", data=told | {"reason": "the patient asked"})
    assert moved.status_code == 303, moved.text
    rows = practice.rows("SELECT status, rescheduled_from IS NULL FROM appointment ORDER BY created_at")
    assert rows == [("rescheduled", True), ("booked", False)]
    kinds = practice.rows("SELECT kind FROM resource_booking WHERE is_blocking ORDER BY kind")
    assert [kind for (kind,) in kinds] == ["patient", "practitioner", "room"]
    assert "the patient asked" in text_of(desk.get(address))


def test_an_override_is_for_those_who_may_and_keeps_its_reason(practice: Practice) -> None:
    practice.booked(practice.registered("Other", "Otto"), at(11))
    visit = practice.booked(practice.registered(), at(9))
    address = f"/work/appointments/{visit['appointment_id']}/move"
    told = {"to": f"{next_monday()}T11:00", "with": str(practice.north.clinicians[0]), "reason": "the patient asked"}
    desk, doctor = practice.works("front_desk").client, practice.works("clinician").client
    assert "is taken at that time" in text_of(desk.post(address, data=told), 409)
    why = {"override_reason": "chest pain, between two visits"}
    assert "book where something is closed or taken" in text_of(desk.post(address, data=told | why), 403)
    assert doctor.post(address, data=told | why).status_code == 303
    assert why["override_reason"] in week(doctor)
    detail = practice.rows("SELECT detail->>'override' FROM audit_event WHERE detail ? 'override'")
    assert detail == [("yes",)]


def test_a_place_is_looked_for_a_patient(practice: Practice) -> None:
    ada = practice.registered()
    desk = practice.works("front_desk").client
    for odd in ({"for": "nobody"}, {"first": "0001-01-01"}, {"span": "year"}, {"moves": "x"}):
        assert desk.get("/work/calendar", params=odd).status_code == 404
    shown = week(desk, **{"for": ada["patient_id"]})
    assert f"/work/patients/{ada['patient_id']}/book?first={next_monday()}" in shown
