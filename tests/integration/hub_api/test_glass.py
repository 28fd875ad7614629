"""Breaking the glass on pages: offered where it opens something, with a reason, shown while it lasts, then reviewed."""

from __future__ import annotations

import html
from typing import Any

import httpx

from tests.integration.hub_api.hub import Hub, observation
from tests.integration.hub_api.practice import Practice

WHY = "unconscious in the emergency room"


def text_of(answer: httpx.Response, status: int = 200) -> str:
    assert answer.status_code == status, answer.text
    return html.unescape(answer.text)


def grants(practice: Practice) -> list[tuple[Any, ...]]:
    return practice.rows("SELECT reason, reviewed_by, finding, note FROM break_glass_grant")


def test_a_refused_chart_offers_the_way_in_to_those_only_who_may_take_it(practice: Practice) -> None:
    path = f"/work/patients/{practice.registered()['patient_id']}/chart"
    doctor, biller = practice.works("clinician", "southgate"), practice.works("biller", "southgate")
    assert "/work/emergency?patient=" in text_of(doctor.client.get(path), 403)
    assert "/work/emergency" not in text_of(biller.client.get(path), 403)
    refused = practice.rows("SELECT principal_id FROM audit_event WHERE outcome = 'refused' ORDER BY recorded_at")
    assert refused == [(doctor.principal_id,), (biller.principal_id,)]


def test_a_chart_is_opened_with_a_reason_shown_as_open_and_reviewed_by_another(practice: Practice, hub: Hub) -> None:
    ada = practice.registered("Okafor", "Ada")
    hub.record(observation({"id": ada["patient_id"]}), source="lab", location="northgate")
    doctor, officer = practice.works("clinician", "southgate"), practice.works("privacy_officer")
    refused = text_of(doctor.client.get(f"/work/patients/{ada['patient_id']}/chart"), 403)
    assert "Okafor" not in refused
    form = text_of(doctor.client.get(f"/work/emergency?patient={ada['patient_id']}"))
    assert "60 minutes" in form
    assert "reviews" in form
    assert "Okafor" not in form
    told = {"patient": ada["patient_id"]}
    assert "beside it" in text_of(doctor.client.post("/work/emergency", data=told), 422)
    assert grants(practice) == []
    opened = doctor.client.post("/work/emergency", data=told | {"reason": WHY}, follow_redirects=True)
    page = text_of(opened)
    assert "Glucose" in page
    assert f"Your reason: {WHY}" in page
    assert "You have a chart open" in text_of(doctor.client.get("/work"))
    assert [row[0] for row in practice.audited("glass.break", ada["patient_id"])] == [doctor.principal_id]

    listed = text_of(officer.client.get("/work/emergencies"))
    assert WHY in listed
    assert "Okafor, Ada" in listed
    assert "read the whole chart" in listed
    [(grant_id,)] = practice.rows("SELECT grant_id FROM break_glass_grant")
    path = f"/work/emergencies/{grant_id}/review"
    assert doctor.client.post(path, data={"finding": "justified"}).status_code == 403
    assert "Choose one" in text_of(officer.client.post(path, data={"note": "?"}), 422)
    done = officer.client.post(path, data={"finding": "justified", "note": "spoke with the team"})
    assert done.status_code == 303
    assert grants(practice) == [(WHY, officer.principal_id, "justified", "spoke with the team")]
    assert "Nothing waits" in text_of(officer.client.get("/work/emergencies"))
    assert "before" in text_of(officer.client.post(path, data={"finding": "justified"}), 409)
    assert [row[0] for row in practice.audited("glass.review", ada["patient_id"])] == [officer.principal_id]


def test_an_opened_chart_closes_when_its_time_is_over(practice: Practice, hub: Hub) -> None:
    ada = practice.registered()
    doctor = practice.works("clinician", "southgate")
    doctor.client.post("/work/emergency", data={"patient": ada["patient_id"], "reason": WHY})
    path = f"/work/patients/{ada['patient_id']}/chart"
    assert doctor.client.get(path).status_code == 200
    hub.query(
        "UPDATE break_glass_grant SET granted_at = granted_at - interval '1 hour', expires_at = now()"
        " - interval '1 second'"
    )
    assert doctor.client.get(path).status_code == 403
    assert "You have a chart open" not in text_of(doctor.client.get("/work"))


def test_whom_an_emergency_is_about_must_be_named_exactly(practice: Practice) -> None:
    ada = practice.registered("Okafor", "Ada")
    doctor = practice.works("clinician", "southgate").client
    for told in (
        {},
        {"family": "Okafor"},
        {"family": "Oka", "given": "Ada", "birth_date": "1980-04-02"},
        {"number": "W0"},
    ):
        assert "Okafor, Ada" not in text_of(doctor.post("/work/emergency", data={**told, "reason": WHY}), 422)
    assert grants(practice) == []
    named = {"family": "okafor", "given": "ada", "birth_date": "1980-04-02", "reason": WHY}
    assert doctor.post("/work/emergency", data=named).status_code == 303
    assert doctor.post("/work/emergency", data={"number": ada["mrn"], "reason": WHY}).status_code == 303
    practice.registered("Okafor", "Ada")
    assert "Several" in text_of(doctor.post("/work/emergency", data=named), 422)


def test_reviewers_of_one_place_do_not_see_who_opened_charts_of_another(practice: Practice) -> None:
    ada = practice.registered()
    doctor = practice.works("clinician", "southgate").client
    doctor.post("/work/emergency", data={"patient": ada["patient_id"], "reason": WHY})
    assert WHY not in text_of(practice.works("privacy_officer", "southgate").client.get("/work/emergencies"))
    assert WHY in text_of(practice.works("privacy_officer").client.get("/work/emergencies"))
    assert practice.works("front_desk").client.get("/work/emergencies").status_code == 403


def test_every_opened_chart_is_a_task_until_it_is_reviewed(practice: Practice) -> None:
    ada, doctor = practice.registered(), practice.works("clinician", "southgate")
    told = {"patient_id": ada["patient_id"], "reason": WHY}
    for _ in range(3):
        doctor.post("/emergencies", told)
    officer = practice.works("privacy_officer")
    waiting = officer.get("/emergencies").json()
    [(made,)] = practice.rows("SELECT count(*) FROM break_glass_grant")
    assert len(waiting) == made == 3
    for left, each in zip((2, 1, 0), waiting, strict=True):
        officer.post(f"/emergencies/{each['grant_id']}/review", {"finding": "not justified"})
        assert len(officer.get("/emergencies").json()) == left
