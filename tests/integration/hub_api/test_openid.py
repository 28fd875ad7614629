"""Staff log in at their organisation's provider: those who are linked, by an honest answer, once, and nobody else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest

from hub_api.login.oidc_provider import provider_of
from hub_api.security.caller import SESSION_COOKIE
from hub_core.errors import ConfigurationError
from hub_core.settings import Settings
from pipelines.installation import Installation
from tests.integration.hub_api.conftest import answering, running
from tests.integration.hub_api.hub import Hub, new_id
from tests.integration.hub_api.openid import CLIENT, SECRET, Claims, OpenIDProvider, Sign, query_of

STAFF = "/api/practice/staff"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
def provider() -> Iterator[OpenIDProvider]:
    """Return a running provider."""
    provider = OpenIDProvider()
    with answering(provider.app()) as url:
        provider.issuer = url
        yield provider


@pytest.fixture
def hub(installation: Installation, provider: OpenIDProvider) -> Iterator[Hub]:
    """Return a hub whose staff may log in at the provider."""
    told = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    settings = Settings(**{**installation.settings.model_dump(), **told})
    with running(installation, settings) as hub:
        yield hub


@pytest.fixture
def joan(hub: Hub, admin: httpx.Client) -> dict[str, Any]:
    """Return somebody who works here and is linked to the provider's subject."""
    joan = dict(admin.post(STAFF, json={"name": "joan", "family": "Rivers", "given": "Joan"}).json())
    linked = admin.post(f"{STAFF}/{joan['principal_id']}/identities", json={"value": "u-100"})
    assert linked.status_code == 201, linked.text
    return {**joan, **linked.json()}


def comes(hub: Hub, client: httpx.Client, wanted: str = "/api/session") -> httpx.Response:
    """Go to the provider and come back, and return what the hub answers."""
    out = client.get("/login/oidc", params={"next": wanted})
    assert out.status_code == 303, out.text
    back = httpx.get(out.headers["location"], trust_env=False)
    return client.get(back.headers["location"])


def refusals(hub: Hub) -> list[str]:
    """Return why log-ins were refused, the first first."""
    rows = hub.query(
        "SELECT detail->>'reason' FROM audit_event WHERE action = 'session.open' AND outcome = 'refused'"
        " ORDER BY recorded_at"
    )
    return [reason for (reason,) in rows]


def test_who_is_linked_comes_in_with_the_session_everybody_has(hub: Hub, joan: dict[str, Any]) -> None:
    with hub.client() as client:
        assert "Log in with your organisation" in client.get("/login").text
        answer = comes(hub, client)
        assert (answer.status_code, answer.headers["location"]) == (303, "/api/session")
        assert client.get("/api/session").json()["principal_id"] == joan["principal_id"]
        hub.query("UPDATE browser_session SET last_used_at = last_used_at - interval '16 minutes'")
        assert client.get("/api/session").status_code == 401, "left unused"
    events = hub.query(
        "SELECT outcome, detail->>'by' FROM audit_event WHERE principal_id = %s", (joan["principal_id"],)
    )
    assert ("success", "provider") in events


def test_elliptic_keys_are_taken_and_keys_are_kept(hub: Hub, provider: OpenIDProvider, joan: dict[str, Any]) -> None:
    provider.sign = lambda own, claims: own.token(claims, algorithm="ES256")
    for _ in range(2):
        with hub.client() as client:
            assert comes(hub, client).status_code == 303
    assert provider.keys_read == 1


def _none(_: OpenIDProvider, claims: Claims) -> str:
    return jwt.encode(claims, "", algorithm="none", headers={"kid": "RS256-1"})


def _symmetric(own: OpenIDProvider, claims: Claims) -> str:
    """Sign with the public key as if it were a shared secret, which the library itself refuses to do."""

    def part(said: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=")

    text = part({"alg": "HS256", "typ": "JWT", "kid": "RS256-1"}) + b"." + part(claims)
    mac = hmac.new(own.public_key(), text, hashlib.sha256).digest()
    return (text + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


def _forged(own: OpenIDProvider, claims: Claims) -> str:
    return own.token(claims, key=OpenIDProvider().rsa_key)


def _unknown_key(own: OpenIDProvider, claims: Claims) -> str:
    return own.token(claims, kid="RS256-2")


def _other_kind_of_key(own: OpenIDProvider, claims: Claims) -> str:
    return own.token(claims, kid="ES256-1")


def _no_token(_: OpenIDProvider, __: Claims) -> str:
    return "x" * 20_000


CROOKED: tuple[tuple[Sign | None, Claims, str], ...] = (
    (_none, {}, "alg"),
    (_symmetric, {}, "alg"),
    (_forged, {}, "InvalidSignatureError"),
    (_unknown_key, {}, "kid"),
    (_other_kind_of_key, {}, "kid"),
    (_no_token, {}, "size"),
    (None, {"nonce": "another"}, "nonce"),
    (None, {"nonce": None}, "nonce"),
    (None, {"aud": "another"}, "InvalidAudienceError"),
    (None, {"aud": [CLIENT, "another"]}, "aud"),
    (None, {"azp": "another"}, "azp"),
    (None, {"iss": "https://another.example"}, "InvalidIssuerError"),
    (None, {"exp": int(time.time()) - 3600}, "ExpiredSignatureError"),
    (None, {"exp": None}, "MissingRequiredClaimError"),
    (None, {"iat": int(time.time()) + 3600}, "ImmatureSignatureError"),
    (None, {"sub": "u-200"}, "not linked"),
    (None, {"sub": "U-100"}, "not linked"),
)
"""Answers that are wrong in one way each: how they are signed, what they say, and what the audit trail calls it."""


def test_a_crooked_answer_is_refused_and_on_record(hub: Hub, provider: OpenIDProvider, joan: dict[str, Any]) -> None:
    for sign, more, reason in CROOKED:
        provider.sign, provider.more = sign, more
        with hub.client() as client:
            answer = comes(hub, client)
            assert answer.status_code == 403, reason
            assert SESSION_COOKIE not in client.cookies
            assert "Ask an administrator" in answer.text
            assert reason not in answer.text
            assert client.get("/api/session").status_code == 401
    assert refusals(hub) == [reason for _, _, reason in CROOKED]
    assert provider.keys_read == 1, "a key nobody has seen makes nobody ask at will"
    assert hub.query("SELECT count(*) FROM principal WHERE kind = 'person'") == [(2,)], "nobody was made known"


def test_an_answer_counts_once_and_in_the_browser_that_asked(
    hub: Hub, provider: OpenIDProvider, joan: dict[str, Any]
) -> None:
    with hub.client() as client, hub.client() as other:
        back = httpx.get(client.get("/login/oidc").headers["location"], trust_env=False).headers["location"]
        assert other.get(back).status_code == 403, "a link that a stranger sent"
        assert client.get(back).status_code == 303
        client.cookies.clear()
        assert client.get(back).status_code == 403, "the same answer again"
        late = httpx.get(client.get("/login/oidc").headers["location"], trust_env=False).headers["location"]
        hub.query("UPDATE outside_login SET began_at = began_at - interval '11 minutes'")
        assert client.get(late).status_code == 403
        assert client.get("/login/oidc/return", params={"state": "guessed", "code": "x"}).status_code == 403
        crooked = httpx.get(client.get("/login/oidc").headers["location"], trust_env=False).headers["location"]
        assert (
            client.get("/login/oidc/return", params=query_of(crooked) | {"iss": "https://another.example"}).status_code
            == 403
        )
    assert refusals(hub) == ["state", "state", "state", "state", "answer"]


def test_a_log_in_leads_only_to_our_own_addresses(hub: Hub, joan: dict[str, Any]) -> None:
    with hub.client() as client:
        assert comes(hub, client, "https://evil.example/").headers["location"] == "/"


def test_who_left_comes_in_no_more(hub: Hub, admin: httpx.Client, joan: dict[str, Any]) -> None:
    with hub.client() as client:
        assert comes(hub, client).status_code == 303
        assert admin.post(f"/api/practice/principals/{joan['principal_id']}/deactivate").status_code == 204
        assert client.get("/api/session").status_code == 401
        assert comes(hub, client).status_code == 403
    assert hub.query("SELECT principal_id::text, detail->>'reason' FROM audit_event WHERE outcome = 'refused' AND"
                     " action = 'session.open'") == [(joan["principal_id"], "ended")]  # fmt: skip


def test_an_end_of_the_link_ends_the_sessions_that_stand_on_it(
    hub: Hub, admin: httpx.Client, joan: dict[str, Any]
) -> None:
    path = f"{STAFF}/{joan['principal_id']}/identities"
    taken = admin.post(path, json={"value": "u-100"})
    assert taken.status_code == 409
    with hub.client() as client:
        assert comes(hub, client).status_code == 303
        assert [each["value"] for each in admin.get(path).json()] == ["u-100"]
        assert admin.delete(f"/api/practice/identities/{joan['identity_id']}").status_code == 204
        assert client.get("/api/session").status_code == 401
        assert comes(hub, client).status_code == 403
    assert admin.delete(f"/api/practice/identities/{new_id()}").status_code == 404
    assert admin.post(path, json={"value": "u-100"}).status_code == 201


def test_only_who_runs_the_place_links_somebody(hub: Hub, joan: dict[str, Any]) -> None:
    told = {"value": "u-300"}
    with hub.program(("clinician", None)) as clinician, hub.program(("administrator", "south")) as elsewhere:
        hub.query(
            "INSERT INTO role_assignment (assignment_id, principal_id, role, location_id, valid_from, created_at,"
            " changed_at, version) VALUES (gen_random_uuid(), %s, 'biller', %s, now(), now(), now(), 1)",
            (joan["principal_id"], hub.location("north")),
        )
        for client in (clinician, elsewhere):
            assert client.post(f"{STAFF}/{joan['principal_id']}/identities", json=told).status_code == 403
            assert client.delete(f"/api/practice/identities/{joan['identity_id']}").status_code == 403


def test_the_provider_ends_sessions(hub: Hub, provider: OpenIDProvider, joan: dict[str, Any]) -> None:
    provider.more = {"sid": "s-1"}
    honest = {"jti": "1", "sid": "s-1", "events": {EVENT: {}}}
    with hub.client() as client, hub.client() as stranger:
        assert comes(hub, client).status_code == 303
        wrong = (
            provider.token(provider.claims(**honest, nonce="n")),
            provider.token(provider.claims(jti="1", sid="s-1")),
            provider.token(provider.claims(**(honest | {"aud": "another"}))),
            _forged(provider, provider.claims(**honest)),
            _none(provider, provider.claims(**honest)),
        )
        for token in wrong:
            assert stranger.post("/login/oidc/logout", data={"logout_token": token}).status_code == 400
        other = provider.token(provider.claims(**(honest | {"sid": "s-2"})))
        assert stranger.post("/login/oidc/logout", data={"logout_token": other}).status_code == 200
        assert client.get("/api/session").status_code == 200, "another session of theirs ended"
        token = provider.token(provider.claims(**honest))
        assert stranger.post("/login/oidc/logout", data={"logout_token": token}).status_code == 200
        assert client.get("/api/session").status_code == 401


ODD: tuple[Claims, ...] = (
    {"issuer": "https://another.example"},
    {"token_endpoint": "http://another.example/token"},
    {"jwks_uri": "file:///etc/passwd"},
    {"authorization_endpoint": None},
    {"padding": "x" * 300_000},
)


def test_a_provider_that_says_odd_things_of_itself_is_not_asked(
    hub: Hub, provider: OpenIDProvider, stranger: httpx.Client
) -> None:
    for said in ODD:
        provider.discovery = said
        assert stranger.get("/login/oidc").status_code == 403, said.keys()
    assert len(refusals(hub)) == len(ODD)


def test_an_unprotected_provider_is_refused_at_the_start(installation: Installation) -> None:
    told = {"oidc_issuer": "http://login.example", "oidc_client_id": CLIENT}
    settings = Settings(**{**installation.settings.model_dump(), **told})
    with pytest.raises(ConfigurationError, match="https"):
        provider_of(settings)


def test_without_a_provider_there_is_no_such_way(installation: Installation) -> None:
    with running(installation, installation.settings) as plain, plain.client() as client:
        assert client.get("/login/oidc").status_code == 404
        assert "organisation" not in client.get("/login").text
