"""The Provenance that is made of every version: read, found, beside other matches, with what sources sent of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fhir.resources.R4B.provenance import Provenance

from ehr_pm.record.apply import apply
from ehr_pm.record.entry import Entry
from hub_api.fhir.provenance import id_of_version, version_of_id
from hub_core.fhir.canonical import Json
from tests.integration.hub_api.hub import NOON, Hub, ids, link, new_id, observation, patient

FHIR = {"Content-Type": "application/fhir+json"}


@pytest.fixture(scope="module")
def clinician(hub: Hub) -> Iterator[httpx.Client]:
    """Return a program that holds a clinician's role in the whole group."""
    with hub.program(("clinician", None)) as client:
        yield client


def made_id(resource: Json, version: int = 1) -> str:
    return id_of_version(resource["resourceType"], uuid.UUID(resource["id"]), version)


def told(resource: Json) -> Json:
    """Return a Provenance that a source sent of a resource."""
    who = {"who": {"display": "Dr. Bell"}}
    target = [{"reference": f"{resource['resourceType']}/{resource['id']}"}]
    return {
        "resourceType": "Provenance",
        "id": new_id(),
        "target": target,
        "recorded": "2026-02-03T10:00:00Z",
        "agent": [who],
    }


def look(client: httpx.Client, path: str) -> Json:
    answer = client.get(f"/fhir/{path}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def received(hub: Hub, resource: Json) -> str:
    """Write a resource as the second record of a message, and return the message's id."""
    message_id = uuid.uuid4()
    hub.query(
        "INSERT INTO message (message_id, feed, source, format, kind, sha256, size, state, shelf)"
        " VALUES (%s, 'north-hl7', 'clinic', 'hl7v2', 'ADT^A04', '', 0, 'processed', '')",
        (message_id,),
    )
    entry = Entry(
        resource, "clinic", "17", "north", event_at=NOON, message_id=message_id, position=2, mapping_version="hl7v2-9"
    )
    with hub.installation.database.begin() as unit:
        apply(unit.driver, [entry])
    return str(message_id)


def test_ids_say_which_version_and_nothing_else_is_one() -> None:
    resource_id = uuid.UUID("9f3c1c52-7f0e-4a53-9d4b-3f6c6f9c1a10")
    longest = "MedicinalProductUndesirableEffect", resource_id, 999
    assert len(id_of_version(*longest)) <= 64
    for version in (longest, ("Patient", resource_id, 1), ("Observation", resource_id, 123456)):
        assert version_of_id(id_of_version(*version)) == version
    known = id_of_version("Patient", resource_id, 1)
    for text in (
        known.upper(),
        known[:-1],
        known[:-1] + "b",
        known.replace(".1.", ".01."),
        known.replace("P", "X"),
        "",
    ):
        assert version_of_id(text) is None, text


def test_a_version_of_a_message_says_who_sent_it_and_what_read_it(hub: Hub, clinician: httpx.Client) -> None:
    ada = patient()
    message_id = received(hub, ada)
    before = len(hub.audited())
    answer = clinician.get(f"/fhir/Provenance/{made_id(ada)}")
    found = answer.json()
    Provenance.model_validate(found)
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"1"')
    assert found["target"] == [{"reference": f"Patient/{ada['id']}/_history/1"}]
    assert found["recorded"] == look(clinician, f"Patient/{ada['id']}")["meta"]["lastUpdated"]
    assert found["activity"]["coding"][0]["code"] == "CREATE"
    agents = {each["type"]["coding"][0]["code"]: each["who"] for each in found["agent"]}
    assert list(agents) == ["author", "transmitter", "assembler"]
    assert agents["author"]["identifier"]["value"] == agents["transmitter"]["identifier"]["value"] == "clinic"
    assert agents["assembler"]["identifier"]["value"] == "hl7v2-9"
    (entity,) = found["entity"]
    assert entity["what"]["identifier"]["value"] == message_id
    assert entity["what"]["display"] == "ADT^A04 of north-hl7, record 2"
    assert hub.audited(before)[0][1:5] == ("success", "Provenance", made_id(ada), ada["id"])


def test_what_was_written_over_the_api_says_by_whom(hub: Hub, clinician: httpx.Client, admin: httpx.Client) -> None:
    del admin
    sent = {name: value for name, value in patient().items() if name != "id"}
    ada = clinician.post("/fhir/Patient", json=sent, headers=FHIR).json()
    clinician.put(f"/fhir/Patient/{ada['id']}", json={**ada, "gender": "other"}, headers=FHIR)
    (writer,) = hub.query("SELECT source FROM resource WHERE resource_id = %s", (ada["id"],))[0]
    second = look(clinician, f"Provenance/{made_id(ada, 2)}")
    assert second["agent"][0]["who"]["identifier"]["value"] == writer.removeprefix("api:")
    assert second["activity"]["coding"][0]["code"] == "UPDATE"
    assert "entity" not in second
    assert [each["type"]["coding"][0]["code"] for each in second["agent"]] == ["author", "assembler"]
    clinician.delete(f"/fhir/Patient/{ada['id']}")
    assert look(clinician, f"Provenance/{made_id(ada, 3)}")["activity"]["coding"][0]["code"] == "DELETE"
    assert look(clinician, f"Provenance/{made_id(ada, 1)}")["activity"]["coding"][0]["code"] == "CREATE"
    assert ids(look(clinician, f"Provenance?target=Patient/{ada['id']}")) == [], "what is deleted is found no more"


def test_of_the_staff_the_trail_knows_who_it_was(hub: Hub) -> None:
    who, ada = uuid.uuid4(), patient()
    hub.record(ada, source="api:staff")
    hub.query(
        "INSERT INTO audit_event (event_id, recorded_at, principal_id, action, resource_type, resource_id, patient_id,"
        " outcome, detail) SELECT %s, recorded_at + interval '1 millisecond', %s, 'resource.create', 'Patient', %s, %s,"
        " 'success', '{\"version\": \"1\"}' FROM resource WHERE resource_id = %s",
        (uuid.uuid4(), who, ada["id"], ada["id"], ada["id"]),
    )
    with hub.program(("clinician", None)) as client:
        author = look(client, f"Provenance/{made_id(ada)}")["agent"][0]["who"]
    assert author["identifier"]["value"] == str(who)


def test_it_has_one_version(clinician: httpx.Client, hub: Hub) -> None:
    hub.record(ada := patient())
    path = f"Provenance/{made_id(ada)}"
    assert look(clinician, f"{path}/_history/1") == look(clinician, path)
    assert ids(look(clinician, f"{path}/_history"), "") == [made_id(ada)]
    for wrong in (f"{path}/_history/2", f"Provenance/{made_id(ada, 2)}", f"Provenance/{made_id(patient())}"):
        assert clinician.get(f"/fhir/{wrong}").status_code == 404, wrong


def test_searches_by_target_find_the_current_one_and_what_sources_sent(hub: Hub, clinician: httpx.Client) -> None:
    hub.record(ada := patient())
    hub.record(sent := told(ada))
    hub.record({**ada, "gender": "other"}, arrival=2)
    expected = [sent["id"], made_id(ada, 2)]
    for query in (f"target=Patient/{ada['id']}", f"target={ada['id']}", f"target={hub.url}/fhir/Patient/{ada['id']}"):
        page = look(clinician, f"Provenance?{query}&_total=accurate")
        assert (ids(page), page["total"]) == (expected, 2), query
    assert ids(look(clinician, f"Provenance?_id={made_id(ada, 2)},{sent['id']}&_sort=_id")) == [sent["id"]]
    assert ids(look(clinician, f"Provenance?_id={made_id(ada, 2)}")) == [made_id(ada, 2)]
    assert ids(look(clinician, f"Provenance?target=Patient/{ada['id']}&recorded=lt2026-03-01")) == [sent["id"]]
    assert ids(look(clinician, f"Provenance?target=Patient/{ada['id']}&_lastUpdated=lt2020")) == []


def test_pages_go_on_from_what_sources_sent_to_what_is_made(hub: Hub, clinician: httpx.Client) -> None:
    hub.record(ada := patient())
    seen = [observation(ada) for _ in range(4)]
    hub.record(*seen)
    hub.record(*(sent := [told(ada), told(seen[0])]))
    for size in (1, 2, 3, 7):
        found: list[str] = []
        page = look(clinician, f"Provenance?patient={ada['id']}&_count={size}&_total=accurate")
        assert page["total"] == 7, "five that are made, one that was sent, and its own"
        while True:
            found += ids(page)
            following = link(page, "next")
            if following is None:
                break
            page = clinician.get(following).json()
        assert len(found) == len(set(found)) == 7, size
        assert found[0] == sent[0]["id"], size
        assert {made_id(each) for each in (ada, *seen, sent[0])} <= set(found), size


def test_what_made_provenance_is_not_searched_by_is_said_or_refused(hub: Hub, clinician: httpx.Client) -> None:
    hub.record(ada := patient())
    hub.record(sent := told(ada))
    for query in ("_sort=recorded", "agent-type:missing=true", "target.name=okafor", "target:missing=false"):
        path = f"Provenance?_id={sent['id']}&{query.replace('target.', 'target:Patient.')}"
        page = look(clinician, path)
        assert ids(page) == [sent["id"]], query
        assert "envelopes" in page["entry"][-1]["resource"]["issue"][0]["details"]["text"]
        strict = clinician.get(f"/fhir/{path}", headers={"Prefer": "handling=strict"})
        assert (strict.status_code, strict.json()["issue"][0]["code"]) == (400, "not-supported"), query


def test_every_search_can_show_it_beside_its_matches(hub: Hub, clinician: httpx.Client) -> None:
    hub.record(ada := patient())
    hub.record(seen := observation(ada), sent := told(seen), told(ada))
    page = look(clinician, f"Observation?_id={seen['id']}&_revinclude=Provenance:target")
    assert (ids(page), ids(page, "include")) == ([seen["id"]], [sent["id"], made_id(seen)])
    again = look(
        clinician, f"Observation?_id={seen['id']}&_include=Observation:subject&_revinclude:iterate=Provenance:target"
    )
    assert {made_id(seen), made_id(ada), sent["id"]} < set(ids(again, "include"))
    other = look(clinician, f"Observation?_id={seen['id']}&_revinclude=Provenance:target:Patient")
    assert ids(other, "include") == []
    included = look(clinician, f"Provenance?target=Observation/{seen['id']}&_include=Provenance:target")
    assert (ids(included), ids(included, "include")) == ([sent["id"], made_id(seen)], [seen["id"]])


def test_who_may_not_see_the_target_sees_nothing_of_its_provenance(hub: Hub, clinician: httpx.Client) -> None:
    hub.record(ada := patient(), location="north")
    secret: dict[str, Any] = {
        "meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}]}
    }
    hub.record(plain := observation(ada), closed := observation(ada, **secret), location="north")
    (label,) = hub.query("SELECT sensitivity FROM resource WHERE resource_id = %s", (closed["id"],))[0]
    assert label is not None
    assert clinician.get(f"/fhir/Provenance/{made_id(closed)}").status_code == 403
    about = f"Provenance?patient={ada['id']}&_total=accurate"
    page = look(clinician, about)
    assert (set(ids(page)), page["total"]) == ({made_id(ada), made_id(plain)}, 2)
    with hub.program(("front_desk", "north")) as desk:
        assert (ids(look(desk, about)), look(desk, about)["total"]) == ([made_id(ada)], 1)
        assert look(desk, f"Provenance/{made_id(ada)}")["id"] == made_id(ada)
        before = len(hub.audited())
        assert desk.get(f"/fhir/Provenance/{made_id(plain)}").status_code == 403
        assert hub.audited(before)[0][1:5] == ("refused", "Provenance", made_id(plain), ada["id"])
    with hub.program(("clinician", "south")) as elsewhere:
        assert ids(look(elsewhere, about)) == []
        assert elsewhere.get(f"/fhir/Provenance/{made_id(ada)}").status_code == 403
    with hub.program(("interface", None)) as feed:
        assert feed.get(f"/fhir/{about}").status_code == 403
