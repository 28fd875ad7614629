"""The FHIR server over HTTP: reads, versions, histories, searches, pages, refusals."""

from __future__ import annotations

import json

import httpx

from hub_core.fhir.canonical import load_object
from tests.integration.hub_api.hub import Hub, ids, link, new_id, observation, patient
from tests.integration.stored import bodies

REFUSALS = (
    ("GET", "/fhir/Patient/9f3c1c52-7f0e-4a53-9d4b-3f6c6f9c1a10", 404, "not-found"),
    ("GET", "/fhir/Patient/17", 404, "not-found"),
    ("GET", "/fhir/Potato", 404, "not-found"),
    ("GET", "/fhir/Patient?birthdate=soon", 400, "value"),
    ("GET", "/fhir/Patient?name:sounds-like=x", 400, "not-supported"),
    ("GET", "/fhir/Patient?_count=-1", 400, "value"),
    ("GET", "/fhir/Patient?_cursor=abc", 400, "value"),
    ("PUT", "/fhir/Patient/17", 415, "not-supported"),
    ("DELETE", "/fhir/Patient/17", 404, "not-found"),
    ("POST", "/fhir/Patient", 415, "not-supported"),
    ("GET", "/fhir/", 405, "not-supported"),
    ("POST", "/fhir/", 415, "not-supported"),
    ("PATCH", "/fhir/Patient/17", 415, "not-supported"),
)
"""Method, path, status, and the code of the first issue."""


def test_a_resource_is_answered_byte_for_byte_with_its_version(hub: Hub, admin: httpx.Client) -> None:
    ada = patient(extension=[{"url": "http://example.org/dose", "valueDecimal": 1}])
    hub.record(ada)
    answer = admin.get(f"/fhir/Patient/{ada['id']}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/fhir+json"
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["last-modified"].endswith("GMT")
    assert [answer.text] == bodies(hub.installation.database, "v.resource_id = %s", ada["id"])


def test_a_version_known_already_is_not_sent_again(hub: Hub, admin: httpx.Client) -> None:
    ada = patient()
    hub.record(ada)
    assert admin.get(f"/fhir/Patient/{ada['id']}", headers={"If-None-Match": 'W/"1"'}).status_code == 304
    hub.record({**ada, "gender": "other"}, arrival=2)
    changed = admin.get(f"/fhir/Patient/{ada['id']}", headers={"If-None-Match": 'W/"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, 'W/"2"')


def test_older_versions_stay_readable(hub: Hub, admin: httpx.Client) -> None:
    ada = patient()
    hub.record(ada)
    hub.record({**ada, "gender": "other"}, arrival=2)
    assert admin.get(f"/fhir/Patient/{ada['id']}/_history/1").json()["gender"] == "female"
    assert admin.get(f"/fhir/Patient/{ada['id']}/_history/2").json()["gender"] == "other"
    assert admin.get(f"/fhir/Patient/{ada['id']}/_history/3").status_code == 404
    assert admin.get(f"/fhir/Patient/{ada['id']}/_history/x").status_code == 404


def test_history_pages_through_every_version_latest_first(hub: Hub, admin: httpx.Client) -> None:
    ada = patient()
    for arrival in range(1, 6):
        hub.record({**ada, "birthDate": f"1980-04-0{arrival}"}, arrival=arrival)
    seen, url = [], f"/fhir/Patient/{ada['id']}/_history?_count=2"
    while url:
        page = admin.get(url).json()
        assert page["type"] == "history"
        seen += [entry["resource"]["birthDate"] for entry in page["entry"]]
        url = link(page, "next") or ""
    assert seen == [f"1980-04-0{day}" for day in (5, 4, 3, 2, 1)]
    first = admin.get(f"/fhir/Patient/{ada['id']}/_history").json()["entry"][-1]
    assert first["request"] == {"method": "PUT", "url": f"Patient/{ada['id']}"}
    assert first["response"]["status"] == "201"


def test_a_deleted_resource_is_gone_and_not_found_by_searches(hub: Hub, admin: httpx.Client) -> None:
    ada = patient()
    hub.record(ada)
    hub.query("UPDATE resource SET deleted = true WHERE resource_id = %s", (ada["id"],))
    answer = admin.get(f"/fhir/Patient/{ada['id']}")
    assert answer.status_code == 410
    assert answer.json()["issue"][0]["code"] == "deleted"
    assert ids(admin.get("/fhir/Patient").json()) == []


def test_refusals_are_operation_outcomes(admin: httpx.Client) -> None:
    for method, path, status, code in REFUSALS:
        answer = admin.request(method, path)
        assert answer.status_code == status, path
        assert answer.headers["content-type"] == "application/fhir+json"
        outcome = answer.json()
        assert outcome["resourceType"] == "OperationOutcome"
        assert outcome["issue"][0]["code"] == code, path
        assert outcome["issue"][0]["details"]["text"]


def test_other_formats_are_refused(admin: httpx.Client) -> None:
    assert admin.get("/fhir/Patient", headers={"Accept": "application/fhir+xml"}).status_code == 406
    assert admin.get("/fhir/Patient?_format=xml").status_code == 406
    assert admin.get("/fhir/Patient?_format=json", headers={"Accept": "application/fhir+xml"}).status_code == 200
    assert admin.get("/fhir/Patient", headers={"Accept": "text/html,*/*;q=0.8"}).status_code == 200
    for version, status in (("4.0", 200), ("3.0", 406), ("4.3", 406)):
        accepted = f"application/fhir+json; fhirVersion={version}"
        assert admin.get("/fhir/Patient", headers={"Accept": accepted}).status_code == status, version


def test_an_unknown_parameter_is_named_or_refused_as_asked(hub: Hub, admin: httpx.Client) -> None:
    hub.record(patient())
    lenient = admin.get("/fhir/Patient?shoe-size=44&gender=female").json()
    assert len(ids(lenient)) == 1
    assert "shoe-size" in lenient["entry"][-1]["resource"]["issue"][0]["details"]["text"]
    assert link(lenient, "self") == f"{hub.url}/fhir/Patient?gender=female"
    strict = admin.get("/fhir/Patient?shoe-size=44", headers={"Prefer": "handling=strict"})
    assert strict.status_code == 400


def test_a_total_is_counted_when_asked_for(hub: Hub, admin: httpx.Client) -> None:
    hub.record(*(patient(f"Family{number}") for number in range(7)))
    page = admin.get("/fhir/Patient?_count=2&_total=accurate").json()
    assert (page["total"], len(ids(page))) == (7, 2)
    assert "total" not in admin.get("/fhir/Patient?_count=2").json()
    only_count = admin.get("/fhir/Patient?_count=0").json()
    assert (only_count["total"], ids(only_count)) == (7, [])


def test_pages_stay_whole_while_others_write(hub: Hub, admin: httpx.Client) -> None:
    first = [patient(f"Family{number}") for number in range(25)]
    hub.record(*first)
    seen: list[str] = []
    url = "/fhir/Patient?_count=4"
    while url:
        page = admin.get(url).json()
        seen += ids(page)
        url = link(page, "next") or ""
        hub.record(patient("Latecomer"))
        hub.record({**first[len(seen) % 25], "gender": "unknown"}, arrival=len(seen) + 2)
    assert len(seen) == len(set(seen))
    assert {each["id"] for each in first} <= set(seen)


def test_no_link_of_a_search_by_form_shows_what_was_asked(hub: Hub, admin: httpx.Client) -> None:
    hub.record(*(patient("Okonkwo") for _ in range(5)))
    page = admin.post("/fhir/Patient/_search", data={"family": "Okonkwo", "_count": "2"}).json()
    following = link(page, "next")
    assert following is not None
    assert "konkwo" not in following
    rest = admin.get(following).json()
    assert len(ids(rest)) == 2
    assert not set(ids(rest)) & set(ids(page))


def test_a_cursor_serves_only_its_search_and_its_principal(hub: Hub, admin: httpx.Client) -> None:
    hub.record(*(patient() for _ in range(3)))
    following = link(admin.get("/fhir/Patient?_count=1").json(), "next")
    assert following is not None
    assert admin.get(following.replace("/Patient?", "/Encounter?")).status_code == 400
    issued = admin.post("/api/tokens", json={"name": "loader", "is_administrator": True}).json()
    with hub.client(Authorization=f"Bearer {issued['token']}") as other:
        assert other.get(following).status_code == 400


def test_everything_holds_the_compartment_and_what_it_refers_to(hub: Hub, admin: httpx.Client) -> None:
    ada, ben = patient(), patient("Bello")
    doctor = {"resourceType": "Practitioner", "id": new_id(), "name": [{"family": "Sato"}]}
    unrelated = {"resourceType": "Practitioner", "id": new_id(), "name": [{"family": "Nobody"}]}
    others_device = {"resourceType": "Device", "id": new_id(), "patient": {"reference": f"Patient/{ben['id']}"}}
    mine = [
        observation(ada, performer=[{"reference": f"Practitioner/{doctor['id']}"}]),
        *(observation(ada, device={"reference": f"Device/{others_device['id']}"}) for _ in range(6)),
    ]
    hub.record(ada, ben, doctor, unrelated, others_device, *mine, observation(ben))
    for count in (1, 2, 3, 7, 8, 9, 50):
        matches, included, url = [], [], f"/fhir/Patient/{ada['id']}/$everything?_count={count}"
        while url:
            page = admin.get(url).json()
            assert len(page["entry"]) <= count
            matches += ids(page)
            included += ids(page, "include")
            url = link(page, "next") or ""
        assert sorted(matches) == sorted([ada["id"], *(each["id"] for each in mine)])
        assert included == [doctor["id"]]
    assert admin.get(f"/fhir/Patient/{new_id()}/$everything").status_code == 404


def test_digits_survive_into_a_bundle(hub: Hub, admin: httpx.Client) -> None:
    ada = patient()
    hub.record(ada, observation(ada, valueQuantity=load_object('{"value": 98.10}')))
    assert '"value":98.10' in admin.get("/fhir/Observation").text


def test_what_is_declared_is_what_is_served(hub: Hub, stranger: httpx.Client, admin: httpx.Client) -> None:
    statement = stranger.get("/fhir/metadata").json()
    assert (statement["resourceType"], statement["fhirVersion"]) == ("CapabilityStatement", "4.0.1")
    samples = {"date": "2024", "number": "5", "quantity": "5"}
    for resource in statement["rest"][0]["resource"]:
        if resource["type"] in ("Patient", "Observation", "Encounter", "Claim"):
            for param in resource["searchParam"]:
                value = samples.get(param["type"], "x")
                if param["type"] == "composite":
                    value = (
                        "x$5" if param["name"].endswith("quantity") else "x$2024" if "date" in param["name"] else "x$x"
                    )
                asked = f"/fhir/{resource['type']}?{param['name']}={value}"
                answer = admin.get(asked, headers={"Prefer": "handling=strict"})
                assert answer.status_code == 200, asked
                assert json.loads(answer.content)["type"] == "searchset"


def _served(admin: httpx.Client, name: str, resource_id: str) -> set[str]:
    """Return the interactions with a type that are not refused as such: reads of what is there, and empty writes."""
    address, fhir = f"/fhir/{name}", {"Content-Type": "application/fhir+json"}
    asked = {
        "read": admin.get(f"{address}/{resource_id}"),
        "vread": admin.get(f"{address}/{resource_id}/_history/1"),
        "history-instance": admin.get(f"{address}/{resource_id}/_history"),
        "history-type": admin.get(f"{address}/_history"),
        "search-type": admin.get(address),
        "create": admin.post(address, json={}, headers=fhir),
        "update": admin.put(f"{address}/{resource_id}", json={}, headers=fhir),
        "patch": admin.patch(f"{address}/{resource_id}", json={}, headers=fhir),
        "delete": admin.delete(f"{address}/{new_id()}"),
    }
    return {code for code, answer in asked.items() if answer.status_code not in (404, 405)}


def test_the_interactions_that_are_declared_are_those_that_are_served(hub: Hub, admin: httpx.Client) -> None:
    rest = admin.get("/fhir/metadata").json()["rest"][0]
    declared = {each["type"]: {one["code"] for one in each["interaction"]} for each in rest["resource"]}
    for name in ("Patient", "Observation", "Organization", "Appointment", "Encounter", "Claim", "Provenance", "Binary"):
        hub.record({"resourceType": name, "id": (resource_id := new_id())})
        assert _served(admin, name, resource_id) == declared[name], name
    event = admin.get("/fhir/AuditEvent?_count=1").json()["entry"][0]["resource"]["id"]
    assert _served(admin, "AuditEvent", event) == declared["AuditEvent"]
    for each in next(each for each in rest["resource"] if each["type"] == "AuditEvent")["searchParam"]:
        value = "2024" if each["type"] == "date" else "x"
        assert admin.get(f"/fhir/AuditEvent?{each['name']}={value}").status_code == 200, each
    empty = {"resourceType": "Bundle", "entry": []}
    fhir = {"Content-Type": "application/fhir+json"}
    system = {
        "history-system": admin.get("/fhir/_history"),
        "search-system": admin.get("/fhir/?_type=Patient"),
        "batch": admin.post("/fhir", json={**empty, "type": "batch"}, headers=fhir),
        "transaction": admin.post("/fhir", json={**empty, "type": "transaction"}, headers=fhir),
    }
    served = {code for code, answer in system.items() if answer.status_code == 200}
    assert served == {each["code"] for each in rest["interaction"]}


def test_lost_connections_are_replaced_without_the_caller_noticing(hub: Hub, admin: httpx.Client) -> None:
    ada = patient()
    hub.record(ada)
    person_id = hub.query("SELECT person_id FROM person_member")[0][0]
    for path in (f"/fhir/Patient/{ada['id']}", "/fhir/Patient", f"/api/people/{person_id}/chart", "/api/feeds"):
        assert admin.get(path).status_code == 200
        hub.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert admin.get(path).status_code == 200, path
