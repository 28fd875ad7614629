"""Histories of a type and of all types: all versions that the caller may see, by pages, since a moment."""

from __future__ import annotations

import httpx

from ehr_pm.record.apply import apply
from ehr_pm.record.entry import Entry
from hub_core.fhir.canonical import Json
from hub_core.sensitivity import labelled
from tests.integration.hub_api.hub import NOON, Hub, link, new_id, observation, patient


def test_all_versions_of_a_type_come_by_pages_latest_first(hub: Hub, admin: httpx.Client) -> None:
    people = [patient() for _ in range(3)]
    hub.record(*people)
    hub.record({**people[0], "gender": "other"}, arrival=2)
    hub.record(observation(people[0]))
    hub.record(*(seen := [observation(people[0]), observation(people[1])]), location="north")
    found, url = [], "/fhir/Patient/_history?_count=3&_since=2020-01-01T00:00:00Z"
    while url:
        page = admin.get(url).json()
        assert page["type"] == "history"
        found += [(each["resource"]["id"], each["resource"]["meta"]["versionId"]) for each in page["entry"]]
        url = link(page, "next") or ""
    assert found == [(people[0]["id"], "2"), *((each["id"], "1") for each in reversed(people))]
    later = admin.get("/fhir/Patient/_history?_since=2999-01-01T00:00:00Z").json()
    assert "entry" not in later
    for wrong in ("_since=soon", "_at=2026", "_count=x"):
        assert admin.get(f"/fhir/Patient/_history?{wrong}").status_code == 400, wrong
    hub.record({**people[1], "gender": "male"}, arrival=3, location="north")
    with hub.program(("clinician", "north")) as north:
        before = len(hub.audited())
        entries = north.get("/fhir/Patient/_history").json()["entry"]
        assert [each["request"]["url"] for each in entries] == [f"Patient/{people[1]['id']}"] * 2
        assert hub.audited(before)[0][1:5] == ("success", "Patient", None, people[1]["id"])
        told = north.get("/fhir/Observation/_history").json()["entry"]
        assert [each["resource"]["id"] for each in told] == [seen[1]["id"]], "of whom the north does not know, nothing"
    with hub.program(("interface", None)) as feed:
        assert feed.get("/fhir/Patient/_history").status_code == 403


def bare(resource: Json) -> Json:
    return {"resourceType": resource["resourceType"], "id": resource["id"]}


def told(client: httpx.Client, url: str) -> list[tuple[str, str]]:
    """Return address and version of every entry of a history, page by page."""
    found, following = [], url
    while following:
        page = client.get(following).json()
        assert page["type"] == "history"
        found += [(each["request"]["url"], each["response"]["etag"]) for each in page.get("entry", [])]
        following = link(page, "next") or ""
    return found


def test_all_versions_of_all_types_come_by_pages_to_who_may_see_them(hub: Hub, admin: httpx.Client) -> None:
    ada, ben = patient(), patient()
    place = {"resourceType": "Organization", "id": new_id(), "name": "East"}
    claim = {"resourceType": "Claim", "id": new_id(), "patient": {"reference": f"Patient/{ada['id']}"}}
    hub.record(ada, ben, place, location="north")
    hub.record(seen := observation(ada), claim, location="north")
    gone = Entry(bare(seen), "clinic", seen["id"], "north", event_at=NOON, arrival=2, is_deleted=True)
    with hub.installation.database.begin() as unit:
        apply(unit.driver, [gone])
    hub.record(labelled(observation(ben), "psychotherapy"), location="north")
    last_first = [(seen, 2), (claim, 1), (seen, 1), (place, 1), (ben, 1), (ada, 1)]
    everything = [(f"{each['resourceType']}/{each['id']}", f'W/"{version}"') for each, version in last_first]
    assert told(admin, "/fhir/_history?_count=2") == everything
    assert told(admin, "/fhir/_history?_since=2020-01-01T00:00:00Z") == everything
    assert told(admin, "/fhir/_history?_since=2999-01-01T00:00:00Z") == []
    types = {"clinician": "Patient Observation Organization Claim", "biller": "Patient Organization Claim",
             "front_desk": "Patient Organization"}  # fmt: skip
    for role, kinds in types.items():
        with hub.program((role, "north")) as program:
            seen_by_role = [each for each in everything if each[0].partition("/")[0] in kinds.split()]
            assert told(program, "/fhir/_history?_count=3") == seen_by_role, role
    with hub.program(("clinician", "south")) as south:
        before = len(hub.audited())
        assert told(south, "/fhir/_history") == [(f"Organization/{place['id']}", 'W/"1"')]
        assert hub.audited(before)[0][1:5] == ("success", "Organization", place["id"], None)
    with hub.program(("interface", None)) as feed:
        assert feed.get("/fhir/_history").status_code == 403
