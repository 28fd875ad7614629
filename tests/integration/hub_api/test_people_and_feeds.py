"""People, their whole chart, and the state of feeds, as the dashboards ask for them."""

from __future__ import annotations

import httpx

from hub_core.fhir.canonical import load_object
from hub_core.messages.arrival import Arrival
from tests.integration.hub_api.hub import Hub, new_id, observation, patient

MRN = {"system": "urn:oid:1.2.3", "value": "7042"}


def test_one_person_with_two_records_is_found_once(hub: Hub, admin: httpx.Client) -> None:
    north, south = patient("Núñez", "Ana María", identifier=[MRN]), patient("Nunez", "Ana", identifier=[MRN])
    hub.record(north, source="north", location="north clinic")
    hub.record(south, source="south")
    hub.record(patient("Nunez", "Bea"))
    for asked in (
        {"name": "nunez ana"},
        {"name": "Nuñez, An"},
        {"identifier": "7042"},
        {"identifier": "urn:oid:1.2.3|7042"},
        {"name": "ana", "identifier": "7042", "birth_date": "1980-04"},
    ):
        people = admin.post("/api/people/search", json=asked).json()
        assert len(people) == 1, asked
        assert {each["patient_id"] for each in people[0]["patients"]} == {north["id"], south["id"]}
        assert {each["source"] for each in people[0]["patients"]} == {"north", "south"}
        assert people[0]["patients"][0]["identifiers"] == [MRN]
        assert (people[0]["birth_date"], people[0]["gender"]) == ("1980-04-02", "female")
    assert len(admin.post("/api/people/search", json={"name": "nunez"}).json()) == 2


def test_nobody_fits(hub: Hub, admin: httpx.Client) -> None:
    hub.record(patient("Nunez", identifier=[MRN]))
    for asked in (
        {"identifier": "7043"},
        {"name": "zzz"},
        {"birth_date": "1980-04-03"},
        {"identifier": "urn:other|7042"},
    ):
        assert admin.post("/api/people/search", json=asked).json() == [], asked


def test_a_search_for_nothing_is_refused(admin: httpx.Client) -> None:
    for asked in ({}, {"name": " "}, {"birth_date": "soon"}, {"name": "\x00"}):
        assert admin.post("/api/people/search", json=asked).status_code == 400, asked


def test_a_chart_joins_the_records_of_a_person_newest_first(hub: Hub, admin: httpx.Client) -> None:
    north, south = patient("Okafor", identifier=[MRN]), patient("Okafor", identifier=[MRN])
    stranger = patient("Bello")
    glucose = observation(north, valueQuantity=load_object('{"value": 98.10, "unit": "mg/dL"}'))
    visit = {
        "resourceType": "Encounter",
        "id": new_id(),
        "status": "finished",
        "class": {"code": "AMB", "display": "ambulatory"},
        "subject": {"reference": f"Patient/{south['id']}"},
        "period": {"start": "2026-02-05"},
    }
    oddity = {"resourceType": "Claim", "id": new_id(), "patient": {"reference": f"Patient/{north['id']}"}, "item": "?"}
    hub.record(north, glucose, oddity, source="north")
    hub.record(south, visit, source="south")
    hub.record(stranger, observation(stranger), source="south")
    person_id = admin.post("/api/people/search", json={"name": "okafor"}).json()[0]["person_id"]
    chart = admin.get(f"/api/people/{person_id}/chart")
    assert "98.10 mg/dL" in chart.text
    content = chart.json()
    assert content["person"]["name"] == "Ada Okafor"
    assert len(content["patients"]) == 2
    facts = content["facts"]
    assert {fact["resource_id"] for fact in facts} == {each["id"] for each in (north, south, glucose, visit, oddity)}
    clinical = [fact for fact in facts if fact["resource_id"] in (glucose["id"], visit["id"])]
    assert [(f["category"], f["title"], f["date"], f["source"], f["status"]) for f in clinical] == [
        ("Visits", "ambulatory", "2026-02-05", "south", "finished"),
        ("Results", "Glucose", "2026-02-03T10:00:00Z", "north", "final"),
    ]
    assert admin.get(f"/api/people/{new_id()}/chart").status_code == 404


def test_a_chart_of_a_merged_person_is_that_of_the_survivor(hub: Hub, admin: httpx.Client) -> None:
    hub.record(patient("Okafor"))
    person_id = hub.query("SELECT person_id FROM person_member")[0][0]
    merged = new_id()
    hub.query("INSERT INTO person (person_id, merged_into) VALUES (%s, %s)", (merged, person_id))
    assert admin.get(f"/api/people/{merged}/chart").json()["person"]["person_id"] == str(person_id)


def test_a_fact_names_the_feed_and_message_it_came_from(hub: Hub, admin: httpx.Client) -> None:
    stored = hub.installation.store.take([Arrival("adt", "north", "hl7v2", "ADT^A01", b"MSH|")])[0]
    ada = patient()
    hub.record(ada)
    hub.query("UPDATE resource SET message_id = %s", (stored.message_id,))
    person_id = hub.query("SELECT person_id FROM person_member")[0][0]
    fact = admin.get(f"/api/people/{person_id}/chart").json()["facts"][0]
    assert (fact["feed"], fact["message_id"]) == ("adt", str(stored.message_id))
    assert fact["received_at"]


def test_feeds_count_what_came_and_what_waits(hub: Hub, admin: httpx.Client) -> None:
    store = hub.installation.store
    store.take([Arrival("labs", "lab", "hl7v2", "ORU^R01", body, records=3) for body in (b"one", b"two")])
    hub.query("UPDATE message SET state = 'rejected', processed = 2, rejected = 1 WHERE position = 1 AND arrival = 1")
    labs = admin.get("/api/feeds").json()[0]
    assert (labs["feed"], labs["source"], labs["format"]) == ("labs", "lab", "hl7v2")
    assert [labs[name] for name in ("received", "processed", "filtered", "rejected", "waiting")] == [6, 2, 0, 1, 3]
    assert labs["oldest_waiting_seconds"] >= 0
    assert admin.get("/api/feeds/labs/rejects").json() == []
    assert admin.get("/api/feeds/none/rejects").status_code == 404
    assert admin.get("/health/ready").json()["waiting_messages"] == 1
