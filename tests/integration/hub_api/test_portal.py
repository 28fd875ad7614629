"""The portal: patients see themselves, others what a consent lets them, and nobody there anything else of the house."""

from __future__ import annotations

from datetime import timedelta

from hub_api.security.policy import PORTAL, RULES
from hub_core.fhir.canonical import Json
from tests.integration.hub_api.hub import observation
from tests.integration.hub_api.portal import PASSWORD, comes_in, consented, opened, welcomed
from tests.integration.hub_api.practice import Practice, today
from tests.integration.hub_api.test_access import filled


def result(practice: Practice, patient: Json, display: str, sensitivity: str | None = None) -> str:
    """Record a result of a patient, and return its id."""
    told = observation({"id": patient["patient_id"]})
    told["code"] = {"text": display}
    practice.hub.record(told, location="northgate")
    if sensitivity:
        practice.rows("UPDATE resource SET sensitivity = %s WHERE resource_id = %s", sensitivity, told["id"])
    return str(told["id"])


def test_a_patient_sees_themselves_and_nobody_else(practice: Practice) -> None:
    ada, ben = practice.registered(), practice.registered("Baker", "Ben")
    mine, others = result(practice, ada, "Glucose"), result(practice, ben, "Sodium")
    practice.insured(ada)
    practice.booked(ada)
    theirs = practice.booked(ben, site=practice.north, bookable_ids=[str(practice.north.clinicians[1])])
    client = comes_in(practice, ada, "ada@example.org")
    page = client.get("/my")
    assert page.status_code == 200
    assert all(words in page.text for words in ("Okafor", "Glucose", "Prairie Mutual", "Follow-up", "front_desk"))
    assert "Baker" not in page.text
    assert "Sodium" not in page.text
    assert client.get("/", follow_redirects=False).headers["location"] == "/my"
    assert [each["role"] for each in client.get("/api/session").json()["roles"]] == ["patient"]
    for path in (
        f"/my/{ben['patient_id']}",
        f"/fhir/Patient/{ben['patient_id']}",
        f"/fhir/Patient/{ben['patient_id']}/$everything",
        f"/fhir/Observation/{others}",
        f"/fhir/Appointment/{theirs['appointment_id']}",
    ):
        assert client.get(path).status_code == 403, path
    assert client.get(f"/fhir/Observation/{mine}").status_code == 200
    for kind in ("Patient", "Observation", "Appointment", "Coverage", "Practitioner", "Location", "Organization"):
        bundle = client.get(f"/fhir/{kind}").json()
        for entry in bundle.get("entry", []):
            assert ada["patient_id"] in str(entry["resource"]), kind
    for query in ("_id=" + ben["patient_id"], "family=Baker", "_total=accurate"):
        found = client.get(f"/fhir/Patient?{query}").json()
        assert [each["resource"]["id"] for each in found.get("entry", [])] in ([], [ada["patient_id"]])
        assert found.get("total", 0) <= 1
    person = practice.rows("SELECT person_id FROM person_member WHERE patient_id = %s", ben["patient_id"])[0][0]
    assert client.get(f"/api/people/{person}/chart").status_code == 403
    assert practice.audited("request", ben["patient_id"])[0][2] == "refused"
    looks = practice.audited("chart.read", ada["patient_id"])
    assert {outcome for _, _, outcome in looks} == {"success"}


def test_the_house_itself_is_closed_to_the_portal(practice: Practice) -> None:
    ada = practice.registered()
    client = comes_in(practice, ada, "ada@example.org")
    closed = {route for route, rule in RULES.items() if rule != "public"} - PORTAL
    assert len(closed) > 80
    for method, path in sorted(closed):
        for address in (filled(path), filled(path.replace("{patient_id}", ada["patient_id"]))):
            answer = client.request(method, address, headers={"Accept": "application/json"})
            assert answer.status_code == 403, f"{method} {path}"
            assert "Okafor" not in answer.text
    assert set(RULES) >= PORTAL


def test_a_code_counts_once_for_its_name_and_for_a_week(practice: Practice) -> None:
    ada = practice.registered()
    first = opened(practice, ada, "ada")
    with practice.hub.client() as client:
        assert client.post("/login", data={"name": "ada", "password": ""}).status_code in (401, 422)
        assert welcomed(client, "ada", "aaaa-bbbb-cccc-dddd-eeee").status_code == 401
        assert welcomed(client, "admin", first["code"]).status_code == 401
        assert welcomed(client, "ada", first["code"], "short").status_code == 400
        assert "Okafor" not in client.get("/welcome").text
        again = practice.works("front_desk").post(f"/portal/{first['link_id']}/invite").json()["code"]
        assert welcomed(client, "ada", first["code"]).status_code == 401, "the code before ended"
        practice.rows("UPDATE portal_invitation SET expires_at = expires_at - interval '8 days'")
        assert welcomed(client, "ada", again).status_code == 401
        practice.rows("UPDATE portal_invitation SET expires_at = expires_at + interval '8 days'")
        assert welcomed(client, "Ada", again.upper().replace("-", " ")).status_code == 303
        practice.rows("DELETE FROM login_attempt")
        assert welcomed(client, "ada", again).status_code == 401, "it was used"
    with practice.hub.client() as client:
        assert client.post("/login", data={"name": "ada", "password": PASSWORD}).status_code == 303
        assert client.get("/my").status_code == 200
    hashed = practice.rows("SELECT password_hash FROM principal WHERE name = 'ada'")[0][0]
    assert hashed.startswith("$argon2id$")
    outcomes = [outcome for _, _, outcome in practice.audited("portal.enter")]
    assert (outcomes.count("success"), outcomes.count("refused")) == (1, 5)


def test_guessing_codes_is_slowed_down(practice: Practice) -> None:
    opened(practice, practice.registered(), "ada")
    with practice.hub.client() as client:
        answers = [welcomed(client, "ada", f"guess-{number}").status_code for number in range(6)]
    assert answers == [401] * 5 + [429]


def test_somebody_else_sees_an_adult_as_long_as_the_consent_stands(practice: Practice) -> None:
    ada = practice.registered()
    result(practice, ada, "Glucose")
    desk = practice.works("front_desk")
    path = f"/patients/{ada['patient_id']}/portal"
    told = {"name": "carl", "relation": "third_party"}
    assert desk.post(path, told).status_code == 409, "no consent"
    treatment = {"kind": "treatment", "state": "given", "effective_on": "2026-01-01"}
    wrong = desk.post(f"/patients/{ada['patient_id']}/consents", treatment).json()["consent_id"]
    assert desk.post(path, {**told, "consent_id": wrong}).status_code == 409, "a consent to something else"
    elsewhere = consented(practice, practice.registered("Baker", "Ben"))
    assert desk.post(path, {**told, "consent_id": elsewhere}).status_code == 409, "somebody else's consent"
    client = comes_in(practice, ada, "carl", "third_party", consent_id=consented(practice, ada))
    page = client.get("/my")
    assert "Glucose" in page.text
    assert "Who has looked" not in page.text
    assert client.get(f"/fhir/Patient/{ada['patient_id']}").status_code == 200
    consented(practice, ada, "withdrawn", effective_on=(today() - timedelta(days=1)).isoformat())
    assert client.get("/my").status_code == 403
    assert client.get(f"/fhir/Patient/{ada['patient_id']}").status_code == 403


def test_who_acts_for_a_minor_sees_what_is_not_confidential_until_they_are_of_age(practice: Practice) -> None:
    born = today().replace(day=1) - timedelta(days=15 * 365)
    mia = practice.registered("Okafor", "Mia", birth_date=born.isoformat())
    result(practice, mia, "Glucose")
    hidden = result(practice, mia, "Chlamydia", "minor")
    made = opened(practice, mia, "rosa", "proxy", until="2999-01-01")
    assert made["valid_to"][:10] == born.replace(year=born.year + 18).isoformat()
    with practice.hub.client() as client:
        assert welcomed(client, "rosa", made["code"]).status_code == 303
        page = client.get("/my").text
        assert "Glucose" in page
        assert "Chlamydia" not in page
        assert client.get(f"/fhir/Observation/{hidden}").status_code == 403
        everything = client.get(f"/fhir/Patient/{mia['patient_id']}/$everything")
        assert "Chlamydia" not in everything.text
        own = comes_in(practice, mia, "mia")
        assert "Chlamydia" in own.get("/my").text
        practice.rows("UPDATE portal_link SET valid_to = now() WHERE relation = 'proxy'")
        assert client.get("/my").status_code == 403


def test_the_desk_ends_it_and_the_sessions_with_it(practice: Practice) -> None:
    ada = practice.registered()
    link = opened(practice, ada, "ada")
    desk, elsewhere = practice.works("front_desk"), practice.works("front_desk", "southgate")
    with practice.hub.client() as client:
        assert welcomed(client, "ada", link["code"]).status_code == 303
        assert elsewhere.post(f"/portal/{link['link_id']}/end").status_code == 403
        assert elsewhere.get(f"/patients/{ada['patient_id']}/portal").status_code == 403
        assert [each["name"] for each in desk.get(f"/patients/{ada['patient_id']}/portal").json()] == ["ada"]
        assert desk.post(f"/portal/{link['link_id']}/end").status_code == 204
        assert client.get("/my").status_code == 401
        assert desk.post(f"/portal/{link['link_id']}/invite").status_code == 409
        assert desk.get(f"/patients/{ada['patient_id']}/portal").json() == []
    actions = ("portal.open", "portal.invite", "portal.close")
    assert all(practice.audited(each, ada["patient_id"]) for each in actions)


def test_a_name_of_somebody_who_works_here_is_no_portal_account(practice: Practice) -> None:
    ada, ben = practice.registered(), practice.registered("Baker", "Ben")
    desk = practice.works("front_desk")
    path = f"/patients/{ada['patient_id']}/portal"
    for name in ("admin", "front_desk-northgate"):
        for more in ({}, {"has_account": True}):
            assert desk.post(path, {"name": name, "relation": "self", **more}).status_code == 409
    opened(practice, ada, "ada")
    assert desk.post(path, {"name": "ada2", "relation": "self"}).status_code == 409, "one account a patient"
    again = {"name": "ada", "relation": "proxy", "consent_id": consented(practice, ben)}
    assert desk.post(f"/patients/{ben['patient_id']}/portal", again).status_code == 409, "it must be said"
    linked = opened(practice, ben, "ADA", "proxy", consent_id=again["consent_id"], has_account=True)
    assert linked["code"] is None
    who = linked["principal_id"]
    with practice.hub.logged_in() as admin:
        role = {"role": "clinician", "location_id": str(practice.north.location_id)}
        assert admin.post(f"/api/practice/principals/{who}/roles", json=role).status_code == 409


def test_a_merge_takes_the_portal_along(practice: Practice) -> None:
    ada, twin = practice.registered(), practice.registered("Okafor", "Ada Maria")
    client = comes_in(practice, twin, "ada")
    with practice.hub.logged_in() as admin:
        told = {"survivor_id": ada["patient_id"], "merged_id": twin["patient_id"], "reason": "one and the same person"}
        made = admin.post("/api/practice/merges", json=told)
        assert made.status_code == 201, made.text
    assert ada["mrn"] in client.get("/my").text


def test_the_page_of_the_desk_does_the_same(practice: Practice) -> None:
    ada = practice.registered()
    desk, biller = practice.works("front_desk").client, practice.works("biller").client
    page = f"/work/patients/{ada['patient_id']}/portal"
    assert page in desk.get(f"/work/patients/{ada['patient_id']}").text
    assert biller.get(page).status_code == biller.post(page, data={"name": "x", "relation": "self"}).status_code == 403
    told = {"name": "carl", "relation": "third_party"}
    assert desk.post(page, data={"name": "not a name!", "relation": "self"}).status_code == 422
    assert desk.post(page, data=told).status_code == 409
    made = desk.post(page, data=told | {"signed": "yes"})
    assert made.status_code == 200
    code = made.text.partition("<code>")[2].partition("</code>")[0]
    assert practice.rows("SELECT kind, state FROM consent") == [("portal-access", "given")]
    with practice.hub.client() as client:
        assert welcomed(client, "carl", code).status_code == 303
        assert client.get("/my").status_code == 200
        [(link,)] = practice.rows("SELECT link_id FROM portal_link")
        assert biller.post(f"/work/portal/{link}/end").status_code == 403
        assert "<code>" in desk.post(f"/work/portal/{link}/invite").text
        assert desk.post(f"/work/portal/{link}/end").headers["location"] == page
        assert client.get("/my").status_code == 401
