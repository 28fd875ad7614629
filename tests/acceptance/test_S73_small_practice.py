"""A small practice starts with one command and one location, and needs nothing else: no feed, no warehouse, no account.

Rooms, clinicians, hours and payers are added in pages, by one person, on the first morning.
"""

from __future__ import annotations

import re
from datetime import timedelta

import httpx

from tests.integration.hub_api.hub import Hub
from tests.integration.hub_api.practice import today


def add(client: httpx.Client, path: str, **fields: str | list[str]) -> httpx.Response:
    answer = client.post(path, data=fields)
    assert answer.status_code == 303, answer.text
    return answer


def ids(hub: Hub, table: str) -> str:
    return str(hub.query(f"SELECT {table}_id FROM {table}")[0][0])


def test_the_first_morning_of_a_practice_of_one_location(hub: Hub) -> None:
    with hub.logged_in() as owner:
        add(owner, "/work/organisation/organization", name="Lakeside Family Medicine")
        body = ids(hub, "organization")
        place = {"name": "Lakeside", "key": "lakeside", "organization_id": body, "zone": "America/Chicago"}
        add(owner, "/work/organisation/location", **place)
        location = ids(hub, "location")
        add(owner, f"/work/locations/{location}/rooms", name="Room 1", kind="room")
        add(owner, "/work/schedule/visit-types", key="visit", name="Visit", minutes="30")
        hired = owner.post("/work/users", data={"name": "rosa", "family": "Lee", "given": "Rosa", "npi": "1234567893"})
        rosa = str(hub.query("SELECT principal_id FROM staff")[0][0])
        add(owner, f"/work/users/{rosa}/roles", role="clinician", location_id=location)
        subject = re.findall(r'value="(practitioner [^"]+)"', owner.get("/work/schedule").text)[0]
        add(owner, "/work/schedule/bookables", subject=subject)
        hours = {"starts": "08:00", "ends": "17:00", "valid_from": str(today())}
        add(owner, "/work/schedule/rules", bookable_id=ids(hub, "bookable"), weekdays=list("1234567"), **hours)
    first = re.findall(r"<code>([^<]+)</code>", hired.text)[0]
    with hub.client() as clinician:
        word = {"name": "rosa", "password": first, "new_password": "correct horse battery staple"}
        assert clinician.post("/login", data=word).status_code == 303
        ada = {"family": "Okafor", "given": "Ada", "birth_date": "1980-04-02", "gender": "female"}
        patient = add(clinician, "/work/register", **ada).headers["location"].partition("?")[0]
        asked = {"visit_type": ids(hub, "visit_type"), "first": str(today() + timedelta(days=1))}
        slot = re.findall(r'name="slot" value="([^"]+)"', clinician.get(f"{patient}/book", params=asked).text)[0]
        add(clinician, f"{patient}/book", **asked, slot=slot)
        assert "Okafor, Ada" in clinician.get("/work/calendar", params={"first": asked["first"]}).text
        assert clinician.post("/work/organisation/location", data=place | {"key": "mine"}).status_code == 403
    assert hub.query("SELECT status FROM appointment") == [("booked",)]
    assert hub.query("SELECT location FROM resource WHERE resource_type = 'Appointment'") == [("lakeside",)]
    events = hub.query("SELECT principal_id::text, outcome FROM audit_event WHERE action = 'appointment.book'")
    assert events == [(rosa, "success")]


def test_until_there_is_a_location_nobody_but_its_owner_does_anything(hub: Hub) -> None:
    with hub.client() as stranger:
        assert stranger.post("/work/organisation/location", data={"name": "Mine"}).status_code == 401
    with hub.logged_in() as owner:
        assert "No location yet" in owner.get("/work").text
    assert hub.query("SELECT count(*) FROM location") == [(0,)]
