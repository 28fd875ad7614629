"""Programs: several tokens each, named, limited and ended, and none that can do more than its program."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.integration.hub_api.hub import Hub, new_id, observation, patient

PROGRAMS = "/api/practice/programs"


@pytest.fixture
def lab(hub: Hub, admin: httpx.Client) -> dict[str, Any]:
    """Return a program that reads charts at the north."""
    told = {"name": "lab", "role": "clinician", "location_id": str(hub.location("north"))}
    return dict(admin.post(PROGRAMS, json=told).json())


def test_a_program_has_several_tokens_that_end_one_by_one(hub: Hub, admin: httpx.Client, lab: dict[str, Any]) -> None:
    path = f"{PROGRAMS}/{lab['principal_id']}/tokens"
    night = admin.post(path, json={"name": "night run", "days": 30}).json()
    assert admin.post(path, json={"name": "night run"}).status_code == 409
    first = hub.client(Authorization=f"Bearer {lab['token']}")
    second = hub.client(Authorization=f"Bearer {night['token']}")
    with first, second:
        assert [each.get("/api/session").json()["name"] for each in (first, second)] == ["lab", "lab"]
        assert first.post(path, json={"name": "mine"}).status_code == 403, "a token makes no token"
        assert admin.post(f"{path}/{night['token_id']}/revoke").status_code == 204
        assert admin.post(f"{path}/{night['token_id']}/revoke").status_code == 409
        assert (first.get("/api/session").status_code, second.get("/api/session").status_code) == (200, 401)
    [program] = [each for each in admin.get(PROGRAMS).json() if each["name"] == "lab"]
    shown = {each["name"]: each for each in program["tokens"]}
    assert shown["night run"]["revoked_at"] is not None
    assert shown["first"]["last_used_at"] is not None
    assert not any("secret" in each or "secret_sha" in each for each in program["tokens"])
    assert admin.post(path, json={"name": "night run"}).status_code == 201, "the name is free again"
    events = hub.query("SELECT action FROM audit_event WHERE action LIKE 'token.%%' ORDER BY recorded_at")
    assert [action for (action,) in events] == ["token.issue", "token.issue", "token.revoke", "token.issue"]


def test_a_token_is_limited_and_never_beyond_its_program(hub: Hub, admin: httpx.Client, lab: dict[str, Any]) -> None:
    ada = patient()
    seen = observation(ada)
    hub.record(ada, seen, location="north")
    path = f"{PROGRAMS}/{lab['principal_id']}/tokens"
    assert admin.post(path, json={"name": "x", "actions": ["user.write"]}).status_code == 409
    assert admin.post(path, json={"name": "x", "actions": ["everything"]}).status_code == 422
    assert admin.post(path, json={"name": "x", "actions": []}).status_code == 422
    issued = admin.post(path, json={"name": "front", "actions": ["patient.read"]}).json()
    with hub.client(Authorization=f"Bearer {issued['token']}") as client:
        assert client.get(f"/fhir/Patient/{ada['id']}").status_code == 200
        assert client.get(f"/fhir/Observation/{seen['id']}").status_code == 403
        assert client.get(f"/fhir/Observation?patient={ada['id']}").status_code == 403
        told = {"patient_id": ada["id"], "reason": "she lies unconscious in the hall"}
        assert client.post("/api/practice/emergencies", json=told).status_code == 403, "nor by breaking the glass"
        hub.query("UPDATE role_assignment SET valid_to = now() WHERE principal_id = %s", (lab["principal_id"],))
        assert client.get(f"/fhir/Patient/{ada['id']}").status_code == 403, "its program may no more"


def test_only_who_runs_the_place_gives_tokens(hub: Hub, admin: httpx.Client, lab: dict[str, Any]) -> None:
    path = f"{PROGRAMS}/{lab['principal_id']}/tokens"
    with hub.program(("administrator", "south")) as elsewhere, hub.program(("manager", "north")) as manager:
        assert "lab" not in {each["name"] for each in elsewhere.get(PROGRAMS).json()}
        assert elsewhere.post(f"{path}/{lab['token_id']}/revoke").status_code == 403
        assert manager.get(PROGRAMS).status_code == 403
    head = hub.query("SELECT principal_id FROM principal WHERE is_administrator")[0][0]
    assert admin.post(f"{PROGRAMS}/{head}/tokens", json={"name": "x"}).status_code == 404, "people have no tokens"
    assert admin.post(f"{path}/{new_id()}/revoke").status_code == 404
