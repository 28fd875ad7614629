"""Half-written forms: kept sealed for whoever writes them, forgotten once sent, and never anybody else's."""

from __future__ import annotations

import html

from tests.integration.hub_api.practice import Practice

SAID = [["family", "Half"], ["given", "Written"], ["needs_interpreter", True]]
ADDRESS = "/work/drafts/register"
SENT = {"family": "Half", "given": "Written", "birth_date": "1980-04-02", "gender": "female", "draft": "register"}


def test_a_draft_is_given_back_to_whoever_wrote_it_and_to_nobody_else(practice: Practice) -> None:
    desk, other = practice.works("front_desk").client, practice.works("manager").client
    assert desk.get(ADDRESS).status_code == 204
    assert desk.put(ADDRESS, json=SAID).status_code == 204
    assert desk.get(ADDRESS).json() == SAID
    assert desk.get(ADDRESS).headers["cache-control"] == "no-store"
    assert other.get(ADDRESS).status_code == 204
    with practice.hub.client() as stranger:
        assert stranger.get(ADDRESS).status_code == 401
        assert stranger.put(ADDRESS, json=SAID).status_code == 401


def test_what_is_stored_is_sealed_and_bound_to_its_writer(practice: Practice) -> None:
    desk, other = practice.works("front_desk"), practice.works("manager")
    desk.client.put(ADDRESS, json=SAID)
    [(sealed,)] = practice.rows("SELECT sealed FROM draft")
    assert b"Half" not in sealed
    practice.rows(
        "INSERT INTO draft (principal_id, form, sealed) SELECT %s, form, sealed FROM draft RETURNING 1",
        other.principal_id,
    )
    assert other.client.get(ADDRESS).status_code == 204


def test_a_draft_is_forgotten_when_its_form_is_taken_and_not_before(practice: Practice) -> None:
    desk = practice.works("front_desk").client
    desk.put(ADDRESS, json=SAID)
    assert desk.post("/work/register", data=SENT | {"birth_date": ""}).status_code == 422
    assert desk.get(ADDRESS).json() == SAID
    assert desk.post("/work/register", data=SENT).status_code == 303
    assert desk.get(ADDRESS).status_code == 204


def test_a_draft_grows_neither_old_nor_large(practice: Practice) -> None:
    desk = practice.works("front_desk").client
    assert desk.put(ADDRESS, json=[["family", "x" * 70_000]]).status_code == 413
    assert desk.put("/work/drafts/Not A Name", json=SAID).status_code == 404
    desk.put(ADDRESS, json=SAID)
    practice.rows("UPDATE draft SET saved_at = saved_at - interval '8 days' RETURNING 1")
    assert desk.get(ADDRESS).status_code == 204
    desk.put("/work/drafts/another", json=SAID)
    assert practice.rows("SELECT form FROM draft") == [("another",)]


def test_two_who_correct_one_patient_see_both_versions(practice: Practice) -> None:
    ada = practice.registered()
    first, second = practice.works("front_desk").client, practice.works("manager").client
    address = f"/work/patients/{ada['patient_id']}/correct"
    told = {"family": "Okafor", "birth_date": "1980-04-02", "gender": "female", "language": "en", "version": "1"}
    assert first.post(address, data=told | {"given": "Adaeze"}).status_code == 303
    answer = second.post(address, data=told | {"given": "Ada", "preferred_name": "Addie"})
    shown = html.unescape(answer.text)
    assert answer.status_code == 409
    assert "Somebody else changed this meanwhile" in shown
    assert "<td>Ada</td><td>Adaeze " in shown
    assert "<td>Addie</td><td>– " in shown
    assert 'name="given" type="text" value="Ada"' in shown
    assert 'name="version" value="2"' in shown
    decided = told | {"given": "Adaeze", "preferred_name": "Addie", "version": "2"}
    assert second.post(address, data=decided).status_code == 303
    rows = practice.rows("SELECT given, preferred_name, version FROM patient")
    assert rows == [("Adaeze", "Addie", 3)]
