"""The history of a type: all versions that the caller may see, by pages, since a moment."""

from __future__ import annotations

import httpx

from tests.integration.hub_api.hub import Hub, link, observation, patient


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
