"""People of the portal as tests meet them: invited by the front desk, come in by their code."""

from __future__ import annotations

from typing import Any

import httpx

from hub_core.fhir.canonical import Json
from tests.integration.hub_api.practice import Practice

PASSWORD = "a river of quiet stones"


def opened(practice: Practice, patient: Json, name: str, relation: str = "self", **more: Any) -> Json:
    """Return what the front desk is answered that lets somebody see a patient."""
    told = {"name": name, "relation": relation, **more}
    made = practice.works("front_desk").post(f"/patients/{patient['patient_id']}/portal", told)
    assert made.status_code == 201, made.text
    return dict(made.json())


def welcomed(client: httpx.Client, name: str, code: str, password: str = PASSWORD) -> httpx.Response:
    """Bring a code and choose a password."""
    form = {"name": name, "code": code, "password": password, "again": password}
    return client.post("/welcome", data=form)


def comes_in(practice: Practice, patient: Json, name: str, relation: str = "self", **more: Any) -> httpx.Client:
    """Return the client of somebody who sees a patient from now on."""
    code = opened(practice, patient, name, relation, **more)["code"]
    client = practice.stack.enter_context(practice.hub.client())
    assert welcomed(client, name, code).status_code == 303
    return client


def consented(practice: Practice, patient: Json, state: str = "given", **more: Any) -> str:
    """Return the id of what a patient said to somebody else seeing their chart."""
    told = {"kind": "portal-access", "state": state, "effective_on": "2026-01-01", **more}
    made = practice.works("front_desk").post(f"/patients/{patient['patient_id']}/consents", told)
    assert made.status_code == 201, made.text
    return str(made.json()["consent_id"])
