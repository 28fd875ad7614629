"""Registration through the API: look-alikes first, versions, who may see whom, merges."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.hub_api.practice import Practice


def test_a_look_alike_is_shown_before_somebody_is_registered(practice: Practice) -> None:
    desk = practice.works("front_desk")
    known = practice.registered()
    refused = desk.post("/patients", {"patient": practice.person()})
    assert refused.status_code == 409
    [candidate] = refused.json()["candidates"]
    assert candidate["patient"]["patient_id"] == known["patient_id"]
    assert "same date of birth" in candidate["evidence"]
    assert practice.audited("patient.candidate", known["patient_id"]) == [(desk.principal_id, "northgate", "success")]
    made = desk.post("/patients", {"patient": practice.person(), "despite": "twin sister of the same name"})
    assert made.status_code == 201
    assert practice.rows("SELECT count(*) FROM patient") == [(2,)]


def test_of_a_look_alike_elsewhere_only_that_there_is_one_is_said(practice: Practice) -> None:
    practice.registered(at="southgate")
    refused = practice.works("front_desk").post("/patients", {"patient": practice.person()})
    assert refused.status_code == 409
    assert [(each["patient"], each["location"]) for each in refused.json()["candidates"]] == [(None, "southgate")]


def test_a_correction_names_the_version_that_was_read(practice: Practice) -> None:
    desk, ada = practice.works("front_desk"), practice.registered()
    path = f"/patients/{ada['patient_id']}"
    told = {"family": "Okafor-Bell", "given": "Ada", "birth_date": "1980-04-02", "gender": "female"}
    assert desk.put(path, told).status_code == 428
    tag = desk.get(path).headers["etag"]
    assert desk.put(path, told, If_Match=tag).json()["family"] == "Okafor-Bell"
    stale = desk.put(path, told, If_Match=tag)
    assert stale.status_code == 409
    assert practice.resource("Patient", ada["patient_id"])["name"][0]["family"] == "Okafor-Bell"


def test_where_they_live_and_how_they_are_reached(practice: Practice) -> None:
    desk, ada = practice.works("front_desk"), practice.registered()
    path = f"/patients/{ada['patient_id']}"
    lives = {"line": "1 Elm St", "city": "Boston", "state": "MA", "postal_code": "02101"}
    assert desk.post(f"{path}/addresses", lives).status_code == 200
    moved = desk.post(f"{path}/addresses", {**lives, "line": "2 Oak St"}).json()
    assert {(each["line"], each["use"]) for each in moved["addresses"]} == {("1 Elm St", "old"), ("2 Oak St", "home")}
    reached = [{"kind": "mobile", "value": "+12175550101", "may_text": True}]
    assert desk.put(f"{path}/contacts", reached).json()["contacts"][0]["may_text"] is True
    assert practice.resource("Patient", ada["patient_id"])["telecom"][0]["value"] == "+12175550101"


def test_patients_of_elsewhere_are_neither_found_nor_opened(practice: Practice) -> None:
    ben = practice.registered("Bello", "Ben", at="southgate")
    desk = practice.works("front_desk")
    assert desk.post("/patients/search", {"name": "bello"}).json() == []
    assert desk.get(f"/patients/{ben['patient_id']}").status_code == 403
    assert practice.audited("request", ben["patient_id"]) == [(desk.principal_id, "northgate", "refused")]
    assert desk.get("/patients/00000000-0000-0000-0000-000000000001").status_code == 404
    assert practice.works("front_desk", "southgate").post("/patients/search", {"name": "bel"}).json() != []


def test_a_search_is_audited_for_whom_it_shows(practice: Practice) -> None:
    desk, ada = practice.works("front_desk"), practice.registered()
    for wanted in ({"name": "oka ad"}, {"number": ada["mrn"]}, {"birth_date": "1980-04-02", "name": "Ada"}):
        assert [each["mrn"] for each in desk.post("/patients/search", wanted).json()] == [ada["mrn"]]
    assert len(practice.audited("patient.search", ada["patient_id"])) == 3
    assert desk.post("/patients/search", {}).status_code == 400
    assert desk.post("/patients/search", {"ssn": "1"}).status_code == 422


def test_only_who_merges_may_merge(practice: Practice) -> None:
    ada, again = practice.registered(), practice.registered("Okafor", "Adah")
    told = {"survivor_id": ada["patient_id"], "merged_id": again["patient_id"], "reason": "registered twice"}
    assert practice.works("front_desk").post("/merges", told).status_code == 403
    officer = practice.works("privacy_officer")
    merge = officer.post("/merges", told)
    assert merge.status_code == 201
    assert practice.works("front_desk").get(f"/patients/{again['patient_id']}").json()["mrn"] == ada["mrn"]
    assert officer.post("/merges", told).status_code == 409
    assert officer.post(f"/merges/{merge.json()['merge_id']}/undo").status_code == 200
    assert practice.works("front_desk").get(f"/patients/{again['patient_id']}").json()["mrn"] == again["mrn"]
    assert officer.post(f"/merges/{merge.json()['merge_id']}/undo").status_code == 409


@pytest.mark.parametrize(
    "wrong",
    [{"birth_date": "soon"}, {"gender": "?"}, {"family": " "}, {"races": ["white"]}, {"unknown": 1}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_is_wrong_is_named_and_not_repeated(practice: Practice, wrong: dict[str, Any]) -> None:
    refused = practice.works("front_desk").post("/patients", {"patient": practice.person(**wrong)})
    assert refused.status_code == 422
    assert next(iter(wrong)) in refused.text
    assert practice.rows("SELECT count(*) FROM patient") == [(0,)]
