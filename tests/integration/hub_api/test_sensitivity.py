"""What is sensitive is written with the record, from labels, feeds, tags and programmes, and closed on every way in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hub_core.feeds import Feed
from hub_core.fhir.canonical import Json, dumps
from hub_core.messages.arrival import Arrival
from hub_core.sensitivity import ACT_CODE, CONFIDENTIALITY, TAGGED_HERE, labelled
from pipelines.marking import Marking
from tests.integration.hub_api.hub import Hub, ids, new_id, observation, patient
from tests.integration.hub_api.practice import Practice
from tests.integration.hub_api.test_marts import Published, published, reader
from tests.integration.stored import bodies

__all__ = ["published", "reader"]

LABELS = (
    ((ACT_CODE, "42CFRPart2"), "42cfr2"),
    ((ACT_CODE, "PSYTHPN"), "psychotherapy"),
    ((ACT_CODE, "PSY"), "restricted"),
    ((ACT_CODE, "ADOL"), "minor"),
    ((CONFIDENTIALITY, "R"), "restricted"),
    ((CONFIDENTIALITY, "V"), "restricted"),
    ((CONFIDENTIALITY, "N"), None),
    (("http://other.example", "R"), None),
)
WHY = {"reason": "the patient asked for it"}


@pytest.fixture
def ada(hub: Hub) -> Json:
    """Return a patient of the north with one ordinary result."""
    ada = patient()
    hub.record(ada, observation(ada), location="north")
    return ada


@pytest.fixture
def clinician(hub: Hub) -> Iterator[httpx.Client]:
    """Return a clinician's client at the north, who does not treat Ada."""
    with hub.program(("clinician", "north")) as client:
        yield client


@pytest.fixture
def officer(hub: Hub) -> Iterator[httpx.Client]:
    """Return a privacy officer's client at the north."""
    with hub.program(("privacy_officer", "north")) as client:
        yield client


def kinds(hub: Hub, resource: Json) -> tuple[str | None, list[str | None]]:
    """Return how sensitive a resource is, and was in each version."""
    [(now,)] = hub.query("SELECT sensitivity FROM resource WHERE resource_id = %s", (resource["id"],))
    rows = hub.query(
        "SELECT sensitivity FROM resource_version WHERE resource_id = %s ORDER BY version", (resource["id"],)
    )
    return now, [row[0] for row in rows]


def with_labels(resource: Json, *labels: tuple[str, str]) -> Json:
    return {**resource, "meta": {"security": [{"system": system, "code": code} for system, code in labels]}}


def treats(hub: Hub, ada: Json) -> None:
    """Let the one clinician there is treat a patient, who is registered here for that."""
    hub.query(
        "INSERT INTO patient (patient_id, mrn, home_location_id, family, given, birth_date, gender, created_at,"
        " changed_at, version) SELECT %s, 'W1', location_id, 'Okafor', 'Ada', '1980-04-02', 'female', now(), now(), 1"
        " FROM location WHERE key = 'north'",
        (ada["id"],),
    )
    hub.query(
        "INSERT INTO care_team_member (member_id, patient_id, principal_id, valid_from, created_at, changed_at,"
        " version) SELECT gen_random_uuid(), %s, principal_id, now() - interval '1 minute', now(), now(), 1"
        " FROM role_assignment WHERE role = 'clinician'",
        (ada["id"],),
    )


def ways(client: httpx.Client, ada: Json, found: Json) -> list[bool]:
    """Return of each way to a resource whether it shows it."""
    person = client.post("/api/people/search", json={"name": "Okafor"}).json()[0]["person_id"]
    path = f"/fhir/{found['resourceType']}/{found['id']}"
    search = client.get("/fhir/Observation", params={"patient": ada["id"], "_total": "accurate"}).json()
    form = client.post("/fhir/Observation/_search", data={"patient": ada["id"]}).json()
    chart = client.get(f"/api/people/{person}/chart").json()["facts"]
    return [
        client.get(path).status_code == 200,
        client.get(f"{path}/_history").status_code == 200,
        client.get(f"{path}/_history/1").status_code == 200,
        found["id"] in ids(search),
        found["id"] in ids(form),
        search["total"] > 1,
        client.get(f"/fhir/Observation?_id={found['id']}&_count=0").json()["total"] == 1,
        found["id"] in ids(client.get(f"/fhir/Patient/{ada['id']}/$everything").json()),
        found["id"] in {each["resource_id"] for each in chart},
    ]


@pytest.mark.parametrize(("label", "kind"), LABELS)
def test_a_label_of_the_source_is_written_with_every_version(
    hub: Hub, ada: Json, label: tuple[str, str], kind: str | None
) -> None:
    found = observation(ada)
    hub.record(with_labels(found, label))
    hub.record({**with_labels(found, label), "status": "amended"}, arrival=2)
    assert kinds(hub, found) == (kind, [kind, kind])


def test_the_strictest_of_several_labels_counts_and_a_program_label_before_a_general_one(hub: Hub, ada: Json) -> None:
    both = observation(ada)
    hub.record(with_labels(both, (CONFIDENTIALITY, "R"), (ACT_CODE, "42CFRPart2")))
    note = observation(ada)
    hub.record(with_labels(note, (ACT_CODE, "ADOL"), (ACT_CODE, "PSYTHPN")))
    assert (kinds(hub, both)[0], kinds(hub, note)[0]) == ("42cfr2", "psychotherapy")


def test_labels_of_another_shape_say_nothing_and_keep_nothing_out(hub: Hub, ada: Json) -> None:
    shapes: tuple[Any, ...] = ("R", [None, 7, {"system": 1, "code": []}], {})
    for shape in shapes:
        found: Json = {**observation(ada), "meta": {"security": shape}}
        hub.record(found)
        assert kinds(hub, found)[0] is None


@pytest.mark.parametrize("kind", ["42cfr2", "psychotherapy", "restricted"])
def test_a_sensitive_record_is_closed_on_every_way_in_and_open_to_who_treats(
    hub: Hub, clinician: httpx.Client, ada: Json, kind: str
) -> None:
    found = labelled(observation(ada), kind)
    hub.record(found, location="north")
    assert ways(clinician, ada, found) == [False] * 9
    treats(hub, ada)
    assert ways(clinician, ada, found) == [True] * 9


def test_a_programme_shares_its_records_with_its_own_people_only(hub: Hub, ada: Json) -> None:
    hub.location("clinic")
    hub.query("UPDATE location SET sensitivity = '42cfr2' WHERE key = 'clinic'")
    found = observation(ada)
    hub.record({"resourceType": "Encounter", "id": new_id(), "status": "finished", "class": {"code": "AMB"},
                "subject": {"reference": f"Patient/{ada['id']}"}}, found, location="clinic")  # fmt: skip
    hub.record({"resourceType": "Organization", "id": new_id(), "name": "Riverbend"}, location="clinic")
    assert kinds(hub, found) == ("42cfr2", ["42cfr2"])
    assert hub.query(
        "SELECT count(*) FROM resource WHERE resource_type = 'Organization' AND sensitivity IS NOT NULL"
    ) == [(0,)]
    with hub.program(("clinician", "clinic")) as inside, hub.program(("clinician", "north")) as outside:
        assert ways(inside, ada, found) == [True] * 9
        assert ways(outside, ada, found) == [False] * 9


def test_a_tag_closes_one_record_and_its_end_opens_it_again(
    hub: Hub, clinician: httpx.Client, officer: httpx.Client, ada: Json
) -> None:
    found = observation(ada)
    hub.record(found, location="north")
    path = f"/api/practice/patients/{ada['id']}/sensitivity"
    told = {"kind": "restricted", "resource_type": "Observation", "resource_id": found["id"], **WHY}
    made = officer.post(path, json=told)
    assert made.status_code == 201, made.text
    assert officer.post(path, json=told).status_code == 409
    assert ways(clinician, ada, found) == [False] * 9
    hub.record({**found, "status": "amended"}, arrival=2, location="north")
    assert kinds(hub, found) == ("restricted", [None, "restricted", "restricted"]), "a later version keeps the tag"
    ended = officer.post(f"/api/practice/sensitivity/{made.json()['tag_id']}/end", json=WHY)
    assert ended.status_code == 200, ended.text
    assert kinds(hub, found)[0] is None
    history = clinician.get(f"/fhir/Observation/{found['id']}/_history").json()
    assert [each["resource"]["meta"]["versionId"] for each in history["entry"]] == ["4", "1"]
    assert history["entry"][0]["resource"].get("meta", {}).get("security") is None
    assert [each["ended_at"] is None for each in officer.get(path).json()] == [False]
    done = hub.query(
        "SELECT action, resource_id, patient_id::text, detail->>'kind' FROM audit_event"
        " WHERE action LIKE 'sensitivity.%%' ORDER BY recorded_at"
    )
    assert done == [
        ("sensitivity.tag", found["id"], ada["id"], "restricted"),
        ("sensitivity.end", found["id"], ada["id"], "restricted"),
        ("sensitivity.read", None, ada["id"], None),
    ]


def test_a_tag_on_a_patient_reaches_what_comes_later_and_leaves_what_the_source_says(
    hub: Hub, officer: httpx.Client, ada: Json
) -> None:
    told = {"kind": "42cfr2", **WHY}
    made = officer.post(f"/api/practice/patients/{ada['id']}/sensitivity", json=told).json()
    note, later = labelled(observation(ada), "psychotherapy"), observation(ada)
    hub.record(note, later, location="north")
    assert (kinds(hub, note)[0], kinds(hub, later)[0], kinds(hub, ada)[0]) == ("psychotherapy", "42cfr2", "42cfr2")
    [body] = bodies(hub.installation.database, "v.resource_id = %s", later["id"])
    assert TAGGED_HERE in body
    [(same,)] = hub.query("SELECT content_sha FROM resource WHERE resource_id = %s", (later["id"],))
    officer.post(f"/api/practice/sensitivity/{made['tag_id']}/end", json=WHY)
    assert (kinds(hub, note)[0], kinds(hub, later)[0], kinds(hub, ada)[0]) == ("psychotherapy", None, None)
    assert hub.query("SELECT content_sha FROM resource WHERE resource_id = %s", (later["id"],)) == [(same,)]
    assert officer.post(f"/api/practice/sensitivity/{made['tag_id']}/end", json=WHY).status_code == 409


@pytest.mark.parametrize(("kind", "status", "read"), [("minor", 409, 200), ("42cfr2", 403, 403)])
def test_patients_who_are_not_equally_sensitive_are_not_merged(
    practice: Practice, kind: str, status: int, read: int
) -> None:
    ada, twin, officer = practice.registered(), practice.registered("Okafor", "Adah"), practice.works("privacy_officer")
    made = officer.post(f"/patients/{ada['patient_id']}/sensitivity", {"kind": kind, **WHY})
    assert made.status_code == 201, made.text
    assert practice.rows("SELECT sensitivity FROM patient WHERE patient_id = %s", ada["patient_id"]) == [(kind,)]
    assert practice.works("front_desk").get(f"/patients/{ada['patient_id']}").status_code == read
    merge = {"survivor_id": twin["patient_id"], "merged_id": ada["patient_id"], "reason": "one person"}
    assert officer.post("/merges", merge).status_code == status
    officer.post(f"/sensitivity/{made.json()['tag_id']}/end", WHY)
    assert officer.post("/merges", merge).status_code == 201


def test_who_may_not_say_what_is_sensitive_is_refused_with_the_patient_on_record(hub: Hub, ada: Json) -> None:
    path = f"/api/practice/patients/{ada['id']}/sensitivity"
    told = {"kind": "minor", **WHY}
    with hub.program(("front_desk", "north")) as desk, hub.program(("privacy_officer", "south")) as elsewhere:
        assert desk.post(path, json=told).status_code == 403
        before = len(hub.audited())
        assert elsewhere.post(path, json=told).status_code == 403
        assert [event[4] for event in hub.audited(before)] == [ada["id"]]
    assert kinds(hub, ada)[0] is None


def test_a_feed_says_of_all_it_sends_or_of_certain_codes_that_it_is_sensitive() -> None:
    says: dict[str, Any] = {"source": "recovery", "sensitive_codes": {"minor": ["http://loinc.org|2345-7"]}}
    feeds = {"all": Feed(name="all", source="x", sensitivity="42cfr2"), "some": Feed(name="some", **says)}
    marking, ada = Marking(feeds), patient()
    result, other = observation(ada), observation(ada, code={"text": "x"})
    assert marking.mark(result, "unknown") is result
    assert marking.mark(result, "all")["meta"]["security"][0]["code"] == "42CFRPart2"
    assert marking.mark(result, "some")["meta"]["security"][0]["code"] == "ADOL"
    assert marking.mark(other, "some") is other
    place: Json = {"resourceType": "Location", "id": new_id(), "name": "Recovery"}
    assert marking.mark(place, "all") is place


def test_what_a_sensitive_feed_sends_is_sensitive_in_the_record(hub: Hub) -> None:
    folder = hub.installation.settings.feeds
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recovery.yml").write_text("source: recovery\nformat: fhir\nlocation: north\nsensitivity: 42cfr2\n")
    kind = "Patient"
    hub.installation.store.take([Arrival("recovery", "recovery", "fhir", kind, dumps(patient()), location="north")])
    for _ in hub.installation.worker().drain():
        pass
    assert hub.query("SELECT resource_type, sensitivity FROM resource") == [("Patient", "42cfr2")]


def test_rows_of_a_mart_made_from_what_is_closed_are_neither_shown_nor_counted(
    published: Published, reader: httpx.Client
) -> None:
    officer = "/api/practice/patients/" + published.ada["id"] + "/sensitivity"
    tag = {
        "kind": "42cfr2",
        "reason": "a programme",
        "resource_type": "Observation",
        "resource_id": published.result["id"],
    }
    assert reader.post("/api/marts/denials/rows", json={}).json()["total"] == 3
    assert reader.post("/api/marts/denials/trace", json={"key": "d1"}).status_code == 200
    made = reader.post(officer, json=tag).json()
    assert reader.post("/api/marts/denials/rows", json={}).json() | {"columns": []} == {
        "mart": "denials", "key": "denial_id", "columns": [], "total": 0, "rows": [], "people": []
    }  # fmt: skip
    assert reader.post("/api/marts/denials/trace", json={"key": "d1"}).status_code == 404
    assert reader.post("/api/marts/patients/rows", json={}).json()["total"] == 2
    reader.post(f"/api/practice/sensitivity/{made['tag_id']}/end", json=WHY)
    assert reader.post("/api/marts/denials/rows", json={}).json()["total"] == 3
