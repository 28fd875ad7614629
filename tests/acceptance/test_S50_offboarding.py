"""A staff member who leaves loses access to all of it at once: log-ins, tokens, roles and opened charts, in one act."""

from __future__ import annotations

from tests.integration.hub_api.practice import Practice

OWN_WORDS = "a long walk by the river"


def test_the_next_request_of_who_left_is_refused(practice: Practice) -> None:
    boss, ada = practice.works("administrator"), practice.registered()
    joan = boss.post("/staff", {"name": "joan", "family": "Rivers", "given": "Joan", "npi": "1234567893"}).json()
    role = {"role": "clinician", "location_id": str(practice.north.location_id)}
    given = boss.post(f"/principals/{joan['principal_id']}/roles", role).json()
    with practice.hub.client() as desk, practice.hub.client() as telephone:
        for client in (desk, telephone):
            form = {"name": "joan", "password": OWN_WORDS}
            if client is desk:
                form |= {"password": joan["password"], "new_password": OWN_WORDS}
            assert client.post("/login", data=form).status_code == 303
            assert client.get(f"/fhir/Patient/{ada['patient_id']}").status_code == 200
        assert boss.post(f"/principals/{joan['principal_id']}/deactivate").status_code == 204
        for client in (desk, telephone):
            for path in (f"/fhir/Patient/{ada['patient_id']}", "/work", "/api/session"):
                assert client.get(path).status_code == 401
        assert desk.post("/login", data={"name": "joan", "password": OWN_WORDS}).status_code == 401
    assert (
        practice.rows(
            "SELECT 1 FROM browser_session WHERE principal_id = %s AND closed_at IS NULL", joan["principal_id"]
        )
        == []
    )
    assert practice.resource("Practitioner", joan["practitioner_id"])["active"] is False
    assert practice.resource("PractitionerRole", given["assignment_id"])["active"] is False
    assert practice.audited("staff.deactivate")[0][0] == boss.principal_id
    assert practice.audited("session.open")[-1][2] == "refused"


def test_only_who_runs_the_place_ends_it_and_nobody_for_themselves(practice: Practice) -> None:
    boss, desk = practice.works("administrator"), practice.works("front_desk")
    elsewhere = practice.works("administrator", "southgate")
    path = f"/principals/{desk.principal_id}/deactivate"
    assert elsewhere.post(path).status_code == 403
    assert practice.works("manager").post(path).status_code == 403
    assert boss.post(f"/principals/{boss.principal_id}/deactivate").status_code == 409
    assert practice.audited("staff.deactivate") == []
    assert desk.client.get("/api/session").status_code == 200
