"""Passwords: a changed one ends what an old one opened, and guessing is slow from one address and from many."""

from __future__ import annotations

from typing import Any

import httpx
import pyotp
import pytest

from hub_core.login_attempts import ATTEMPTS_PER_ADDRESS, ATTEMPTS_PER_NAME
from tests.integration.hub_api.hub import Hub

STAFF = "/api/practice/staff"
OLD, NEW = "a long walk by the river", "another walk in the hills"


@pytest.fixture
def joan(hub: Hub, admin: httpx.Client) -> dict[str, Any]:
    """Return somebody who works here and has chosen a password."""
    joan = dict(admin.post(STAFF, json={"name": "joan", "family": "Rivers", "given": "Joan"}).json())
    with hub.client() as client:
        assert enters(client, joan["password"], new_password=OLD) == 303
    return joan


def enters(client: httpx.Client, password: str, **more: str) -> int:
    return client.post("/login", data={"name": "joan", "password": password, **more}).status_code


def test_a_changed_password_ends_every_other_session(hub: Hub, admin: httpx.Client, joan: dict[str, Any]) -> None:
    with hub.client() as desk, hub.client() as thief, hub.client() as own:
        assert enters(desk, OLD) == enters(thief, OLD) == 303
        assert enters(own, OLD, new_password=OLD) == 400, "it must be another one"
        assert enters(own, OLD, new_password=NEW) == 303
        assert [each.get("/api/session").status_code for each in (desk, thief, own)] == [401, 401, 200]
        assert enters(thief, OLD) == 401
        reset = admin.post(f"{STAFF}/{joan['principal_id']}/password").json()["password"]
        assert own.get("/api/session").status_code == 401
        assert enters(own, NEW) == 401
        assert enters(own, reset) == 400, "a password somebody else has seen must be changed"
    actions = hub.query("SELECT action FROM audit_event WHERE action LIKE 'password.%%' ORDER BY recorded_at")
    assert [action for (action,) in actions] == ["password.change", "password.change", "password.reset"]


def test_a_code_is_asked_for_once_there_is_an_authenticator(hub: Hub, joan: dict[str, Any]) -> None:
    with hub.client() as client:
        assert enters(client, OLD) == 303
        secret = client.post("/api/practice/second-factor").json()["secret"]
        shown = {"secret": secret, "code": pyotp.TOTP(secret).now(), "password": OLD}
        assert client.put("/api/practice/second-factor", json={**shown, "password": "guess"}).status_code == 403
        assert client.put("/api/practice/second-factor", json=shown).status_code == 204
    with hub.client() as client:
        assert enters(client, OLD) == 401
        assert enters(client, OLD, code=shown["code"]) == 401, "a code that was used"
        hub.query("UPDATE principal SET totp_last_step = NULL")
        assert enters(client, OLD, code=pyotp.TOTP(secret).now()) == 303


def test_guessing_is_slowed_down_by_address_and_by_name(hub: Hub, joan: dict[str, Any]) -> None:
    tried = "INSERT INTO login_attempt (name, address) SELECT %s, %s || n FROM generate_series(1, %s) n"
    with hub.client() as client:
        hub.query(tried.replace("%s || n", "%s"), ("somebody", "127.0.0.1", ATTEMPTS_PER_ADDRESS))
        assert enters(client, OLD) == 429, "one address tries many names"
        hub.query("DELETE FROM login_attempt")
        hub.query(tried, ("joan", "192.0.2.", ATTEMPTS_PER_NAME))
        assert enters(client, OLD) == 429, "many addresses try one name"
        hub.query("UPDATE login_attempt SET attempted_at = attempted_at - interval '16 minutes'")
        assert enters(client, OLD) == 303
    assert ("throttled",) in hub.query("SELECT detail->>'by' FROM audit_event WHERE outcome = 'refused'")
