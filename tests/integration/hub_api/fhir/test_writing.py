"""Writing by FHIR over HTTP: create, update, delete, versions that are held, and what each caller may not write."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import pytest

from hub_core.fhir.canonical import Json
from tests.integration.hub_api.hub import Hub, new_id, observation, patient

FHIR = {"Content-Type": "application/fhir+json"}


def make(client: httpx.Client, resource: Json, **headers: str) -> Json:
    """Return a resource that was made, as the server gives it back."""
    sent = {name: value for name, value in resource.items() if name != "id"}
    answer = client.post(f"/fhir/{resource['resourceType']}", json=sent, headers=FHIR | headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def put(client: httpx.Client, resource: Json, **headers: str) -> httpx.Response:
    return client.put(f"/fhir/{resource['resourceType']}/{resource['id']}", json=resource, headers=FHIR | headers)


def put_held(client: httpx.Client, resource: Json, headers: dict[str, str]) -> httpx.Response:
    return put(client, resource, **headers)


def test_what_is_made_is_read_searched_audited_announced_and_in_the_change_log(
    hub: Hub, clinician: httpx.Client
) -> None:
    ada = make(clinician, patient())
    before = len(hub.audited())
    text = (
        b'{"resourceType":"Observation","id":"mine","meta":{"versionId":"7"},"status":"final","code":{"text":"dose"},'
    )
    text += b'"subject":{"reference":"Patient/%s"},"valueQuantity":{"value":1.10}}' % ada["id"].encode()
    answer = clinician.post("/fhir/Observation", content=text, headers=FHIR)
    made = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"1"')
    assert answer.headers["location"] == f"{hub.url}/fhir/Observation/{made['id']}/_history/1"
    assert made["id"] != "mine"
    assert made["meta"]["versionId"] == "1"
    assert '"value":1.10' in answer.text, "digit for digit"
    assert clinician.get(answer.headers["location"]).text == answer.text
    found = clinician.get(f"/fhir/Observation?patient={ada['id']}&value-quantity=1.1").json()
    assert [each["resource"]["id"] for each in found["entry"]] == [made["id"]]
    assert hub.audited(before)[0][1:5] == ("success", "Observation", made["id"], ada["id"])
    announced = "SELECT kind, patient_id::text, location FROM outbox_event WHERE subject_id = %s"
    assert hub.query(announced, (made["id"],)) == [("resource.create", ada["id"], "north")]
    logged = hub.query("SELECT source, version, deleted FROM resource_version WHERE resource_id = %s", (made["id"],))
    principal = hub.audited(before)[0][0]
    assert logged == [(f"api:{principal}", 1, False)]


def test_an_update_makes_a_version_unless_it_changes_nothing(hub: Hub, clinician: httpx.Client) -> None:
    ada = make(clinician, patient())
    again = put(clinician, ada)
    assert (again.status_code, again.headers["etag"]) == (200, 'W/"1"')
    changed = put(clinician, {**ada, "gender": "other"})
    assert (changed.status_code, changed.headers["etag"], changed.json()["gender"]) == (200, 'W/"2"', "other")
    assert len(clinician.get(f"/fhir/Patient/{ada['id']}/_history").json()["entry"]) == 2
    assert hub.query("SELECT count(*) FROM outbox_event WHERE subject_id = %s", (ada["id"],)) == [(2,)]


def test_a_version_that_is_no_more_current_is_not_written_over(clinician: httpx.Client) -> None:
    ada = make(clinician, patient())
    assert put(clinician, {**ada, "gender": "other"}, **{"If-Match": 'W/"1"'}).status_code == 200
    for held in ('W/"1"', '"1"', 'W/"3"', "W/1x"):
        answer = put(clinician, {**ada, "gender": "male"}, **{"If-Match": held})
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (412, "conflict"), held
    assert put(clinician, {**ada, "id": new_id()}, **{"If-Match": "*"}).status_code == 412
    path = f"/fhir/Patient/{ada['id']}"
    assert clinician.delete(path, headers={"If-Match": 'W/"1"'}).status_code == 412
    assert clinician.delete(path, headers={"If-Match": 'W/"2"'}).status_code == 204


def test_of_two_who_read_the_same_version_one_writes(clinician: httpx.Client) -> None:
    ada = make(clinician, patient())
    for round_ in range(1, 6):
        named = [{**ada, "name": [{"family": f"F{round_}{n}"}]} for n in range(2)]
        held = [{"If-Match": f'W/"{round_}"'}] * 2
        with ThreadPoolExecutor(2) as both:
            told = sorted(each.status_code for each in both.map(partial(put_held, clinician), named, held))
        assert told == [200, 412]


def test_of_many_who_make_the_same_id_one_does(clinician: httpx.Client) -> None:
    ada = patient()
    with ThreadPoolExecutor(4) as several:
        told = sorted(each.status_code for each in several.map(partial(put, clinician), [ada] * 4))
    assert told[0] in (200, 201)
    assert told.count(201) == 1
    assert set(told) <= {200, 201, 409}
    assert len(clinician.get(f"/fhir/Patient/{ada['id']}/_history").json()["entry"]) == 1


def test_without_a_version_who_writes_last_stands(clinician: httpx.Client) -> None:
    ada = make(clinician, patient())
    with ThreadPoolExecutor(4) as several:
        named = [{**ada, "name": [{"family": f"F{n}"}]} for n in range(8)]
        assert {each.status_code for each in several.map(lambda one: put(clinician, one), named)} == {200}
    history = clinician.get(f"/fhir/Patient/{ada['id']}/_history").json()["entry"]
    assert [entry["resource"]["meta"]["versionId"] for entry in history] == [str(n) for n in range(9, 0, -1)]
    moments = [entry["resource"]["meta"]["lastUpdated"] for entry in history]
    assert moments == sorted(moments, reverse=True)


def test_what_is_deleted_is_gone_and_its_versions_stay(hub: Hub, clinician: httpx.Client) -> None:
    ada = make(clinician, patient())
    seen = make(clinician, observation(ada))
    path = f"/fhir/Observation/{seen['id']}"
    before = len(hub.audited())
    assert clinician.delete(path).status_code == 204
    assert hub.audited(before)[0][1:5] == ("success", "Observation", seen["id"], ada["id"])
    assert clinician.get(path).status_code == 410
    assert clinician.delete(path).status_code == 204
    assert clinician.delete(f"/fhir/Observation/{new_id()}").status_code == 204
    history = clinician.get(f"{path}/_history").json()["entry"]
    assert [entry["request"]["method"] for entry in history] == ["DELETE", "PUT"]
    assert clinician.get(f"{path}/_history/1").status_code == 200
    assert clinician.get(f"{path}/_history/2").status_code == 410
    again = put(clinician, {**seen, "status": "amended"})
    assert (again.status_code, again.headers["etag"]) == (200, 'W/"3"')


def test_a_patient_with_a_chart_is_not_deleted(clinician: httpx.Client) -> None:
    ada = make(clinician, patient())
    seen = make(clinician, observation(ada))
    assert clinician.delete(f"/fhir/Patient/{ada['id']}").status_code == 409
    assert clinician.delete(f"/fhir/Observation/{seen['id']}").status_code == 204
    assert clinician.delete(f"/fhir/Patient/{ada['id']}").status_code == 204


def test_a_writer_chooses_random_ids_only(clinician: httpx.Client) -> None:
    ada = patient()
    answer = put(clinician, ada)
    assert (answer.status_code, answer.json()["id"]) == (201, ada["id"])
    for chosen in ("17", "7B2E0B3E-0000-4000-8000-000000000000", "9f3c1c52-7f0e-5a53-9d4b-3f6c6f9c1a10"):
        refused = put(clinician, {**ada, "id": chosen})
        assert (refused.status_code, refused.json()["issue"][0]["code"]) == (400, "value"), chosen
    other = clinician.put(f"/fhir/Patient/{new_id()}", json=ada, headers=FHIR)
    assert (other.status_code, other.json()["issue"][0]["expression"]) == (400, ["Patient.id"])


@pytest.mark.parametrize(("preferred", "content"), [("minimal", ""), ("OperationOutcome", "informational")])
def test_as_much_is_answered_as_is_preferred(clinician: httpx.Client, preferred: str, content: str) -> None:
    prefer = {**FHIR, "Prefer": f"return={preferred}"}
    answer = clinician.post("/fhir/Patient", json=patient(), headers=prefer)
    assert (answer.status_code, bool(answer.text)) == (201, bool(content))
    assert content in answer.text
    assert answer.headers["location"].endswith("/_history/1")


FAULTS: tuple[tuple[Any, int, str, str], ...] = (
    ({"resourceType": "Observation", "code": {"text": "x"}}, 400, "required", "Observation.status"),
    ({"resourceType": "Observation", "status": "final", "code": {"text": 3}}, 400, "value", "Observation.code.text"),
    ({"resourceType": "Observation", "status": "final", "code": {}}, 400, "structure", "Observation.code"),
    ({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "shoe": 1}, 400, "structure",
     "Observation.shoe"),
    ({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": "Patient/17"}},
     400, "value", "Observation.subject.reference"),
    ({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
      "subject": {"reference": "Patient?identifier=1"}}, 400, "value", "Observation.subject.reference"),
    ({"resourceType": "Patient"}, 400, "invalid", "Observation.resourceType"),
    ({}, 400, "invalid", "Observation.resourceType"),
)  # fmt: skip
"""What is sent as an Observation, and the first issue of the answer."""


def test_what_is_not_shaped_as_fhir_has_it_is_refused_with_its_place(hub: Hub, clinician: httpx.Client) -> None:
    [kept] = hub.query("SELECT count(*) FROM resource")
    for sent, status, code, expression in FAULTS:
        answer = clinician.post("/fhir/Observation", json=sent, headers=FHIR)
        issue = answer.json()["issue"][0]
        assert (answer.status_code, issue["code"], issue.get("expression")) == (status, code, [expression]), sent
    deep = b'{"resourceType":"Observation","extension":' + b'[{"extension":' * 80 + b"[]" + b"}]" * 80 + b"}"
    for content, status in ((b"{", 400), (b"[]", 400), (deep, 400), (b'{"a":"\xff"}', 400), (b"x" * 17_000_000, 413)):
        assert clinician.post("/fhir/Observation", content=content, headers=FHIR).status_code == status, content[:40]
    for kind in ("application/fhir+xml", f"{FHIR['Content-Type']}; fhirVersion=3.0"):
        answer = clinician.post("/fhir/Observation", content=b"{}", headers={"Content-Type": kind})
        assert answer.status_code == 415, kind
    assert clinician.post("/fhir/Potato", json={}, headers=FHIR).status_code == 404
    assert hub.query("SELECT count(*) FROM resource") == [kept]


@pytest.mark.parametrize(
    "number", ["1e400", "-1e400", "1e-400", "1e99999", "1E+999999999", "9" * 2000, "0." + "1" * 2000]
)
def test_a_number_is_kept_digit_for_digit_or_refused(clinician: httpx.Client, number: str) -> None:
    sent = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":%s}}'
    answer = clinician.post("/fhir/Observation", content=sent % number.encode(), headers=FHIR)
    assert answer.status_code in (201, 400), answer.text
    assert answer.status_code == 400 or f'"value":{number}}}' in answer.text


def test_types_that_rows_decide_about_are_written_elsewhere(hub: Hub) -> None:
    roles = ("clinician", "administrator", "biller", "manager")
    with hub.program(*((role, None) for role in roles)) as powerful:
        for kind in ("Appointment", "Slot", "Schedule", "Coverage", "Consent", "RelatedPerson", "Linkage", "AuditEvent",
                     "Person", "CodeSystem", "Bundle"):  # fmt: skip
            answer = powerful.post(f"/fhir/{kind}", json={"resourceType": kind}, headers=FHIR)
            assert (answer.status_code, answer.json()["issue"][0]["code"]) == (405, "not-supported"), kind


def test_what_another_says_is_not_written_over(hub: Hub, clinician: httpx.Client) -> None:
    ada = make(clinician, patient())
    theirs = observation(ada)
    hub.record(theirs, source="laboratory", location="north")
    with hub.program(("clinician", "north")) as other:
        for client, resource in ((clinician, theirs), (other, ada)):
            before = len(hub.audited())
            for answer in (put(client, resource), client.delete(f"/fhir/{resource['resourceType']}/{resource['id']}")):
                assert answer.status_code == 403, answer.text
                assert "only they" in answer.text or "corrected there" in answer.text
            assert [event[1] for event in hub.audited(before)] == ["refused"] * 2
            assert {event[4] for event in hub.audited(before)} == {ada["id"]}


def test_nobody_writes_where_their_role_does_not_reach(hub: Hub, clinician: httpx.Client) -> None:
    ben = patient("Baker", "Ben")
    hub.record(ben, location="south")
    hub.location("south")
    before = len(hub.audited())
    visit = {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}}
    visit["subject"] = {"reference": f"Patient/{ben['id']}"}
    for sent in (observation(ben), visit):
        answer = clinician.post(f"/fhir/{sent['resourceType']}", json=sent, headers=FHIR)
        assert answer.status_code == 403
    assert [(event[1], event[4]) for event in hub.audited(before)] == [("refused", ben["id"])] * 2
    unknown = clinician.post("/fhir/Observation", json=observation(patient()), headers=FHIR)
    assert unknown.status_code == 403, "who is unknown here is answered as who is known elsewhere"
    with hub.program(("clinician", None)) as group:
        answer = group.post("/fhir/Observation", json=observation(patient()), headers=FHIR)
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (422, "not-found")
    with hub.program(("front_desk", "north")) as clerk:
        ada = make(clerk, patient())
        assert clerk.post("/fhir/Observation", json=observation(ada), headers=FHIR).status_code == 403


def test_who_works_at_several_locations_says_where(hub: Hub) -> None:
    with hub.program(("clinician", "north"), ("clinician", "south"), ("biller", "east")) as client:
        assert client.post("/fhir/Patient", json=patient(), headers=FHIR).status_code == 400
        assert client.post("/fhir/Patient", json=patient(), headers={**FHIR, "X-Location": "east"}).status_code == 403
        ada = make(client, patient(), **{"X-Location": "south"})
        assert hub.query("SELECT location FROM resource WHERE resource_id = %s", (ada["id"],)) == [("south",)]


def test_a_patient_made_at_a_location_opens_no_chart_elsewhere(hub: Hub, clinician: httpx.Client) -> None:
    number = {"system": "http://south.example/mrn", "value": "4711"}
    ben = patient("Baker", "Ben", identifier=[number])
    hub.record(ben, observation(ben), location="south")
    made = make(clinician, patient("Baker", "Ben", identifier=[number]))
    assert clinician.get(f"/fhir/Patient/{ben['id']}").status_code == 403
    linked = {**made, "link": [{"type": "replaces", "other": {"reference": f"Patient/{ben['id']}"}}]}
    assert put(clinician, linked).status_code == 403
    assert clinician.get(f"/fhir/Patient/{ben['id']}").status_code == 403


def test_a_number_that_is_kept_as_a_token_survives_being_read_and_put_back(hub: Hub, clinician: httpx.Client) -> None:
    ssn = {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "219-09-9999"}
    ada = make(clinician, patient(identifier=[ssn]))
    assert "219-09" not in str(ada)
    again = put(clinician, ada)
    assert again.headers["etag"] == 'W/"1"'
    assert put(clinician, {**ada, "gender": "other"}).json()["identifier"] == ada["identifier"]


def test_what_is_sensitive_is_written_by_who_may_see_it(hub: Hub, clinician: httpx.Client) -> None:
    ada = make(clinician, patient())
    label = [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSYTHPN"}]
    secret = observation(ada, meta={"security": label})
    assert clinician.post("/fhir/Observation", json=secret, headers=FHIR).status_code == 403
    hub.query(
        "INSERT INTO sensitivity_tag (tag_id, patient_id, kind, reason, created_at, changed_at, version)"
        " VALUES (gen_random_uuid(), %s, 'restricted', 'asked for', now(), now(), 1)",
        (ada["id"],),
    )
    assert clinician.post("/fhir/Observation", json=observation(ada), headers=FHIR).status_code == 403
    assert hub.query("SELECT resource_type FROM resource WHERE patient_id = %s", (ada["id"],)) == [("Patient",)]


def patch_it(client: httpx.Client, address: str, *operations: Json, **headers: str) -> httpx.Response:
    kind = {"Content-Type": "application/json-patch+json"}
    return client.patch(f"/fhir/{address}", json=list(operations), headers=kind | headers)


def test_a_patch_changes_what_it_names_on_the_version_it_names(hub: Hub, clinician: httpx.Client) -> None:
    ada = make(clinician, patient())
    address, before = f"Patient/{ada['id']}", len(hub.audited())
    other = {"op": "replace", "path": "/gender", "value": "other"}
    answer = patch_it(clinician, address, {"op": "test", "path": "/gender", "value": "female"}, other)
    assert (answer.status_code, answer.headers["etag"], answer.json()["gender"]) == (200, 'W/"2"', "other")
    assert hub.audited(before)[0][1:5] == ("success", "Patient", ada["id"], ada["id"])
    male = {"op": "replace", "path": "/gender", "value": "male"}
    assert patch_it(clinician, address, male, **{"If-Match": 'W/"1"'}).status_code == 412
    assert patch_it(clinician, address, male, **{"If-Match": 'W/"2"'}).status_code == 200
    matched = patch_it(clinician, f"Patient?_id={ada['id']}", other)
    assert (matched.status_code, matched.json()["meta"]["versionId"]) == (200, "4")
    assert patch_it(clinician, f"Patient?_id={new_id()}", other).status_code == 404
    assert clinician.get(f"/fhir/{address}").json()["name"] == ada["name"]


def test_a_patch_that_does_not_fit_changes_nothing(hub: Hub, clinician: httpx.Client) -> None:
    ada = make(clinician, patient())
    address = f"Patient/{ada['id']}"
    first = {"op": "replace", "path": "/gender", "value": "other"}
    for status, second in (
        (422, {"op": "test", "path": "/birthDate", "value": "1999-01-01"}),
        (422, {"op": "remove", "path": "/photo"}),
        (422, {"op": "replace", "path": "/id", "value": new_id()}),
        (422, {"op": "add", "path": "/shoeSize", "value": 44}),
        (400, {"op": "add", "path": "/active"}),
    ):
        answer = patch_it(clinician, address, first, second)
        assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome"), second
    assert clinician.get(f"/fhir/{address}").json() == ada
    xml = clinician.patch(f"/fhir/{address}", content=b"<diff/>", headers={"Content-Type": "application/xml-patch+xml"})
    assert (xml.status_code, xml.json()["issue"][0]["code"]) == (415, "not-supported")
    seen = f"Observation/{make(clinician, observation(ada))['id']}"
    clinician.delete(f"/fhir/{seen}")
    assert patch_it(clinician, seen, {"op": "replace", "path": "/status", "value": "amended"}).status_code == 410
    assert patch_it(clinician, f"Patient/{new_id()}", first).status_code == 404


def test_nobody_patches_or_tests_what_another_said(hub: Hub, clinician: httpx.Client) -> None:
    hub.record(ada := patient(), location="north")
    for value in ("female", "male"):
        before = len(hub.audited())
        answer = patch_it(clinician, f"Patient/{ada['id']}", {"op": "test", "path": "/gender", "value": value})
        assert answer.status_code == 403, "the answer is the same whatever stands there"
        assert hub.audited(before)[0][1:5] == ("refused", "Patient", ada["id"], ada["id"])
