"""The pages beside the day: a patient's whole chart, who works here with which roles, and who saw whom."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import psycopg
import pytest

from tests.integration.hub_api.hub import Hub, observation
from tests.integration.hub_api.practice import Practice, at_nine, open_practice

MOST_STATEMENTS = 25


@pytest.fixture
def practice(hub: Hub) -> Iterator[Practice]:
    with ExitStack() as stack:
        yield open_practice(hub, stack)


def text_of(answer: httpx.Response, status: int = 200) -> str:
    assert answer.status_code == status, answer.text
    return html.unescape(answer.text)


def test_the_chart_is_shown_to_those_who_read_charts(practice: Practice, hub: Hub) -> None:
    patient = practice.registered()
    about = {"id": patient["patient_id"]}
    allergy = {
        "resourceType": "AllergyIntolerance",
        "id": "0b0e8a4e-5f0e-4b8e-9d0a-3f1f7f1a2b3c",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"text": "Penicillin"},
        "patient": {"reference": f"Patient/{about['id']}"},
    }
    hub.record(observation(about), allergy, source="lab", location="northgate")
    clinician = practice.works("clinician").client
    page = text_of(clinician.get(f"/work/patients/{about['id']}"))
    assert re.search(r"Allergies</dt><dd>Penicillin<", page)
    assert "/chart" in page
    chart = text_of(clinician.get(f"/work/patients/{about['id']}/chart"))
    assert "Glucose" in chart
    assert "Penicillin" in chart
    assert [row[2] for row in practice.audited("chart.read", about["id"])] == ["success"]
    desk = practice.works("front_desk").client
    assert "Penicillin" not in text_of(desk.get(f"/work/patients/{about['id']}"))
    assert "leave to read charts" in text_of(desk.get(f"/work/patients/{about['id']}/chart"), 403)
    elsewhere = practice.works("clinician", "southgate").client
    assert "Glucose" not in text_of(elsewhere.get(f"/work/patients/{about['id']}/chart"), 403)


def test_a_patients_page_asks_the_database_little(
    practice: Practice, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = practice.registered(
        addresses=[{"line": "1 Main St", "city": "Minneapolis", "state": "MN", "postal_code": "55401"}],
        contacts=[{"kind": "mobile", "value": "612-555-0100"}],
    )
    practice.insured(patient)
    for day in range(8):
        practice.booked(patient, at_nine(30 + day))
    hub.record(*(observation({"id": patient["patient_id"]}) for _ in range(40)), source="lab", location="northgate")
    asked: list[str] = []
    execute = psycopg.Cursor.execute

    def counted(self: Any, query: Any, *values: Any, **more: Any) -> Any:
        asked.append(str(query))
        return execute(self, query, *values, **more)

    clinician = practice.works("clinician").client
    monkeypatch.setattr(psycopg.Cursor, "execute", counted)
    assert "Follow-up" in text_of(clinician.get(f"/work/patients/{patient['patient_id']}"))
    assert 5 < len(asked) <= MOST_STATEMENTS, "\n".join(asked)


def test_people_are_added_given_roles_and_leave(practice: Practice, admin: httpx.Client, hub: Hub) -> None:
    added = text_of(admin.post("/work/users", data={"name": "rosa", "family": "Lee", "given": "Rosa"}))
    assert "rosa" in added
    [(rosa,)] = practice.rows("SELECT principal_id FROM staff")
    give = {"role": "front_desk", "location_id": str(practice.north.location_id)}
    assert admin.post(f"/work/users/{rosa}/roles", data=give).status_code == 303
    again = text_of(admin.post(f"/work/users/{rosa}/roles", data=give), 409)
    assert "hold this role" in again
    manager = practice.works("manager").client
    seen = text_of(manager.get("/work/users"))
    assert "Lee, Rosa" in seen
    assert "Give a role" not in seen
    assert manager.post(f"/work/users/{rosa}/roles", data=give).status_code == 403
    assert "Lee, Rosa" not in text_of(practice.works("manager", "southgate").client.get("/work/users"))
    [(held,)] = practice.rows("SELECT assignment_id FROM role_assignment WHERE principal_id = %s", rosa)
    assert admin.post(f"/work/roles/{held}/end").status_code == 303
    assert admin.post(f"/work/users/{rosa}/deactivate").status_code == 303
    assert practice.rows("SELECT disabled_at IS NOT NULL FROM principal WHERE principal_id = %s", rosa) == [(True,)]
    assert "wrong" in text_of(admin.post("/work/users", data={"name": "no spaces please"}), 422)


def test_who_saw_a_patient_is_shown_to_whoever_guards_privacy(practice: Practice, admin: httpx.Client) -> None:
    patient = practice.registered()["patient_id"]
    desk = practice.works("front_desk")
    desk.client.get(f"/work/patients/{patient}")
    officer = practice.works("privacy_officer").client
    assert f"/work/patients/{patient}/audit" in text_of(officer.get(f"/work/patients/{patient}"))
    shown = text_of(officer.get(f"/work/patients/{patient}/audit"))
    assert "front_desk-northgate" in shown
    assert "patient.read" in shown
    assert "leave to read the audit trail" in text_of(desk.client.get(f"/work/patients/{patient}/audit"), 403)
    assert len(practice.audited("audit.read", patient)) == 1
    admin.post("/work/users", data={"name": "rosa", "family": "Lee", "given": "Rosa"})
    [(rosa,)] = practice.rows("SELECT principal_id FROM staff")
    assert "What rosa did" in text_of(officer.get(f"/work/users/{rosa}/audit"))
    assert text_of(officer.get(f"/work/users/{desk.principal_id}/audit"), 404)
