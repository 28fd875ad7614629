"""Pages of how the house is run: organisation, locations, schedule, people and their keys, cards of coverages."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import httpx
import pyotp

from hub_core.principals import set_password
from tests.integration.hub_api.practice import JPEG, Practice, at_nine, today


def text_of(answer: httpx.Response, status: int = 200) -> str:
    assert answer.status_code == status, answer.text
    return html.unescape(answer.text)


def whole_group(practice: Practice) -> httpx.Client:
    """Return an administrator of the whole group, which is a role without a location."""
    admin = practice.works("administrator")
    practice.rows(
        "UPDATE role_assignment SET location_id = NULL WHERE principal_id = %s RETURNING 1", admin.principal_id
    )
    return admin.client


def hire(practice: Practice, name: str = "rosa", family: str = "Lee") -> str:
    told = {"name": name, "family": family, "given": "Rosa"}
    text_of(practice.works("administrator").client.post("/work/users", data=told))
    [(principal_id,)] = practice.rows("SELECT principal_id FROM staff WHERE family = %s", family)
    return str(principal_id)


def test_the_organisation_is_added_to_by_whoever_runs_the_group(practice: Practice) -> None:
    local = practice.works("administrator").client
    payer = {"name": "Blue Lake", "number": "BL1", "filing_indicator": "CI", "takes_claims": "yes"}
    assert "Prairie Mutual Health" in text_of(local.get("/work/organisation"))
    text_of(local.post("/work/organisation/payer", data=payer), 403)
    admin = whole_group(practice)
    assert admin.post("/work/organisation/payer", data=payer).status_code == 303
    assert practice.rows("SELECT takes_claims, answers_eligibility FROM payer WHERE number = 'BL1'") == [(True, False)]
    assert "another payer has this number" in text_of(admin.post("/work/organisation/payer", data=payer), 409).lower()
    [(body,)] = practice.rows("SELECT organization_id FROM organization")
    place = {"name": "Lakeside", "key": "lakeside", "organization_id": str(body), "zone": "America/Chicago"}
    assert admin.post("/work/organisation/location", data=place | {"zone": "Lake Time"}).status_code == 422
    assert admin.post("/work/organisation/location", data=place).status_code == 303
    assert "Lakeside" in text_of(admin.get("/work/organisation"))
    assert practice.audited("location.add")
    text_of(practice.works("front_desk").client.post("/work/organisation/payer", data=payer), 403)


def test_a_location_is_changed_and_two_at_once_see_both(practice: Practice) -> None:
    admin = practice.works("administrator")
    address = f"/work/locations/{practice.north.location_id}"
    version = re.search(r'name="version" value="(\d+)"', text_of(admin.client.get(address)))
    assert version is not None
    told = {"name": "Northgate", "place_of_service": "11", "clia": "24D0404292", "version": version[1]}
    assert admin.client.post(f"{address}/details", data=told).status_code == 303
    assert practice.resource("Location", practice.north.location_id)["identifier"]
    both = text_of(admin.client.post(f"{address}/details", data=told | {"phone": "612-555-0111"}), 409)
    assert "Somebody else changed this meanwhile" in both
    assert "612-555-0111" in both
    hours = {"opens-1": "08:00", "closes-1": "12:00", "opens-1-2": "13:00", "closes-1-2": "17:00"}
    assert admin.client.post(f"{address}/hours", data=hours).status_code == 303
    assert 'name="closes-1-2" value="17:00"' in text_of(admin.client.get(address))
    wrong = text_of(admin.client.post(f"{address}/hours", data=hours | {"opens-1-2": "11:00"}), 422)
    assert "do not overlap" in wrong
    room = {"name": "Room 2", "kind": "room", "capacity": "2"}
    assert admin.client.post(f"{address}/rooms", data=room).status_code == 303
    [(room_id,)] = practice.rows("SELECT room_id FROM room")
    assert admin.client.post(f"{address}/close-room", data={"room": str(room_id)}).status_code == 303
    assert admin.client.post(f"{address}/departments", data={"name": "Paediatrics"}).status_code == 303
    assert "Paediatrics" in text_of(admin.client.get(address))
    elsewhere = practice.works("administrator", "southgate").client
    text_of(elsewhere.post(f"{address}/rooms", data=room), 403)
    assert practice.audited("location.change")[-1] == (admin.principal_id, "northgate", "success")


def test_hours_and_exceptions_make_the_openings(practice: Practice) -> None:
    manager = practice.works("manager").client
    ito = str(practice.north.clinicians[0])
    kind = {"key": "physical", "name": "Physical", "minutes": "60", "minutes_after": "10"}
    assert manager.post("/work/schedule/visit-types", data=kind).status_code == 303
    rule = {"bookable_id": ito, "weekdays": ["6", "7"], "starts": "18:00", "ends": "20:00", "valid_from": str(today())}
    assert manager.post("/work/schedule/rules", data=rule).status_code == 303
    assert practice.rows("SELECT count(*) FROM schedule_rule WHERE starts = '18:00'") == [(2,)]
    [(rule_id,)] = practice.rows("SELECT rule_id FROM schedule_rule WHERE starts = '18:00' LIMIT 1")
    ending = {"rule_id": str(rule_id), "last_day": str(today() + timedelta(days=9))}
    assert manager.post("/work/schedule/end-rule", data=ending).status_code == 303
    start = at_nine(30)
    closing = {
        "bookable_id": ito,
        "starts_at": start.isoformat(timespec="minutes"),
        "ends_at": (start + timedelta(hours=2)).isoformat(timespec="minutes"),
        "is_open": "no",
        "why": "conference",
    }
    text_of(manager.post("/work/schedule/exceptions", data=closing | {"why": ""}), 422)
    assert manager.post("/work/schedule/exceptions", data=closing).status_code == 303
    refused = practice.works("front_desk").post("/appointments", practice.visit(practice.registered(), start))
    assert refused.status_code == 409
    shown = text_of(manager.get("/work/schedule"))
    assert "conference" in shown
    exception = re.search(r'name="exception_id" value="([^"]+)"', shown)
    assert exception is not None
    assert manager.post("/work/schedule/take-back", data={"exception_id": exception[1]}).status_code == 303
    assert practice.works("front_desk").post("/appointments", practice.visit(practice.registered(), start)).is_success
    text_of(practice.works("front_desk").client.post("/work/schedule/rules", data=rule), 403)
    elsewhere = practice.works("manager", "southgate").client
    text_of(elsewhere.post("/work/schedule/rules", data=rule), 403)


def test_a_person_has_licences_a_supervisor_and_roles_with_dates(practice: Practice) -> None:
    admin = practice.works("administrator").client
    boss, rosa = hire(practice, "boss", "Boss"), hire(practice)
    address = f"/work/users/{rosa}"
    told = {
        "family": "Lee",
        "given": "Rosa",
        "npi": "1234567893",
        "taxonomy": "207Q00000X",
        "supervisor_id": boss,
        "licence-state-0": "MN",
        "licence-number-0": "77",
        "licence-expires-0": str(today() + timedelta(days=400)),
        "version": "1",
    }
    assert "is needed" in text_of(admin.post(f"{address}/details", data=told | {"licence-number-0": ""}), 422)
    assert admin.post(f"{address}/details", data=told).status_code == 303
    assert practice.rows("SELECT state, number FROM staff_licence") == [("MN", "77")]
    assert "Somebody else changed this" in text_of(admin.post(f"{address}/details", data=told | {"given": "Rose"}), 409)
    role = {"role": "clinician", "location_id": str(practice.north.location_id)}
    dates = {"valid_from": str(today() + timedelta(days=3)), "valid_to": str(today() + timedelta(days=5))}
    assert admin.post(f"{address}/roles", data=role | dates).status_code == 303
    [(days,)] = practice.rows("SELECT valid_to - valid_from FROM role_assignment WHERE principal_id = %s", rosa)
    assert days == timedelta(days=3)
    again = text_of(admin.post(f"{address}/roles", data=role | dates), 409)
    assert "hold this role there" in again
    said = text_of(admin.post(f"{address}/password"))
    assert "can log in once with" in said
    assert admin.post(f"{address}/deactivate").status_code == 303
    assert "left" in text_of(admin.get(address))
    text_of(practice.works("front_desk").client.get(address), 403)


def test_a_second_factor_is_set_up_with_a_code_and_the_password(practice: Practice) -> None:
    desk = practice.works("front_desk")
    [(name,)] = practice.rows("SELECT name FROM principal WHERE principal_id = %s", desk.principal_id)
    with practice.hub.installation.database.begin() as unit:
        set_password(unit.driver, name, "correct horse battery staple")
    word = {"password": "correct horse battery staple"}
    with practice.hub.client() as client:
        assert client.post("/login", data=word | {"name": name}).status_code == 303
        shown = re.search(r'name="secret" value="([A-Z2-7]{32})"', text_of(client.get("/work/second-factor")))
        assert shown is not None
        told = {"secret": shown[1], "code": "000000", **word}
        assert "not a code" in text_of(client.post("/work/second-factor", data=told), 422)
        right = told | {"code": pyotp.TOTP(shown[1]).now()}
        assert "not your password" in text_of(client.post("/work/second-factor", data=right | {"password": "no"}), 422)
        assert "From now on" in text_of(client.post("/work/second-factor", data=right))
    assert practice.rows("SELECT totp_secret IS NOT NULL FROM principal WHERE name = %s", name) == [(True,)]


def test_both_sides_of_a_card_are_kept_sealed_and_shown_to_those_who_see_coverages(practice: Practice) -> None:
    desk, patient = practice.works("front_desk").client, practice.registered()
    coverage = practice.insured(patient)["coverage_id"]
    address = f"/work/coverages/{coverage}/cards"
    assert "No image yet" in text_of(desk.get(address))
    for side in ("front", "back"):
        answer = desk.post(f"{address}/{side}", files={"image": ("card.jpg", JPEG + side.encode(), "image/jpeg")})
        assert answer.status_code == 303, answer.text
    assert f'src="{address}/front"' in text_of(desk.get(address))
    image = desk.get(f"{address}/back")
    assert (image.content, image.headers["content-type"]) == (JPEG + b"back", "image/jpeg")
    assert image.headers["cache-control"] == "no-store"
    assert f'src="{address}/front"' in text_of(desk.get(f"/work/patients/{patient['patient_id']}"))
    assert not any(JPEG in bytes(sealed) for (sealed,) in practice.rows("SELECT image FROM coverage_card"))
    assert practice.audited("coverage.read_card", patient["patient_id"])
    pdf = {"image": ("card.pdf", b"%PDF-1.7", "application/pdf")}
    assert "JPEG or PNG" in text_of(desk.post(f"{address}/front", files=pdf), 422)
    large = {"image": ("card.jpg", JPEG * 900_000, "image/jpeg")}
    assert desk.post(f"{address}/front", files=large).status_code == 413
    elsewhere = practice.works("front_desk", "southgate").client
    assert elsewhere.get(f"{address}/front").status_code == 403
    assert elsewhere.get(address).status_code == 403


def test_check_in_asks_again_for_a_consent_that_ran_out(practice: Practice) -> None:
    desk, patient = practice.works("front_desk"), practice.registered()
    visit = practice.booked(patient)
    for kind, more in (("treatment", {"expires_on": str(today() - timedelta(days=1))}), ("privacy-notice", {})):
        told = {"kind": kind, "state": "given", "effective_on": "2025-01-01", **more}
        assert desk.post(f"/patients/{patient['patient_id']}/consents", told).is_success
    page = text_of(desk.client.get(f"/work/appointments/{visit['appointment_id']}/check-in"))
    assert 'name="treatment" value="given"' in page
    assert 'name="privacy-notice"' not in page
