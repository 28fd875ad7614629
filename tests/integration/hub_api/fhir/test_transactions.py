"""Batches and transactions by FHIR: entries that refer to each other, all or nothing, and each for itself."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub_core.fhir.canonical import Json, dumps
from tests.integration.hub_api.hub import Hub, new_id, observation, patient

MRN = "http://north.example/mrn"


def asked(method: str, url: str, resource: Json | None = None, full_url: str | None = None, **more: str) -> Json:
    entry: Json = {"request": {"method": method, "url": url, **more}}
    if resource is not None:
        entry["resource"] = resource
    return entry | ({"fullUrl": full_url} if full_url else {})


def about(reference: str, **elements: Any) -> Json:
    return {**observation({"id": "x"}), "subject": {"reference": reference}, **elements}


def submit(client: httpx.Client, *entries: Json, kind: str = "transaction", **headers: str) -> httpx.Response:
    bundle = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
    sent = {"Content-Type": "application/fhir+json", **headers}
    return client.post("/fhir", content=dumps(bundle), headers=sent)


def statuses(answer: httpx.Response) -> list[int]:
    return [int(entry["response"]["status"][:3]) for entry in answer.json()["entry"]]


def located(answer: httpx.Response, number: int) -> str:
    """Return the id of what an entry made."""
    return str(answer.json()["entry"][number]["response"]["location"].split("/")[-3])


def counted(hub: Hub) -> list[int]:
    """Return how many versions, index rows, events and announcements there are."""
    tables = ("resource_version", "resource", "search_token", "outbox_event", "person", "change_batch")
    return [hub.query(f"SELECT count(*) FROM {name}")[0][0] for name in tables]


def test_entries_refer_to_each_other(hub: Hub, clinician: httpx.Client) -> None:
    ada, visit = f"urn:uuid:{uuid.uuid4()}", f"urn:uuid:{uuid.uuid4()}"
    seen = about(ada, encounter={"reference": visit})
    meeting = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": ada},
    }
    before = len(hub.audited())
    answer = submit(
        clinician,
        asked("GET", "Observation?code=2345-7"),
        asked("POST", "Observation", seen),
        asked("POST", "Encounter", meeting, visit),
        asked("POST", "Patient", patient(), ada),
        Prefer="return=representation",
    )
    assert answer.status_code == 200, answer.text
    assert statuses(answer) == [200, 201, 201, 201]
    _, result, encounter, person = (entry["resource"] for entry in answer.json()["entry"])
    assert result["subject"]["reference"] == encounter["subject"]["reference"] == f"Patient/{person['id']}"
    assert result["encounter"]["reference"] == f"Encounter/{encounter['id']}"
    assert result["id"] in str(answer.json()["entry"][0]["resource"]), "what is read is read last"
    written = {(event[2], event[3], event[4]) for event in hub.audited(before) if event[3]}
    assert {("Observation", result["id"], person["id"]), ("Encounter", encounter["id"], person["id"])} <= written
    batches = "SELECT count(DISTINCT batch_key) FROM resource_version WHERE resource_id = ANY(%s::uuid[])"
    assert hub.query(batches, ([result["id"], encounter["id"], person["id"]],)) == [(1,)]


def test_conditions_are_met_inside(clinician: httpx.Client) -> None:
    number: dict[str, Any] = {"identifier": [{"system": MRN, "value": "T1"}]}
    query, name = f"identifier={MRN}|T1", f"urn:uuid:{uuid.uuid4()}"
    new = asked("POST", "Patient", patient(**number), name, ifNoneExist=query)
    seen = asked("POST", "Observation", about(name))
    first, again = submit(clinician, new, seen), submit(clinician, new, seen)
    assert (statuses(first), statuses(again)) == ([201, 201], [200, 201])
    assert located(first, 0) == located(again, 0)
    later = about(f"Patient?{query}")
    made = submit(clinician, asked("POST", "Observation", later), Prefer="return=representation").json()
    assert made["entry"][0]["resource"]["subject"]["reference"] == f"Patient/{located(first, 0)}"
    nothing = about(f"Patient?identifier={MRN}|T2")
    assert submit(clinician, asked("POST", "Observation", nothing)).status_code == 412
    changed = {**patient(**number), "gender": "other"}
    del changed["id"]
    assert statuses(submit(clinician, asked("PUT", f"Patient?{query}", changed))) == [200]
    assert submit(clinician, asked("PUT", f"Patient?{query}", changed, ifMatch='W/"1"')).status_code == 412


def test_deletions_come_first_and_what_they_delete_matches_no_more(clinician: httpx.Client) -> None:
    number: dict[str, Any] = {"identifier": [{"system": MRN, "value": "T3"}]}
    query = f"identifier={MRN}|T3"
    first = located(submit(clinician, asked("POST", "Patient", patient(**number))), 0)
    answer = submit(
        clinician,
        asked("POST", "Patient", patient(**number), ifNoneExist=query),
        asked("DELETE", f"Patient/{first}"),
        asked("DELETE", f"Observation?identifier={MRN}|nothing"),
    )
    assert statuses(answer) == [201, 204, 204]
    assert clinician.get(f"/fhir/Patient/{first}").status_code == 410
    assert clinician.get(f"/fhir/Patient/{located(answer, 0)}").status_code == 200


def test_a_new_patient_is_put_under_an_id_of_the_writers_with_all_that_is_about_them(clinician: httpx.Client) -> None:
    ada = patient()
    seen = observation(ada)
    server = "https://their.example/fhir"
    seen["subject"] = {"reference": f"{server}/Patient/{ada['id']}"}
    answer = submit(
        clinician,
        asked("PUT", f"Observation/{seen['id']}", seen, f"{server}/Observation/{seen['id']}"),
        asked("PUT", f"Patient/{ada['id']}", ada, f"{server}/Patient/{ada['id']}"),
    )
    assert statuses(answer) == [201, 201]
    subject = clinician.get(f"/fhir/Observation/{seen['id']}").json()["subject"]
    assert subject == {"reference": f"Patient/{ada['id']}"}
    gone = (asked("DELETE", f"Patient/{ada['id']}"), asked("DELETE", f"Observation/{seen['id']}"))
    assert submit(clinician, gone[0]).status_code == 409
    assert statuses(submit(clinician, *gone)) == [204, 204]


def broken(hub: Hub) -> list[tuple[Json, int, str | None]]:
    """Return entries that cannot be, with the status and the place of what is wrong."""
    ben = patient("Baker", "Ben")
    hub.record(ben, location="south")
    theirs = observation(ben)
    mine = patient()
    place = "Bundle.entry[1]"
    return [
        (asked("POST", "Observation", {"resourceType": "Observation", "code": {"text": "x"}}), 400,
         f"{place}.resource.status"),
        (asked("POST", "Observation", about("urn:uuid:no")), 400,
         f"{place}.resource.subject.reference"),
        (asked("POST", "Observation", theirs), 403, None),
        (asked("PUT", f"Patient/{ben['id']}", ben), 403, None),
        (asked("PUT", f"Patient/{mine['id']}", mine, ifMatch='W/"3"'), 412, place),
        (asked("POST", "Appointment", {"resourceType": "Appointment", "status": "booked"}), 405, place),
        (asked("POST", "Potato", {"resourceType": "Potato"}), 400, f"{place}.request.url"),
        (asked("HEAD", "Patient/1"), 400, f"{place}.request.method"),
        (asked("DELETE", "Patient"), 400, f"{place}.request.url"),
        (asked("POST", "Patient?name=x", mine), 400, f"{place}.request.url"),
        (asked("PUT", "Patient/17", {**mine, "id": "17"}), 400, place),
        (asked("DELETE", "Patient?shoe-size=1"), 400, place),
        (asked("POST", "Patient"), 400, f"{place}.resource"),
        ({"resource": mine}, 400, f"{place}.request"),
    ]  # fmt: skip


def test_one_entry_that_cannot_be_undoes_all(hub: Hub, clinician: httpx.Client) -> None:
    entries = broken(hub)
    before = counted(hub)
    good = asked("POST", "Patient", patient())
    for bad, status, place in entries:
        answer = submit(clinician, good, bad)
        issue = answer.json()["issue"][0]
        assert (answer.status_code, issue.get("expression", [None])[0]) == (status, place), bad
    twice = patient()
    put = asked("PUT", f"Patient/{twice['id']}", twice)
    assert submit(clinician, put, put).json()["issue"][0]["code"] == "duplicate"
    called = asked("POST", "Patient", patient(), "urn:uuid:same")
    assert submit(clinician, called, called).json()["issue"][0]["code"] == "duplicate"
    assert counted(hub) == before


def test_a_refusal_inside_a_bundle_is_on_record_with_the_patient(hub: Hub, clinician: httpx.Client) -> None:
    ben = patient("Baker", "Ben")
    hub.record(ben, location="south")
    for kind in ("transaction", "batch"):
        before = len(hub.audited())
        submit(clinician, asked("POST", "Observation", observation(ben)), kind=kind)
        assert [(event[1], event[4]) for event in hub.audited(before)] == [("refused", ben["id"])], kind


def test_the_entries_of_a_batch_succeed_and_fail_each_for_itself(hub: Hub, clinician: httpx.Client) -> None:
    entries = [*(bad for bad, _, _ in broken(hub)), asked("POST", "Patient", patient())]
    expected = [*(status for _, status, _ in broken(hub)), 201]
    answer = submit(clinician, *entries, asked("GET", "Patient?name=nobody-here"), asked("GET", "Patient/17"),
                    asked("GET", "AuditEvent"), kind="batch")  # fmt: skip
    assert answer.status_code == 200
    assert statuses(answer) == [*expected, 200, 404, 403]
    made = located(answer, len(entries) - 1)
    history = submit(clinician, asked("GET", f"Patient/{made}/_history/1"), asked("GET", f"Patient/{made}/_history"),
                     kind="batch").json()["entry"]  # fmt: skip
    assert [each["resource"]["resourceType"] for each in history] == ["Patient", "Bundle"]


@pytest.mark.parametrize("sent", [{"type": "transaction"}, {"resourceType": "Bundle", "type": "collection"}, {}])
def test_what_is_no_batch_and_no_transaction_is_refused(clinician: httpx.Client, sent: Any) -> None:
    assert clinician.post("/fhir", json=sent).status_code == 400


def test_a_bundle_has_its_limits(clinician: httpx.Client) -> None:
    assert submit(clinician, *[asked("GET", "Patient/17")] * 2001).status_code == 413
    deep: Json = {"resourceType": "Basic"}
    for _ in range(70):
        deep = {"contained": [deep]}
    assert submit(clinician, asked("POST", "Basic", deep)).status_code == 400
    empty = submit(clinician)
    assert (empty.status_code, empty.json()["entry"]) == (200, [])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wanted=st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=6, unique_by=lambda each: each[0])
)
def test_all_or_nothing_whatever_is_asked(hub: Hub, clinician: httpx.Client, wanted: list[tuple[int, bool]]) -> None:
    """Patients that are there are updated; where one is held at a version it does not have, none is."""
    new = [asked("POST", "Patient", patient(str(number))) for number in range(4)]
    known = [each["resource"] for each in submit(clinician, *new, Prefer="return=representation").json()["entry"]]
    entries = [
        asked("PUT", f"Patient/{known[number]['id']}", {**known[number], "gender": "other"}, ifMatch=f'W/"{1 + wrong}"')
        for number, wrong in wanted
    ]
    answer = submit(clinician, *entries)
    fails = any(wrong for _, wrong in wanted)
    assert answer.status_code == (412 if fails else 200)
    found = clinician.get("/fhir/Patient", params={"_id": ",".join(each["id"] for each in known), "gender": "other"})
    changed = {entry["resource"]["id"] for entry in found.json().get("entry", [])}
    assert changed == (set() if fails else {known[number]["id"] for number, _ in wanted})


def test_an_id_from_elsewhere_is_said_to_be_refused(clinician: httpx.Client) -> None:
    derived = {**patient(), "id": str(uuid.uuid5(uuid.NAMESPACE_URL, new_id()))}
    assert submit(clinician, asked("PUT", f"Patient/{derived['id']}", derived)).status_code == 400
