"""Who leaves comes in by nothing any more: every kind of key there is, found in the database's own foreign keys."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from hub_api.security.caller import SESSION_COOKIE
from tests.integration.hub_api.hub import Hub, observation, patient
from tests.integration.hub_api.portal import comes_in, consented, opened, welcomed
from tests.integration.hub_api.practice import Practice

API = "/api/practice"
OWN_WORDS = "a long walk by the river"

ENDED: dict[str, str] = {
    "browser_session.principal_id": "SELECT 1 FROM browser_session WHERE principal_id = %s AND closed_at IS NULL",
    "access_token.principal_id": "SELECT 1 FROM access_token WHERE principal_id = %s AND revoked_at IS NULL",
    "outside_identity.principal_id": "SELECT 1 FROM outside_identity WHERE principal_id = %s AND ended_at IS NULL",
    "portal_invitation.principal_id": "SELECT 1 FROM portal_invitation WHERE principal_id = %s AND used_at IS NULL"
    " AND revoked_at IS NULL",
    "portal_link.principal_id": "SELECT 1 FROM portal_link WHERE principal_id = %s AND (valid_to IS NULL OR"
    " valid_to > now())",
    "role_assignment.principal_id": "SELECT 1 FROM role_assignment WHERE principal_id = %s AND (valid_to IS NULL OR"
    " valid_to > now())",
    "care_team_member.principal_id": "SELECT 1 FROM care_team_member WHERE principal_id = %s AND (valid_to IS NULL OR"
    " valid_to > now())",
    "break_glass_grant.principal_id": "SELECT 1 FROM break_glass_grant WHERE principal_id = %s AND expires_at > now()",
    "draft.principal_id": "SELECT 1 FROM draft WHERE principal_id = %s",
    "staff.supervisor_id": "SELECT 1 FROM staff WHERE supervisor_id = %s",
}
"""What opens something, or is in somebody's hand: each with the question that finds it alive."""

ON_RECORD = {
    "access_token.created_by",
    "break_glass_grant.reviewed_by",
    "browser_session.identity_id",
    "staff.principal_id",
    "staff_licence.principal_id",
    "appointment_status_event.principal_id",
    "audit_event.principal_id",
    "disclosure.principal_id",
    "outbox_event.principal_id",
    "principal.principal_id",
}
"""What only says who somebody is, or what they did: it stays, and opens nothing."""

_REFERENCES = """
    SELECT c.conrelid::regclass || '.' || a.attname FROM pg_constraint c
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
    WHERE c.contype = 'f' AND c.confrelid IN ('principal'::regclass, 'staff'::regclass, 'outside_identity'::regclass)
    UNION
    SELECT table_name || '.' || column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name ~ '^(principal|owner|assignee|assigned_to|holder|user)(_id)?$'
      AND data_type = 'uuid'
"""


def test_every_table_that_names_somebody_is_known_to_this_test(hub: Hub) -> None:
    found = {name for (name,) in hub.query(_REFERENCES)}
    assert found - ENDED.keys() - ON_RECORD == set(), "does it open something? Then let deactivation end it"
    assert (ENDED.keys() | ON_RECORD) - found == set()


def test_nothing_opens_for_somebody_who_left(practice: Practice) -> None:
    hub = practice.hub
    ada = patient()
    hub.record(ada, observation(ada), location="northgate")
    with hub.logged_in() as admin:
        joan = _joins(admin, practice)
        keys = _every_key(practice, admin, joan, ada["id"])
        for question, alive in _alive(hub, joan["principal_id"]).items():
            assert alive or question in ("access_token.principal_id", *_PORTAL), f"the test gives no {question}"
        for kind, key in keys.items():
            assert key.get("/api/session").status_code == 200, kind
        assert admin.post(f"{API}/principals/{joan['principal_id']}/deactivate").status_code == 204
        for kind, key in keys.items():
            for path in ("/api/session", f"/fhir/Patient/{ada['id']}", "/work", "/"):
                assert key.get(path).status_code == 401, f"{kind} still opens {path}"
        assert not any(_alive(hub, joan["principal_id"]).values())
        with hub.client() as again:
            form = {"name": "joan", "password": OWN_WORDS}
            assert again.post("/login", data=form).status_code == 401
        supervised = admin.get(f"{API}/staff/{joan['pupil']}").json()
        assert supervised["supervisor_id"] is None
        booked = practice.works("front_desk").post("/appointments", practice.visit(practice.registered()))
        assert booked.status_code == 409, "their calendar is closed"
    [(left,)] = hub.query("SELECT detail->>'visits_left' FROM audit_event WHERE action = 'bookable.close'")
    assert left == "1"
    [glass] = hub.query("SELECT reviewed_at FROM break_glass_grant")
    assert glass == (None,), "it still waits to be looked at"


def test_a_program_and_a_feed_behind_it_end_together(practice: Practice) -> None:
    hub = practice.hub
    with hub.logged_in() as admin:
        told = {"name": "gate", "role": "interface", "location_id": str(practice.north.location_id)}
        program = admin.post(f"{API}/programs", json=told).json()
        more = admin.post(f"{API}/programs/{program['principal_id']}/tokens", json={"name": "night"}).json()
        keys = [hub.client(Authorization=f"Bearer {token}") for token in (program["token"], more["token"])]
        for key in keys:
            assert key.post("/ingest/nowhere", content=b"MSH|").status_code == 404, "it may, if there were such a feed"
        assert admin.post(f"{API}/principals/{program['principal_id']}/deactivate").status_code == 204
        for key in keys:
            assert key.post("/ingest/nowhere", content=b"MSH|").status_code == 401
            key.close()
        assert not any(_alive(hub, program["principal_id"]).values())
        path = f"{API}/programs/{program['principal_id']}/tokens"
        assert admin.post(path, json={"name": "again"}).status_code == 409


def test_portal_accounts_end_too(practice: Practice) -> None:
    hub, ada = practice.hub, practice.registered()
    own = comes_in(practice, ada, "ada")
    trusted = comes_in(practice, ada, "carl", "third_party", consent_id=consented(practice, ada))
    waiting = opened(practice, ada, "dora", "third_party", consent_id=consented(practice, ada))
    with hub.logged_in() as admin:
        for name, key in (("ada", own), ("carl", trusted), ("dora", None)):
            [(who,)] = hub.query("SELECT principal_id FROM principal WHERE name = %s", (name,))
            assert key is None or key.get("/my").status_code == 200
            assert admin.post(f"{API}/principals/{who}/deactivate").status_code == 204
            assert key is None or key.get("/my").status_code == 401
            assert not any(_alive(hub, who).values())
    with hub.client() as late:
        assert welcomed(late, "dora", waiting["code"]).status_code == 401
    assert practice.works("front_desk").post(f"/portal/{waiting['link_id']}/invite").status_code == 409


_PORTAL = ("portal_link.principal_id", "portal_invitation.principal_id")


def _joins(admin: httpx.Client, practice: Practice) -> dict[str, Any]:
    """Return a clinician with a pupil and a calendar in which a visit is booked."""
    joan = dict(admin.post(f"{API}/staff", json={"name": "joan", "family": "Rivers", "given": "Joan"}).json())
    role = {"role": "clinician", "location_id": str(practice.south.location_id)}
    assert admin.post(f"{API}/principals/{joan['principal_id']}/roles", json=role).status_code == 201
    pupil = {"name": "tom", "family": "Brook", "given": "Tom", "supervisor_id": joan["principal_id"]}
    joan["pupil"] = admin.post(f"{API}/staff", json=pupil).json()["principal_id"]
    practice.rows(
        "UPDATE bookable SET subject_id = %s WHERE bookable_id = %s",
        joan["practitioner_id"],
        practice.north.clinicians[0],
    )
    practice.booked(practice.registered())
    return joan


def _every_key(
    practice: Practice, admin: httpx.Client, joan: dict[str, Any], patient_id: str
) -> dict[str, httpx.Client]:
    """Return every kind of key that opens something for her; the chart of the patient by an emergency."""
    hub = practice.hub
    who = joan["principal_id"]
    session = practice.stack.enter_context(hub.client())
    form = {"name": "joan", "password": joan["password"], "new_password": OWN_WORDS}
    assert session.post("/login", data=form).status_code == 303
    secret, told = uuid4().hex, {"patient_id": patient_id, "reason": "she lies unconscious in the hall"}
    assert session.post(f"{API}/emergencies", json=told).status_code == 201
    assert session.get(f"/fhir/Patient/{patient_id}").status_code == 200
    assert session.put("/work/drafts/register", json=[["family", "Oka"]]).status_code == 204
    practice.rows(
        "WITH identity AS (INSERT INTO outside_identity (identity_id, principal_id, issuer, claim, value, created_at,"
        " changed_at, version) VALUES (gen_random_uuid(), %(who)s, 'https://login.example', 'sub', 'u-1', now(), now(),"
        " 1) RETURNING identity_id) INSERT INTO browser_session (session_id, principal_id, secret_sha, expires_at,"
        " identity_id) SELECT gen_random_uuid(), %(who)s, sha256(%(secret)s::bytea), now() + interval '1 hour',"
        " identity_id FROM identity".replace("%(who)s", f"'{who}'").replace("%(secret)s", f"'{secret}'")
    )
    colleague = practice.works("clinician")
    ours = practice.registered("Baker", "Ben")
    joins = {"patient_id": ours["patient_id"], "principal_id": who}
    assert colleague.post("/care-teams", joins).status_code == 201
    outside = practice.stack.enter_context(hub.client(Cookie=f"{SESSION_COOKIE}={secret}"))
    return {"session": session, "session of another log-in": outside}


def _alive(hub: Hub, principal_id: Any) -> dict[str, bool]:
    """Return by kind whether anything of somebody still opens, or is in their hand."""
    return {kind: bool(hub.query(question, (principal_id,))) for kind, question in ENDED.items()}
