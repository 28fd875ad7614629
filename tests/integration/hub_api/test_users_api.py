"""Who works here, over HTTP: added, given roles, logged in, gone; and how the group is run, by whoever runs it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pyotp
import pytest

from hub_core.fhir.canonical import Json
from tests.integration.hub_api.hub import Hub, new_id, observation, patient

API = "/api/practice"
OWN_WORDS = "seven brave lanterns"
WHY = "unconscious in the waiting room"


@pytest.fixture
def boss(hub: Hub) -> Iterator[httpx.Client]:
    """Return a client of whoever runs the north."""
    with hub.program(("administrator", "north")) as client:
        yield client


def joins(client: httpx.Client, name: str = "joan", **more: Any) -> Json:
    """Return somebody who begins to work here."""
    made = client.post(f"{API}/staff", json={"name": name, "family": "Rivers", "given": name.title(), **more})
    assert made.status_code == 201, made.text
    return dict(made.json())


def gets(client: httpx.Client, person: Json, role: str, location_id: Any) -> httpx.Response:
    """Return the answer to giving a role."""
    told = {"role": role, "location_id": None if location_id is None else str(location_id)}
    return client.post(f"{API}/principals/{person['principal_id']}/roles", json=told)


def log_in(client: httpx.Client, name: str, password: str, **more: str) -> httpx.Response:
    return client.post("/login", data={"name": name, "password": password, **more})


def test_a_first_password_opens_nothing_until_it_is_changed(hub: Hub, boss: httpx.Client) -> None:
    first = joins(boss)["password"]
    with hub.client() as client:
        asked = log_in(client, "joan", first)
        assert asked.status_code == 400
        assert 'name="new_password"' in asked.text
        assert not client.cookies
        assert log_in(client, "joan", first, new_password="short").status_code == 400
        assert log_in(client, "joan", first, new_password=OWN_WORDS).status_code == 303
        assert client.get("/api/session").json()["name"] == "joan"
        assert client.get("/fhir/Patient").status_code == 403, "a person without a role sees nothing"
    with hub.client() as client:
        assert log_in(client, "joan", first).status_code == 401
        assert log_in(client, "joan", OWN_WORDS).status_code == 303


def test_a_code_is_asked_for_once_an_authenticator_is_enrolled(hub: Hub, boss: httpx.Client) -> None:
    first = joins(boss)["password"]
    with hub.client() as client:
        log_in(client, "joan", first, new_password=OWN_WORDS)
        secret = client.post(f"{API}/second-factor").json()["secret"]
        told = {"secret": secret, "code": "000000", "password": OWN_WORDS}
        assert client.put(f"{API}/second-factor", json=told).status_code == 400
        told["code"] = pyotp.TOTP(secret).now()
        assert client.put(f"{API}/second-factor", json={**told, "password": "x"}).status_code == 403
        assert client.put(f"{API}/second-factor", json=told).status_code == 204
    following = pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30))
    with hub.client() as client:
        assert log_in(client, "joan", OWN_WORDS).status_code == 401
        assert log_in(client, "joan", OWN_WORDS, code=told["code"]).status_code == 401, "it was used"
        assert log_in(client, "joan", OWN_WORDS, code=following).status_code == 303
        assert client.get("/api/session").status_code == 200
    assert boss.put(f"{API}/second-factor", json=told).status_code == 403, "a program has no authenticator"


def test_whoever_runs_a_place_gives_roles_there_only_and_none_to_themselves(hub: Hub, boss: httpx.Client) -> None:
    north, south = hub.location("north"), hub.location("south")
    joan = joins(boss)
    given = gets(boss, joan, "front_desk", north)
    assert given.status_code == 201
    assert given.json()["location"] == "north"
    assert gets(boss, joan, "front_desk", north).status_code == 409
    assert gets(boss, joan, "front_desk", south).status_code == 403
    assert gets(boss, joan, "front_desk", None).status_code == 403
    assert gets(boss, joan, "patient", north).status_code == 422
    assert gets(boss, joan, "clinician", new_id()).status_code == 404
    me = boss.get("/api/session").json()
    assert gets(boss, me, "clinician", north).status_code == 403
    ended = boss.post(f"{API}/roles/{given.json()['assignment_id']}/end")
    assert ended.status_code == 200
    assert boss.post(f"{API}/roles/{given.json()['assignment_id']}/end").status_code == 409
    refused = hub.query("SELECT detail->>'action' FROM audit_event WHERE outcome = 'refused'")
    assert ("user.write",) in refused


def test_people_are_changed_by_whoever_read_them_last(hub: Hub, boss: httpx.Client) -> None:
    joan = joins(boss)
    path = f"{API}/staff/{joan['principal_id']}"
    read = boss.get(path)
    told = {"family": "Rivers", "given": "Jo", "licences": [{"state": "IL", "number": "036-1"}]}
    assert boss.put(path, json=told).status_code == 428
    assert boss.put(path, json={**told, "npi": "1"}, headers={"If-Match": read.headers["etag"]}).status_code == 422
    changed = boss.put(path, json=told, headers={"If-Match": read.headers["etag"]})
    assert changed.status_code == 200, changed.text
    assert changed.json()["licences"] == [{"state": "IL", "number": "036-1", "expires_on": None}]
    assert boss.put(path, json=told, headers={"If-Match": read.headers["etag"]}).status_code == 409
    fhir = boss.get(f"/fhir/Practitioner/{joan['practitioner_id']}").json()
    assert fhir["name"][0]["given"] == ["Jo"]
    assert hub.query("SELECT count(*) FROM audit_event WHERE action = 'staff.read'") == [(1,)]
    with hub.program(("administrator", None)) as head:
        gets(head, joan, "biller", hub.location("south"))
    assert boss.put(path, json=told, headers={"If-Match": changed.headers["etag"]}).status_code == 403
    assert boss.get(path).status_code == 403, "they work elsewhere now"
    assert boss.get(f"{API}/staff").json() == []


def test_every_key_stops_opening_when_its_holder_goes(hub: Hub, boss: httpx.Client) -> None:
    north = hub.location("north")
    ada = patient()
    hub.record(ada, location="north")
    joan = joins(boss)
    gets(boss, joan, "clinician", north)
    with hub.client() as session, hub.logged_in() as admin:
        log_in(session, "joan", joan["password"], new_password=OWN_WORDS)
        assert session.get(f"/fhir/Patient/{ada['id']}").status_code == 200
        told = {"name": "lab", "role": "clinician", "location_id": str(north), "days": 30}
        assert boss.post(f"{API}/programs", json=told).status_code == 403, "a token makes no token"
        program = admin.post(f"{API}/programs", json=told).json()
        token = hub.client(Authorization=f"Bearer {program['token']}")
        assert token.get(f"/fhir/Patient/{ada['id']}").status_code == 200
        for key, holder in ((session, joan), (token, program)):
            path = f"{API}/principals/{holder['principal_id']}/deactivate"
            assert boss.post(path).status_code == 204
            assert key.get(f"/fhir/Patient/{ada['id']}").status_code == 401
            assert key.get("/api/session").status_code == 401
            assert boss.post(path).status_code == 409
        token.close()
    with hub.client() as again:
        assert log_in(again, "joan", OWN_WORDS).status_code == 401
    assert boss.post(f"{API}/principals/{new_id()}/deactivate").status_code == 404
    head = hub.query("SELECT principal_id FROM principal WHERE is_administrator")[0][0]
    assert boss.post(f"{API}/principals/{head}/deactivate").status_code == 403


def test_an_emergency_opens_a_chart_for_a_while_and_somebody_else_judges_it(hub: Hub) -> None:
    ben = patient("Baker", "Ben")
    hub.record(ben, observation(ben), location="south")
    told = {"patient_id": ben["id"], "reason": WHY}
    with (
        hub.program(("clinician", "north")) as clinician,
        hub.program(("privacy_officer", "south")) as officer,
        hub.program(("privacy_officer", "north")) as other,
        hub.program(("front_desk", "north")) as clerk,
    ):
        assert clinician.get(f"/fhir/Patient/{ben['id']}").headers["x-break-glass"] == "possible"
        assert clerk.post(f"{API}/emergencies", json=told).status_code == 403
        assert clinician.post(f"{API}/emergencies", json={**told, "reason": "x"}).status_code == 422
        assert clinician.post(f"{API}/emergencies", json={**told, "patient_id": new_id()}).status_code == 404
        opened = clinician.post(f"{API}/emergencies", json=told)
        assert opened.status_code == 201
        assert clinician.get(f"/fhir/Patient/{ben['id']}").status_code == 200
        assert len(clinician.get(f"/fhir/Observation?patient={ben['id']}").json()["entry"]) == 1
        assert other.get(f"{API}/emergencies").json() == []
        assert [each["reason"] for each in officer.get(f"{API}/emergencies").json()] == [WHY]
        review = f"{API}/emergencies/{opened.json()['grant_id']}/review"
        assert other.post(review, json={"finding": "justified"}).status_code == 403
        assert clinician.post(review, json={"finding": "justified"}).status_code == 403
        assert officer.post(review, json={"finding": "justified"}).status_code == 200
        assert officer.post(review, json={"finding": "justified"}).status_code == 409
        hub.query("UPDATE break_glass_grant SET granted_at = granted_at - interval '2h', expires_at = now()")
        assert clinician.get(f"/fhir/Patient/{ben['id']}").status_code == 403
    actions = hub.query("SELECT action FROM audit_event WHERE patient_id = %s AND action LIKE 'glass.%%'", (ben["id"],))
    assert {each[0] for each in actions} == {"glass.break", "glass.read", "glass.review"}


def test_only_a_colleague_notes_who_treats_a_patient(hub: Hub) -> None:
    ada = patient()
    note = observation(ada)
    hub.record(ada, note, location="north")
    hub.query("UPDATE resource SET sensitivity = 'psychotherapy' WHERE resource_id = %s", (note["id"],))
    hub.query(
        "INSERT INTO patient (patient_id, mrn, home_location_id, family, given, birth_date, gender, created_at,"
        " changed_at, version) VALUES (%s, 'T1', %s, 'Okafor', 'Ada', '1980-04-02', 'female', now(), now(), 1)",
        (ada["id"], hub.location("north")),
    )
    with hub.program(("clinician", "north")) as one, hub.program(("clinician", "north")) as other:
        me = other.get("/api/session").json()["principal_id"]
        assert other.get(f"/fhir/Observation/{note['id']}").status_code == 403
        told = {"patient_id": ada["id"], "principal_id": me}
        assert other.post(f"{API}/care-teams", json=told).status_code == 403
        joined = one.post(f"{API}/care-teams", json=told)
        assert joined.status_code == 201
        assert other.get(f"/fhir/Observation/{note['id']}").status_code == 200
        assert one.get(f"/fhir/Observation/{note['id']}").status_code == 403
        assert one.post(f"{API}/care-teams", json=told).status_code == 409
        assert one.post(f"{API}/care-teams/{joined.json()['member_id']}/leave").status_code == 200
        assert other.get(f"/fhir/Observation/{note['id']}").status_code == 403


def test_the_group_is_changed_by_whoever_runs_it_and_a_place_by_whoever_runs_that(hub: Hub, boss: httpx.Client) -> None:
    south = hub.location("south")
    with hub.program(("administrator", None)) as head, hub.program(("front_desk", "north")) as clerk:
        body = head.post(f"{API}/organizations", json={"name": "Riverbend"}).json()["organization_id"]
        told = {"key": "west", "organization_id": body, "name": "West", "zone": "America/Chicago"}
        assert boss.post(f"{API}/locations", json=told).status_code == 403
        assert clerk.post(f"{API}/locations", json=told).status_code == 403
        assert head.post(f"{API}/locations", json={**told, "zone": "Chicago"}).status_code == 422
        made = head.post(f"{API}/locations", json=told)
        assert made.status_code == 201
        assert head.post(f"{API}/locations", json=told).status_code == 409
        path = f"{API}/locations/{made.json()['location_id']}"
        assert {each["key"] for each in clerk.get(f"{API}/locations").json()} >= {"west", "north"}
        hours = [{"weekday": 1, "opens": "08:00", "closes": "17:00"}]
        assert boss.put(f"{path}/hours", json=hours, headers={"If-Match": '"1"'}).status_code == 403
        assert head.put(f"{path}/hours", json=hours).status_code == 428
        assert head.put(f"{path}/hours", json=hours * 2, headers={"If-Match": '"1"'}).status_code == 400
        changed = head.put(f"{path}/hours", json=hours, headers={"If-Match": clerk.get(path).headers["etag"]})
        assert changed.json()["hours"] == [{"weekday": 1, "opens": "08:00:00", "closes": "17:00:00"}]
        assert head.put(f"{path}/hours", json=hours, headers={"If-Match": '"1"'}).status_code == 409
        room = {"location_id": str(hub.location("north")), "name": "Room 1"}
        assert boss.post(f"{API}/rooms", json=room).status_code == 201
        assert boss.post(f"{API}/rooms", json={**room, "location_id": str(south)}).status_code == 403
        payer = {"number": "PRMUT1", "name": "Prairie Mutual Health", "filing_indicator": "CI"}
        assert boss.post(f"{API}/payers", json=payer).status_code == 403
        assert head.post(f"{API}/payers", json=payer).status_code == 201
        assert [each["number"] for each in clerk.get(f"{API}/payers").json()] == ["PRMUT1"]
        assert head.post(f"{path}/close", headers={"If-Match": changed.headers["etag"]}).status_code == 200
    with hub.client() as stranger:
        assert stranger.get(f"{API}/locations").status_code == 401
        assert stranger.post(f"{API}/staff", json={}).status_code == 401
