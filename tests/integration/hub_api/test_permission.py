"""What each role sees: nothing beyond its table, nothing and nobody of another place, in no list and no total."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import httpx
import pytest

from ehr_pm.record import queries, search
from ehr_pm.record.scope import subject_of
from ehr_pm.record.searching.criteria import Search
from hub_api.security.policy import RULES, actions_for
from hub_core.access import PERMISSIONS, Access, Grant, Role, decide, scope_of
from hub_core.fhir.canonical import Json
from tests.integration.hub_api.hub import Hub, ids, new_id, observation, patient
from tests.integration.hub_api.test_access import filled

STAFF = tuple(role for role in PERMISSIONS if role not in ("patient", "third_party"))
SENSITIVE: tuple[str | None, ...] = (None, "42cfr2", "psychotherapy", "minor", "other")


@pytest.fixture
def ada(hub: Hub) -> Json:
    """Return a patient of the north, with results from the north and the south."""
    ada = patient()
    hub.record(ada, observation(ada), location="north")
    hub.record(observation(ada), location="south", source="laboratory")
    return ada


@pytest.fixture
def ben(hub: Hub) -> Json:
    """Return a patient of the south."""
    ben = patient("Baker", "Ben")
    hub.record(ben, observation(ben), location="south")
    return ben


@pytest.fixture
def clinician(hub: Hub) -> Iterator[httpx.Client]:
    """Return a clinician's client at the north."""
    with hub.program(("clinician", "north")) as client:
        yield client


@pytest.fixture
def clerk(hub: Hub) -> Iterator[httpx.Client]:
    """Return a client of the front desk at the north."""
    with hub.program(("front_desk", "north")) as client:
        yield client


ONE_OF = {
    "by any type": {
        "patient.read",
        "chart.read",
        "billing.read",
        "coverage.read",
        "organisation.read",
        "schedule.read",
    },
    "by resource type": {"patient.read", "chart.read"},
    "by written type": {"patient.write"},
}
"""The actions of which one is needed where a patient is asked for, or all types are."""


def test_each_role_may_use_the_routes_that_the_table_of_permissions_says(hub: Hub) -> None:
    for role in STAFF:
        with hub.program((role, None)) as client:
            for (method, template), rule in RULES.items():
                if rule in ("public", "authenticated"):
                    continue
                needed: set[str] = ONE_OF.get(rule, {rule})
                path = template.replace("{resource_type}", "Patient")
                answer = client.request(method, filled(path))
                assert (answer.status_code == 403) == needed.isdisjoint(PERMISSIONS[role]), (
                    f"{role}: {method} {template}"
                )


def test_a_list_and_its_total_hold_only_patients_known_at_ones_own_place(
    clerk: httpx.Client, admin: httpx.Client, ada: Json, ben: Json
) -> None:
    for client, seen in ((clerk, {ada["id"]}), (admin, {ada["id"], ben["id"]})):
        found = client.get("/fhir/Patient", params={"_total": "accurate"}).json()
        assert set(ids(found)) == seen
        assert found["total"] == len(seen)
        assert client.get("/fhir/Patient?_count=0").json()["total"] == len(seen)
        people = client.post("/api/people/search", json={"birth_date": "1980-04-02"}).json()
        assert {each["patient_id"] for person in people for each in person["patients"]} == seen


def test_a_patient_of_ones_own_place_is_read_with_all_their_records(clinician: httpx.Client, ada: Json) -> None:
    found = clinician.get("/fhir/Observation", params={"patient": ada["id"], "_total": "accurate"}).json()
    assert found["total"] == 2
    assert all(clinician.get(f"/fhir/Observation/{each}").status_code == 200 for each in ids(found))
    everything = clinician.get(f"/fhir/Patient/{ada['id']}/$everything").json()
    assert len(ids(everything)) == 3


def test_pages_neither_show_nor_skip_others(hub: Hub, clinician: httpx.Client) -> None:
    here = [patient(f"Here{number}") for number in range(5)]
    there = [patient(f"There{number}") for number in range(5)]
    for one, other in zip(here, there, strict=True):
        hub.record(one, location="north")
        hub.record(other, location="south")
    seen: list[str] = []
    url: str | None = "/fhir/Patient?_count=2"
    while url:
        page = clinician.get(url).json()
        seen += ids(page)
        url = next((each["url"] for each in page["link"] if each["relation"] == "next"), None)
    assert sorted(seen) == sorted(each["id"] for each in here)


def test_a_patient_of_another_place_is_refused_on_record_with_the_way_in(
    hub: Hub, clinician: httpx.Client, clerk: httpx.Client, ben: Json
) -> None:
    person = hub.query("SELECT person_id FROM person_member WHERE patient_id = %s", (ben["id"],))[0][0]
    for path in (
        f"/fhir/Patient/{ben['id']}",
        f"/fhir/Patient/{ben['id']}/_history",
        f"/fhir/Patient/{ben['id']}/_history/1",
        f"/fhir/Patient/{ben['id']}/$everything",
        f"/api/people/{person}/chart",
    ):
        before = len(hub.audited())
        answer = clinician.get(path)
        assert answer.status_code == 403, path
        assert "break the glass" in answer.text
        assert answer.headers["x-break-glass"] == "possible"
        assert "Baker" not in answer.text
        assert [(event[1], event[4]) for event in hub.audited(before)] == [("refused", ben["id"])], path
        refused = clerk.get(path)
        assert refused.status_code == 403
        assert "x-break-glass" not in refused.headers
    assert ids(clinician.get("/fhir/Observation", params={"patient": ben["id"]}).json()) == []


def test_who_is_the_same_person_elsewhere_is_known_here(hub: Hub, clinician: httpx.Client, ada: Json) -> None:
    same = patient(identifier=[{"system": "urn:oid:2.16.840.1.113883.4.3.17", "value": "D1"}])
    hub.record(same, observation(same), source="hospital", location="south")
    ours = hub.query("SELECT person_id FROM person_member WHERE patient_id = %s", (ada["id"],))[0][0]
    assert clinician.get(f"/fhir/Patient/{same['id']}").status_code == 403
    hub.query("UPDATE person_member SET person_id = %s WHERE patient_id = %s", (ours, same["id"]))
    assert clinician.get(f"/fhir/Patient/{same['id']}").status_code == 200
    chart = clinician.get(f"/api/people/{ours}/chart").json()
    assert {each["patient_id"] for each in chart["patients"]} == {ada["id"], same["id"]}


def test_locations_that_share_charts_are_one_place(hub: Hub, ben: Json) -> None:
    with hub.program(("clinician", "north")) as client:
        assert client.get(f"/fhir/Patient/{ben['id']}").status_code == 403
        hub.location("south")
        hub.query(
            "WITH one AS (INSERT INTO chart_group (chart_group_id, name, created_at, changed_at, version)"
            " VALUES (gen_random_uuid(), 'Riverbend', now(), now(), 1) RETURNING chart_group_id)"
            " UPDATE location SET chart_group_id = one.chart_group_id FROM one"
        )
        assert client.get(f"/fhir/Patient/{ben['id']}").status_code == 200


def test_roles_count_only_while_they_are_valid(hub: Hub, clinician: httpx.Client, ada: Json) -> None:
    path = f"/fhir/Patient/{ada['id']}"
    assert clinician.get(path).status_code == 200
    hub.query("UPDATE role_assignment SET valid_from = now() + interval '1 day'")
    assert clinician.get(path).status_code == 403
    hub.query("UPDATE role_assignment SET valid_from = now() - interval '2 days', valid_to = now()")
    assert clinician.get(path).status_code == 403


def test_feeds_and_messages_of_other_places_are_neither_shown_nor_taken(hub: Hub) -> None:
    with hub.program(("manager", "north")) as client:
        assert client.get("/api/feeds").json() == []
        assert client.get("/api/feeds/nothing/rejects").status_code == 404


def test_lists_show_exactly_what_the_decision_allows_one_by_one(hub: Hub, ada: Json, ben: Json) -> None:
    hub.record({"resourceType": "Organization", "id": new_id(), "name": "Riverbend"}, location="south")
    hub.record({"resourceType": "Schedule", "id": new_id(), "actor": [{"display": "x"}]}, location="south")
    hub.record({"resourceType": "Schedule", "id": new_id(), "actor": [{"display": "y"}]}, location="north")
    for subject in (ada, ben):
        for kind in SENSITIVE:
            found = observation(subject)
            hub.record(found, location="north")
            hub.query("UPDATE resource SET sensitivity = %s WHERE resource_id = %s", (kind, found["id"]))
    callers = list(_callers(UUID(ada["id"]), UUID(ben["id"])))
    assert len(callers) > 100
    with hub.installation.database.begin() as unit:
        for kind in ("Patient", "Observation", "Organization", "Schedule"):
            every = search.find(unit.driver, Search(kind), limit=100)
            for access in callers:
                actions = actions_for(kind)
                scope = scope_of(access, *actions)
                listed = {each.resource_id for each in search.find(unit.driver, Search(kind), limit=100, scope=scope)}
                allowed = {
                    each.resource_id
                    for each in every
                    if any(
                        decide(access, action, subject_of(unit.driver, access, each)).is_allowed for action in actions
                    )
                }
                assert listed == allowed, (kind, access)
                assert search.count(unit.driver, Search(kind), scope=scope) == len(allowed)
        assert queries.members(unit.driver, [uuid4()], scope=scope_of(callers[0], "patient.read")) == []


def _callers(ada: UUID, ben: UUID) -> Iterator[Access]:
    """Yield callers with one or two grants, who treat or have opened one of two patients or none."""
    staff: tuple[Role, ...] = ("clinician", "front_desk")
    own: tuple[Role, ...] = ("patient", "third_party")
    grants = [
        *(Grant(role, places) for role in staff for places in (None, frozenset({"north"}))),
        *(Grant(role, frozenset(), frozenset({who})) for role in own for who in (ada, ben)),
    ]
    nobody = frozenset[UUID]()
    for one in grants:
        for other in grants:
            for treated in (nobody, frozenset({ada})):
                for opened in (nobody, frozenset({ben})):
                    yield Access(uuid4(), "x", (one, other), treated, opened)
