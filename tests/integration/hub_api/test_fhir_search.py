"""Searches over HTTP: what is shown beside matches, how much, in which order; and that the hidden stays hidden."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from hub_core.fhir.canonical import Json
from tests.integration.hub_api.hub import Hub, ids, link, new_id, observation, patient
from tests.integration.searching.brute_force import PARAMETERS, TARGETS


def practitioner(family: str) -> Json:
    return {"resourceType": "Practitioner", "id": new_id(), "name": [{"family": family}]}


@pytest.fixture
def clinician(hub: Hub) -> Iterator[httpx.Client]:
    """Return a clinician's client at the north."""
    hub.location("north")
    with hub.program(("clinician", "north")) as client:
        yield client


def test_what_belongs_beside_matches_is_shown_once_and_on_record(hub: Hub, admin: httpx.Client) -> None:
    ada, ben, sato = patient(), patient("Bello"), practitioner("Sato")
    results = [observation(each, performer=[{"reference": f"Practitioner/{sato['id']}"}]) for each in (ada, ada, ben)]
    hub.record(ada, ben, sato, *results)
    before = len(hub.audited())
    asked = "/fhir/Observation?_include=Observation:patient&_include=Observation:performer&_sort=patient"
    answer = admin.get(asked).json()
    assert sorted(ids(answer)) == sorted(each["id"] for each in results)
    assert sorted(ids(answer, "include")) == sorted([ada["id"], ben["id"], sato["id"]])
    shown_of = {event[4] for event in hub.audited(before) if event[2] == "Observation"}
    assert shown_of == {ada["id"], ben["id"], None}
    reverse = admin.get(f"/fhir/Patient?_id={ada['id']}&_revinclude=Observation:subject&_total=accurate").json()
    assert (reverse["total"], ids(reverse)) == (1, [ada["id"]])
    assert sorted(ids(reverse, "include")) == sorted(each["id"] for each in results[:2])


def test_less_than_the_whole_is_shown_and_said_to_be(hub: Hub, admin: httpx.Client) -> None:
    ada = patient(text={"status": "generated", "div": "<div>Ada</div>"}, contact=[{"name": {"family": "Eze"}}])
    hub.record(ada, observation(ada))
    whole, named, summary, text, data = (
        admin.get(f"/fhir/Patient{asked}").json()["entry"][0]["resource"]
        for asked in ("", "?_elements=gender", "?_summary=true", "?_summary=text", "?_summary=data")
    )
    assert "SUBSETTED" not in json.dumps(whole)
    for part in (named, summary, text, data):
        assert part["meta"]["tag"][-1]["code"] == "SUBSETTED"
        assert part["meta"]["versionId"] == whole["meta"]["versionId"]
    assert set(named) == {"resourceType", "id", "meta", "gender"}
    assert {"name", "gender", "birthDate"} <= set(summary)
    assert not {"text", "contact"} & set(summary)
    assert set(text) == {"resourceType", "id", "meta", "text"}
    assert set(whole) - set(data) == {"text"}
    result = admin.get("/fhir/Observation?_elements=issued").json()["entry"][0]["resource"]
    assert {"status", "code"} <= set(result), "what may not be missing stays"
    counted = admin.get("/fhir/Patient?_summary=count").json()
    assert (counted["total"], counted.get("entry")) == (1, None)


def test_an_order_of_its_own_is_kept_from_page_to_page_while_others_write(hub: Hub, admin: httpx.Client) -> None:
    people = [patient(f"Family{number % 4}", birthDate=f"19{50 + number}-01-01") for number in range(12)]
    hub.record(*people, {"resourceType": "Patient", "id": new_id(), "gender": "other"})
    seen: list[Json] = []
    url = "/fhir/Patient?_sort=family,-birthdate&_count=3"
    while url:
        page = admin.get(url).json()
        seen += [entry["resource"] for entry in page["entry"]]
        url = link(page, "next") or ""
        hub.record(patient("AAA"))
        hub.record({**people[len(seen) % 12], "gender": "unknown"}, arrival=len(seen) + 2)
    named = [each for each in seen if "name" in each]
    assert named == seen[:-1], "who has no name comes last"
    keys = [(each["name"][0]["family"], -int(each["birthDate"][:4])) for each in named]
    assert keys == sorted(keys)
    assert {each["id"] for each in people} <= {each["id"] for each in seen}
    assert len({each["id"] for each in seen}) == len(seen)


def test_a_program_asks_what_may_be_asked_and_is_told_what_may_not(hub: Hub, admin: httpx.Client) -> None:
    hub.record(patient())
    for refused in (
        "name:sounds=x",
        "_include=Patient:name",
        "_sort=shoe-size",
        "birthdate:contains=1",
        "general-practitioner.shoe-size:x=1",
    ):
        answer = admin.get(f"/fhir/Patient?{refused}", headers={"Prefer": "handling=strict"})
        assert answer.status_code == 400, refused
        assert answer.json()["resourceType"] == "OperationOutcome"


def questions() -> list[str]:
    """Return a search for each way from one type to another: chains, `_has`, includes; and orders and totals."""
    found = ["Observation?_sort=date&_total=accurate", "Patient?_sort=-birthdate&_total=accurate&name:missing=false"]
    for kind in PARAMETERS:
        for name, (compared, _) in PARAMETERS[kind].items():
            if compared != "reference":
                continue
            found.append(f"{kind}?_include={kind}:{name}&_include:iterate={kind}:{name}")
            for target in TARGETS[name]:
                found.append(f"{kind}?{name}:{target}._id:not=none&_total=accurate")
                found.append(f"{kind}?{name}:{target}._tag:missing=true&_total=accurate")
                found.append(f"{target}?_has:{kind}:{name}:_tag:missing=true&_total=accurate")
                found.append(f"{target}?_revinclude={kind}:{name}")
    return found


def test_what_is_hidden_changes_no_answer(hub: Hub, clinician: httpx.Client) -> None:
    """More that may not be seen, referring and referred to in every way: each answer stays what it was."""
    ada, sato = patient(), practitioner("Sato")
    visit = {
        "resourceType": "Encounter",
        "id": new_id(),
        "status": "finished",
        "subject": {"reference": f"Patient/{ada['id']}"},
    }
    hidden_patient, hidden_visit, hidden_result, secret = new_id(), new_id(), new_id(), new_id()
    seen: list[Json] = [
        {**ada, "generalPractitioner": [{"reference": f"Practitioner/{sato['id']}"}]},
        visit,
        observation(
            ada,
            encounter={"reference": f"Encounter/{hidden_visit}"},
            performer=[{"reference": f"Patient/{hidden_patient}"}, {"reference": f"Practitioner/{sato['id']}"}],
            derivedFrom=[{"reference": f"Observation/{hidden_result}"}, {"reference": f"Observation/{secret}"}],
        ),
    ]
    hub.record(sato, *seen, location="north")
    before = [_answer(clinician, asked) for asked in questions()]
    assert any('"mode":"include"' in body for body in before)
    ben = {**patient("Bello"), "id": hidden_patient, "generalPractitioner": seen[0]["generalPractitioner"]}
    others: list[Json] = [
        ben,
        {
            **visit,
            "id": hidden_visit,
            "subject": {"reference": f"Patient/{hidden_patient}"},
            "partOf": {"reference": f"Encounter/{visit['id']}"},
        },
        {
            **observation(ben),
            "id": hidden_result,
            "performer": [{"reference": f"Patient/{ada['id']}"}],
            "encounter": {"reference": f"Encounter/{visit['id']}"},
            "derivedFrom": [{"reference": f"Observation/{seen[2]['id']}"}],
        },
    ]
    hub.record(*others, location="south", arrival=2)
    labelled = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSYTHPN"}]}
    derived = {"derivedFrom": [{"reference": f"Observation/{seen[2]['id']}"}]}
    hub.record({**observation(ada, **derived), "id": secret, "meta": labelled}, location="north", arrival=2)
    assert hub.query("SELECT count(*) FROM resource WHERE sensitivity IS NOT NULL") == [(1,)]
    after = [_answer(clinician, asked) for asked in questions()]
    changed = [asked for asked, one, other in zip(questions(), before, after, strict=True) if one != other]
    assert changed == []


def _answer(client: httpx.Client, asked: str) -> str:
    answer = client.get(f"/fhir/{asked}")
    assert answer.status_code == 200, answer.text
    return answer.text
