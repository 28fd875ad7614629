"""Writing by FHIR on a condition: what matches is found among what the caller may read, and twice at once is once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from hub_core.fhir.canonical import Json
from tests.integration.hub_api.hub import Hub, new_id, patient

MRN = "http://north.example/mrn"
HERE = "/fhir/Patient"


def numbered(value: str, **elements: Any) -> Json:
    made = patient(identifier=[{"system": MRN, "value": value}], **elements)
    del made["id"]
    return made


def unless(value: str) -> dict[str, str]:
    return {"If-None-Exist": f"identifier={MRN}|{value}"}


def by(value: str) -> dict[str, str]:
    return {"identifier": f"{MRN}|{value}"}


def test_what_is_there_is_not_made_again(hub: Hub, clinician: httpx.Client) -> None:
    first = clinician.post(HERE, json=numbered("1"), headers=unless("1"))
    before = len(hub.audited())
    again = clinician.post(HERE, json=numbered("1", gender="male"), headers=unless("1"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["location"] == first.headers["location"]
    assert again.json()["gender"] == "female"
    assert [(event[1], event[4]) for event in hub.audited(before)] == [("success", first.json()["id"])]
    clinician.post(HERE, json=numbered("1"))
    assert clinician.post(HERE, json=numbered("1"), headers=unless("1")).status_code == 412


def test_of_many_who_make_the_same_at_once_one_does(clinician: httpx.Client) -> None:
    with ThreadPoolExecutor(6) as several:
        made = several.map(lambda _: clinician.post(HERE, json=numbered("2"), headers=unless("2")), range(6))
        told = [(each.status_code, each.headers["location"]) for each in made]
    assert sorted(status for status, _ in told) == [200] * 5 + [201]
    assert len({location for _, location in told}) == 1


def test_what_may_not_be_seen_matches_nothing(hub: Hub, clinician: httpx.Client) -> None:
    hidden = {**numbered("3"), "id": new_id()}
    hub.record(hidden, location="south")
    made = clinician.post(HERE, json=numbered("3"), headers=unless("3"))
    assert made.status_code == 201
    assert made.json()["id"] != hidden["id"]
    hub.record({**numbered("4"), "id": new_id()}, location="south")
    assert clinician.put(HERE, params=by("4"), json=numbered("4")).status_code == 201
    hub.record({**numbered("5"), "id": new_id()}, location="south")
    assert clinician.delete(HERE, params=by("5")).status_code == 204
    assert hub.query("SELECT count(*) FROM resource WHERE deleted") == [(0,)]


def test_what_matches_is_updated_or_made(clinician: httpx.Client) -> None:
    made = clinician.put(HERE, params=by("6"), json=numbered("6"))
    changed = clinician.put(HERE, params=by("6"), json=numbered("6", gender="other"))
    assert (made.status_code, changed.status_code) == (201, 200)
    assert (changed.json()["id"], changed.headers["etag"]) == (made.json()["id"], 'W/"2"')
    held = {"If-Match": 'W/"1"'}
    assert clinician.put(HERE, params=by("6"), json=numbered("6"), headers=held).status_code == 412
    other = clinician.put(HERE, params=by("6"), json={**numbered("6"), "id": new_id()})
    assert (other.status_code, other.json()["issue"][0]["expression"]) == (400, ["Patient.id"])
    chosen = new_id()
    assert clinician.put(HERE, params=by("7"), json={**numbered("7"), "id": chosen}).json()["id"] == chosen
    taken = clinician.put(HERE, params=by("8"), json={**numbered("8"), "id": chosen})
    assert (taken.status_code, taken.json()["issue"][0]["code"]) == (409, "conflict")


def test_what_matches_is_deleted_once(clinician: httpx.Client) -> None:
    made = clinician.post(HERE, json=numbered("9")).json()
    assert clinician.delete(HERE, params=by("9")).status_code == 204
    assert clinician.get(f"{HERE}/{made['id']}").status_code == 410
    assert clinician.delete(HERE, params=by("9")).status_code == 204
    for _ in range(2):
        clinician.post(HERE, json=numbered("10"))
    assert clinician.delete(HERE, params=by("10")).status_code == 412


@pytest.mark.parametrize("query", ["", "shoe-size=44", "_count=1", "identifier", "identifier:near=1", "_sort=name"])
def test_what_is_no_condition_is_refused(clinician: httpx.Client, query: str) -> None:
    assert clinician.put(f"{HERE}?{query}", json=numbered("11")).status_code == 400
    assert clinician.delete(f"{HERE}?{query}").status_code == 400
    if query:
        assert clinician.post(HERE, json=numbered("11"), headers={"If-None-Exist": query}).status_code == 400


def test_a_condition_is_for_those_who_may_read(hub: Hub) -> None:
    with hub.program(("clinician", "north")) as writer:
        secret = writer.headers["Authorization"].removeprefix("Bearer ").encode()
        limited = "UPDATE access_token SET actions = '{patient.write}' WHERE secret_sha = sha256(%s::bytea)"
        hub.query(limited, (secret,))
        assert writer.post(HERE, json=numbered("12")).status_code == 201
        assert writer.post(HERE, json=numbered("12"), headers=unless("12")).status_code == 403
        assert writer.put(HERE, params=by("12"), json=numbered("12")).status_code == 403
        assert writer.delete(HERE, params=by("12")).status_code == 403
