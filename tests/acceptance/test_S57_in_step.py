"""Devices and programs stay in step: who changes what another changed meanwhile is told, and sees both versions.

Pages, and programs with If-Match, are held to the same version of a row.
"""

from __future__ import annotations

import html

from tests.integration.hub_api.practice import Practice

NAMED = {"family": "Okafor", "birth_date": "1980-04-02", "gender": "female", "language": "en"}


def test_what_is_changed_on_one_device_is_there_on_the_next(practice: Practice) -> None:
    desk, nurse = practice.works("front_desk"), practice.works("medical_assistant")
    patient = practice.registered()["patient_id"]
    told = NAMED | {"given": "Adaeze", "version": "1"}
    assert desk.client.post(f"/work/patients/{patient}/correct", data=told).status_code == 303
    assert nurse.get(f"/patients/{patient}").json()["given"] == "Adaeze"
    assert practice.resource("Patient", patient)["name"][0]["given"] == ["Adaeze"]
    assert practice.rows("SELECT version FROM patient") == [(2,)]
    assert practice.audited("patient.correct", patient) == [(desk.principal_id, "northgate", "success")]


def test_a_page_that_is_behind_shows_both_versions_and_keeps_neither_by_itself(practice: Practice) -> None:
    desk, nurse = practice.works("front_desk").client, practice.works("medical_assistant").client
    patient = practice.registered()["patient_id"]
    address = f"/work/patients/{patient}/correct"
    assert desk.post(address, data=NAMED | {"given": "Adaeze", "version": "1"}).status_code == 303
    behind = nurse.post(address, data=NAMED | {"given": "Ada", "preferred_name": "Addie", "version": "1"})
    assert behind.status_code == 409
    shown = html.unescape(behind.text)
    assert "Somebody else changed this meanwhile" in shown
    assert "Adaeze" in shown
    assert "Addie" in shown
    assert practice.rows("SELECT given, preferred_name FROM patient") == [("Adaeze", None)]


def test_a_program_that_is_behind_is_refused(practice: Practice) -> None:
    desk = practice.works("front_desk")
    patient = practice.registered()["patient_id"]
    read = desk.get(f"/patients/{patient}")
    told = NAMED | {"given": "Adaeze", "races": [], "needs_interpreter": False}
    assert desk.put(f"/patients/{patient}", told, If_Match=read.headers["ETag"]).status_code == 200
    assert desk.put(f"/patients/{patient}", told | {"given": "Ada"}, If_Match=read.headers["ETag"]).status_code == 409
    assert desk.put(f"/patients/{patient}", told).status_code == 428
    assert practice.rows("SELECT given FROM patient") == [("Adaeze",)]
