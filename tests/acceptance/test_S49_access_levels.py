"""Staff, patients and third parties have their own access: roles at places, one's own record, what a consent allows."""

from __future__ import annotations

from hub_core.access import Role
from tests.integration.hub_api.hub import observation
from tests.integration.hub_api.portal import comes_in, consented, opened
from tests.integration.hub_api.practice import Practice


def test_staff_patient_and_whom_they_trust_see_each_their_part(practice: Practice) -> None:
    ada, ben = practice.registered(), practice.registered("Baker", "Ben")
    result = observation({"id": ada["patient_id"]})
    practice.hub.record(result, location="northgate")
    chart = f"/fhir/Observation/{result['id']}"
    desk, doctor = practice.works("front_desk"), practice.works("clinician")
    assert (desk.client.get(chart).status_code, doctor.client.get(chart).status_code) == (403, 200)
    own = comes_in(practice, ada, "ada@example.org")
    carer = comes_in(practice, ada, "carl", "third_party", consent_id=consented(practice, ada))
    for client in (own, carer):
        assert client.get(chart).status_code == 200
        assert client.get("/my").status_code == 200
        assert client.get(f"/my/{ben['patient_id']}").status_code == 403
        assert client.get("/work").status_code == 403
    assert own.get("/fhir/Coverage").status_code == carer.get("/fhir/Coverage").status_code == 200
    assert "Who has looked" in own.get("/my").text
    stored = practice.rows("SELECT relation, consent_id IS NOT NULL FROM portal_link ORDER BY relation")
    assert stored == [("self", False), ("third_party", True)]
    assert practice.audited("portal.open", ada["patient_id"])[0] == (desk.principal_id, "northgate", "success")
    consent = practice.rows("SELECT consent_id FROM consent WHERE kind = 'portal-access'")[0][0]
    assert practice.resource("Consent", consent)["status"] == "active"
    looked = practice.rows(
        "SELECT count(*) FROM audit_event WHERE patient_id = %s AND action = 'chart.read'", ada["patient_id"]
    )
    assert looked[0][0] >= 2


def test_a_role_is_given_by_who_runs_the_place_and_for_a_time(practice: Practice) -> None:
    boss, desk = practice.works("administrator"), practice.works("front_desk")
    tom = boss.post("/staff", {"name": "tom", "family": "Brook", "given": "Tom"}).json()
    role = {"role": "clinician", "location_id": str(practice.north.location_id)}
    path = f"/principals/{tom['principal_id']}/roles"
    assert desk.post(path, role).status_code == 403
    assert boss.post(path, role | {"location_id": str(practice.south.location_id)}).status_code == 403
    given = boss.post(path, role | {"valid_to": "2999-01-01T00:00:00Z"})
    assert given.status_code == 201
    projected = practice.resource("PractitionerRole", given.json()["assignment_id"])
    assert (projected["active"], projected["period"]["end"][:4]) == (True, "2999")
    assert practice.audited("role.give")[-1] == (boss.principal_id, "northgate", "success")


def test_nobody_is_let_in_by_a_stranger_to_the_patient(practice: Practice) -> None:
    ada = practice.registered()
    path = f"/patients/{ada['patient_id']}/portal"
    told = {"name": "mallory", "relation": "self"}
    strangers: tuple[tuple[Role, str], ...] = (("front_desk", "southgate"), ("biller", "northgate"))
    for role, at in strangers:
        assert practice.works(role, at).post(path, told).status_code == 403
    assert practice.works("front_desk").post(path, told | {"relation": "third_party"}).status_code == 409
    assert practice.rows("SELECT 1 FROM portal_link") == []
    assert ("southgate", "refused") in {event[1:] for event in practice.audited("request", ada["patient_id"])}
    assert opened(practice, ada, "ada")["code"]
