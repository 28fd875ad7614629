"""Who may come in: strangers nowhere, every look is on record, and keys stop opening when they should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.routing import BaseRoute, Mount, Route

from hub_api.security.policy import RULES, rule_for
from hub_core.login_attempts import ATTEMPTS_PER_PAIR
from tests.integration.hub_api.hub import Hub, new_id, observation, patient

PUBLIC = {
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/login/oidc"),
    ("GET", "/login/oidc/return"),
    ("POST", "/login/oidc/logout"),
    ("GET", "/welcome"),
    ("POST", "/welcome"),
    ("GET", "/health"),
    ("GET", "/health/ready"),
    ("GET", "/fhir/metadata"),
    ("GET", "/static/{name}"),
    ("GET", "/favicon.ico"),
}
"""All that a stranger may ask for. A new route is not among them by itself."""

FORM = {"Content-Type": "application/x-www-form-urlencoded"}

DESTINATIONS = (
    ("/api/feeds", "/api/feeds"),
    ("http://127.0.0.1:8421/Patient", "http://127.0.0.1:8421/Patient"),
    ("http://evil.example/", "/"),
    ("//evil.example/", "/"),
    ("/\\evil.example/", "/"),
    ("\\\\evil.example", "/"),
    ("http://127.0.0.1:8421@evil.example/", "/"),
    ("http://127.0.0.1:9999/", "/"),
    ("https://127.0.0.1:8421/", "/"),
    ("javascript:alert(1)", "/"),
    ("/\n/evil.example", "/"),
    ("http://[", "/"),
    ("", "/"),
)
"""What a link to the log-in asks for, and where it leads."""
LOOKS: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("GET", "/fhir/Patient/{patient}", None),
    ("GET", "/fhir/Patient/{patient}/_history", None),
    ("GET", "/fhir/Patient/{patient}/_history/1", None),
    ("GET", "/fhir/Patient/{patient}/$everything", None),
    ("GET", "/fhir/Observation?patient={patient}", None),
    ("POST", "/fhir/Observation/_search", {"code": "2345-7"}),
    ("POST", "/api/people/search", {"name": "Okafor"}),
    ("GET", "/api/people/{person}/chart", None),
)
"""Every way to see a patient's data."""


def routes(found: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every method and address of an application."""
    for route in found:
        if isinstance(route, Mount):
            yield from routes(list(route.routes), prefix + route.path)
        else:
            assert isinstance(route, Route), f"{route} cannot be checked"
            yield from ((method, prefix + route.path) for method in route.methods or () if method != "HEAD")


def filled(path: str) -> str:
    return "/".join(new_id() if part.startswith("{") else part for part in path.split("/"))


def test_every_route_is_closed_to_strangers(hub: Hub, stranger: httpx.Client) -> None:
    found = set(routes(list(hub.app.routes)))
    assert found > PUBLIC
    assert len(found) > 30
    for method, path in found - PUBLIC:
        answer = stranger.request(method, filled(path))
        assert answer.status_code == 401, f"{method} {path}"
    for path in ("/nothing", "/fhir", "/static/", "/static/a/b", "/static/../app.py", "//login", "/LOGIN", "/login/"):
        assert stranger.get(path).status_code == 401, path
    assert stranger.get("/static/app.py").status_code == 404
    for path in ("/static/hub.css", "/static/mark.svg"):
        assert stranger.get(path).status_code == 200


def test_every_route_has_a_rule_and_every_rule_a_route(hub: Hub) -> None:
    found = set(routes(list(hub.app.routes)))
    assert {route for route in found if rule_for(*route) is None} == set()
    assert set(RULES) == found
    assert {route for route, rule in RULES.items() if rule == "public"} == PUBLIC


def test_public_routes_answer_strangers(stranger: httpx.Client) -> None:
    for method, path in PUBLIC - {("GET", "/static/{name}")}:
        expected = (404, 422) if path.startswith("/login/oidc") else (200, 422)
        assert stranger.request(method, path).status_code in expected, path


def test_a_program_without_the_role_is_refused_everywhere_and_that_is_on_record(hub: Hub, admin: httpx.Client) -> None:
    issued = admin.post("/api/tokens", json={"name": "reader"}).json()
    ada = patient()
    hub.record(ada)
    with hub.client(Authorization=f"Bearer {issued['token']}") as program:
        for method, path in set(routes(list(hub.app.routes))) - PUBLIC:
            if rule_for(method, path) != "authenticated":
                assert program.request(method, filled(path)).status_code == 403, path
        before = len(hub.audited())
        assert program.get(f"/fhir/Patient/{ada['id']}").status_code == 403
        assert program.get("/api/session").json()["name"] == "reader"
    events = [event[:4] for event in hub.audited(before)]
    assert events == [(issued["principal_id"], "refused", "Patient", ada["id"])]


def test_a_stranger_is_put_on_record_without_what_was_asked(hub: Hub, stranger: httpx.Client) -> None:
    stranger.get("/fhir/Patient?family=Okafor")
    stranger.get("/fhir/Potato/Okafor")
    events = hub.query(
        "SELECT principal_id, outcome, resource_type, audit_event::text FROM audit_event ORDER BY event_id"
    )
    assert [event[:3] for event in events] == [(None, "refused", "Patient"), (None, "refused", None)]
    assert not any("Okafor" in event[3] for event in events)


def test_every_look_at_a_patient_is_on_record_with_the_patient(hub: Hub, admin: httpx.Client) -> None:
    ada = patient()
    hub.record(ada, observation(ada), location="north")
    person = str(hub.query("SELECT person_id FROM person_member")[0][0])
    for method, path, form in LOOKS:
        before = len(hub.audited())
        asked = path.format(patient=ada["id"], person=person)
        body: dict[str, Any] = {"json": form} if path.startswith("/api") else {"data": form}
        answer = admin.request(method, asked, headers={"X-Purpose-Of-Use": "TREAT"}, **(body if form else {}))
        assert answer.status_code == 200, answer.text
        principal, *event = hub.audited(before)[0]
        assert len(hub.audited(before)) == 1, path
        assert hub.query("SELECT name FROM principal WHERE principal_id = %s", (principal,)) == [("admin",)]
        assert (event[0], event[3], event[4], event[5]) == ("success", ada["id"], "TREAT", "north"), path


def test_a_search_over_several_patients_names_each(hub: Hub, admin: httpx.Client) -> None:
    several = [patient(f"Family{number}") for number in range(3)]
    hub.record(*several)
    before = len(hub.audited())
    admin.get("/fhir/Patient")
    shown = {event[4] for event in hub.audited(before)}
    assert shown == {each["id"] for each in several}


def test_nothing_is_shown_that_cannot_be_put_on_record(hub: Hub, admin: httpx.Client) -> None:
    ada = patient()
    hub.record(ada)
    hub.query("ALTER TABLE audit_event RENAME TO lost")
    for path in (f"/fhir/Patient/{ada['id']}", "/fhir/Patient", f"/fhir/Patient/{ada['id']}/$everything"):
        answer = admin.get(path)
        assert answer.status_code == 500, path
        assert "Okafor" not in answer.text


def test_an_audit_event_can_be_neither_changed_nor_deleted(hub: Hub, admin: httpx.Client) -> None:
    admin.get("/fhir/Patient")
    for statement in ("DELETE FROM audit_event", "UPDATE audit_event SET outcome = 'failed'"):
        with pytest.raises(Exception, match="never changed or deleted"):
            hub.query(statement)


def test_a_revoked_token_is_refused_at_the_next_request(hub: Hub, admin: httpx.Client) -> None:
    issued = admin.post("/api/tokens", json={"name": "loader", "is_administrator": True}).json()
    with hub.client(Authorization=f"Bearer {issued['token']}") as program:
        assert program.get("/fhir/Patient").status_code == 200
        assert program.post("/api/tokens", json={"name": "another"}).status_code == 403
        assert admin.delete(f"/api/tokens/{issued['token_id']}").status_code == 204
        assert program.get("/fhir/Patient").status_code == 401
    assert admin.delete(f"/api/tokens/{issued['token_id']}").status_code == 404
    assert hub.query("SELECT count(*) FROM access_token WHERE secret_sha = %s", (issued["token"].encode(),)) == [(0,)]


def test_an_expired_token_is_refused(hub: Hub, admin: httpx.Client) -> None:
    issued = admin.post("/api/tokens", json={"name": "loader", "is_administrator": True, "days": 1}).json()
    hub.query("UPDATE access_token SET expires_at = now() - interval '1 second'")
    with hub.client(Authorization=f"Bearer {issued['token']}") as program:
        assert program.get("/fhir/Patient").status_code == 401


@pytest.mark.parametrize("column", ["last_used_at", "expires_at"])
def test_a_session_ends_unused_or_in_the_end(hub: Hub, admin: httpx.Client, column: str) -> None:
    assert admin.get("/fhir/Patient").status_code == 200
    back = "16 minutes" if column == "last_used_at" else "12 hours"
    hub.query(f"UPDATE browser_session SET {column} = {column} - interval '{back}'")
    assert admin.get("/fhir/Patient").status_code == 401


def test_use_keeps_a_session_open(hub: Hub, admin: httpx.Client) -> None:
    for _ in range(3):
        hub.query("UPDATE browser_session SET last_used_at = last_used_at - interval '10 minutes'")
        assert admin.get("/fhir/Patient").status_code == 200


def test_logging_out_ends_the_session_itself(hub: Hub, admin: httpx.Client) -> None:
    secret = admin.cookies["wholechart_session"]
    assert admin.post("/logout").status_code == 303
    with hub.client(Cookie=f"wholechart_session={secret}") as thief:
        assert thief.get("/fhir/Patient").status_code == 401


def test_guessing_is_slowed_down(hub: Hub, stranger: httpx.Client) -> None:
    for _ in range(ATTEMPTS_PER_PAIR):
        assert stranger.post("/login", data={"name": "admin", "password": "guess"}).status_code == 401
    slowed = stranger.post("/login", data={"name": "ADMIN", "password": hub.password})
    assert slowed.status_code == 429
    assert 0 < int(slowed.headers["retry-after"]) <= 900
    hub.query("UPDATE login_attempt SET attempted_at = attempted_at - interval '15 minutes'")
    assert stranger.post("/login", data={"name": "admin", "password": hub.password}).status_code == 303


def test_an_unknown_name_is_answered_like_a_wrong_password(stranger: httpx.Client) -> None:
    unknown = stranger.post("/login", data={"name": "nobody", "password": "guess"})
    wrong = stranger.post("/login", data={"name": "admin", "password": "guess"})
    assert (unknown.status_code, unknown.text) == (wrong.status_code, wrong.text)


def test_a_log_in_leads_only_to_our_own_addresses(hub: Hub, stranger: httpx.Client) -> None:
    for wanted, reached in DESTINATIONS:
        page = stranger.get("/login", params={"next": wanted})
        assert f'name="next" value="{reached}"' in page.text, wanted
    for wanted, reached in (DESTINATIONS[0], DESTINATIONS[2]):
        answer = stranger.post("/login", data={"name": "admin", "password": hub.password, "next": wanted})
        assert (answer.status_code, answer.headers["location"]) == (303, reached), wanted


def test_a_foreign_page_cannot_use_the_cookie(hub: Hub, admin: httpx.Client) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert admin.post("/api/people/search", json={"name": "x"}, headers=headers).status_code == 403
        assert (
            admin.post("/login", data={"name": "admin", "password": hub.password}, headers=headers).status_code == 403
        )
    for origin in (hub.url, "http://127.0.0.1:8421"):
        assert admin.post("/api/people/search", json={"name": "x"}, headers={"Origin": origin}).status_code == 200


def test_the_cookie_and_the_pages_are_hardened(hub: Hub, stranger: httpx.Client) -> None:
    page = stranger.get("/login?next=/api/feeds")
    assert "script" not in page.text
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin", "browsers would send the form with Origin: null"
    answer = stranger.post("/login", data={"name": "admin", "password": hub.password})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_a_person_without_a_session_is_shown_the_way_in(stranger: httpx.Client) -> None:
    page = stranger.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 401
    assert 'name="password"' in page.text


def test_what_a_form_says_is_not_thrown_back(admin: httpx.Client) -> None:
    answer = admin.post("/api/people/search", json={"name": ["Okafor"], "ssn": "123-45-6789"})
    assert answer.status_code == 422
    assert "Okafor" not in answer.text
    assert "6789" not in answer.text


def test_a_body_too_large_is_refused_before_it_is_read_whole(hub: Hub, admin: httpx.Client) -> None:
    too_much = b"x" * (300 * 1024)
    for path in ("/api/people/search", "/login", "/fhir/Patient/_search"):
        assert admin.post(path, content=too_much, headers=FORM).status_code == 413, path

    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"x" * 1024

    assert admin.post("/fhir/Patient/_search", content=endless()).status_code == 413
