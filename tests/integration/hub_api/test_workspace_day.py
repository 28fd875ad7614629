"""The pages of the front desk at one location: find, register, book, check in, move along; and what it never sees."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.integration.hub_api.hub import Hub
from tests.integration.hub_api.practice import Practice, Worker, open_practice, today

ADA = {
    "family": "Okafor",
    "given": "Ada",
    "birth_date": "1980-04-02",
    "gender": "female",
    "mobile": "612-555-0100",
    "line": "1 Main St",
    "city": "Minneapolis",
    "state": "MN",
    "postal_code": "55401",
}


@pytest.fixture
def practice(hub: Hub) -> Iterator[Practice]:
    with ExitStack() as stack:
        yield open_practice(hub, stack)


@pytest.fixture
def desk(practice: Practice) -> httpx.Client:
    return practice.works("front_desk").client


def text_of(answer: httpx.Response, status: int = 200) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    return html.unescape(answer.text)


def register(client: httpx.Client, **more: str) -> UUID:
    answer = client.post("/work/register", data={**ADA, **more})
    assert answer.status_code == 303, answer.text
    found = re.fullmatch(r"/work/patients/([0-9a-f-]{36})\?done=registered", answer.headers["location"])
    assert found is not None
    return UUID(found[1])


def book(practice: Practice, patient_id: UUID, hour: str = "09:00", days: int = 1) -> UUID:
    client = practice.works("front_desk").client
    asked = {"visit_type": str(practice.visit_type_id), "first": str(today() + timedelta(days=days))}
    shown = text_of(client.get(f"/work/patients/{patient_id}/book", params=asked))
    slots = re.findall(r'name="slot" value="([^"]+)"', shown)
    slot = next(each for each in slots if each.startswith(f"{asked['first']}T{hour}"))
    answer = client.post(f"/work/patients/{patient_id}/book", data={**asked, "slot": slot})
    assert answer.status_code == 303, answer.text
    made = practice.rows("SELECT appointment_id FROM appointment WHERE patient_id = %s ORDER BY created_at", patient_id)
    return UUID(str(made[-1][0]))


def step(client: httpx.Client, visit: UUID, verb: str, **fields: Any) -> httpx.Response:
    return client.post(f"/work/appointments/{visit}/{verb}", data={"day": str(today()), "view": "list", **fields})


def status_of(practice: Practice, visit: UUID) -> str:
    return str(practice.rows("SELECT status FROM appointment WHERE appointment_id = %s", visit)[0][0])


def test_a_day_from_registration_to_check_out(practice: Practice, desk: httpx.Client) -> None:
    patient = register(desk)
    visit = book(practice, patient)
    tomorrow = f"/work?day={today() + timedelta(days=1)}"
    assert "Okafor, Ada" in text_of(desk.get(tomorrow))
    assert "Okafor, Ada" in text_of(desk.get(f"{tomorrow}&view=flow"))
    refused = text_of(desk.post(f"/work/appointments/{visit}/check-in", data={}), 422)
    assert refused.count('class="wrong"') == 4
    confirmed = {"demographics": "yes", "coverage": "yes", "treatment": "given", "privacy-notice": "given"}
    answer = desk.post(f"/work/appointments/{visit}/check-in", data=confirmed)
    assert answer.status_code == 303, answer.text
    assert status_of(practice, visit) == "arrived"
    for verb, status in (("room", "roomed"), ("begin", "in_visit"), ("check-out", "checked_out")):
        assert step(desk, visit, verb).status_code == 303
        assert status_of(practice, visit) == status
    consents = practice.rows("SELECT kind, state FROM consent WHERE patient_id = %s ORDER BY kind", patient)
    assert consents == [("privacy-notice", "given"), ("treatment", "given")]
    assert practice.resource("Appointment", visit)["status"] == "fulfilled"
    who = practice.works("front_desk").principal_id
    assert practice.audited("appointment.checked_out", patient) == [(who, "northgate", "success")]
    assert practice.audited("patient.confirm", patient) == [(who, "northgate", "success")]


def test_every_look_is_on_record_with_the_patient(practice: Practice, desk: httpx.Client) -> None:
    patient = register(desk)
    visit = book(practice, patient)
    tomorrow = str(today() + timedelta(days=1))
    looks: tuple[tuple[str, str, dict[str, str] | None], ...] = (
        ("GET", f"/work/patients/{patient}", None),
        ("GET", f"/work/patients/{patient}/correct", None),
        ("GET", f"/work/patients/{patient}/coverages", None),
        ("GET", f"/work/patients/{patient}/book", None),
        ("GET", f"/work/appointments/{visit}/check-in", None),
        ("GET", f"/work?day={tomorrow}", None),
        ("POST", "/work/find", {"name": "oka"}),
        ("POST", "/work/register", ADA),
    )
    for method, path, form in looks:
        before = len(practice.rows("SELECT 1 FROM audit_event WHERE patient_id = %s", patient))
        assert desk.request(method, path, data=form).status_code in (200, 409)
        after = practice.rows("SELECT location FROM audit_event WHERE patient_id = %s ORDER BY recorded_at", patient)
        assert len(after) == before + 1, path
        assert after[-1] == ("northgate",)


def test_other_locations_are_neither_shown_nor_counted(practice: Practice, desk: httpx.Client) -> None:
    south = practice.works("front_desk", "southgate").client
    elsewhere = register(south)
    for page in ("/work", "/work?location=southgate", "/work/find", "/work/register"):
        assert "Southgate" not in text_of(desk.get(page))
    found = text_of(desk.post("/work/find", data={"name": "okafor"}))
    assert "Nobody you may see fits" in found
    assert str(elsewhere) not in found
    here = register(desk)  # with no word of the one who looks alike
    reason = practice.rows("SELECT created_despite FROM patient WHERE patient_id = %s", here)[0][0]
    assert "does not reach" in reason
    for path in ("", "/correct", "/coverages", "/book"):
        refused = text_of(desk.get(f"/work/patients/{elsewhere}{path}"), 403)
        assert "Okafor" not in refused
    refusals = practice.rows(
        "SELECT patient_id FROM audit_event WHERE outcome = 'refused' AND patient_id = %s", elsewhere
    )
    assert len(refusals) == 4


def test_a_refusal_says_what_is_missing(practice: Practice, desk: httpx.Client) -> None:
    patient = register(desk)
    analyst = practice.works("analyst").client
    refused = text_of(analyst.get(f"/work/patients/{patient}"), 403)
    assert "leave to see patients" in refused
    assert "front desk" in refused
    assert "No location yet" in text_of(analyst.get("/work"))
    assert "/work/find" not in text_of(analyst.get("/work"))


def test_who_looks_alike_is_shown_before_anybody_is_made_twice(practice: Practice, desk: httpx.Client) -> None:
    first = register(desk)
    shown = text_of(desk.post("/work/register", data=ADA), 409)
    assert f"/work/patients/{first}" in shown
    assert "same date of birth" in shown
    assert 'value="1 Main St"' in shown
    assert len(practice.rows("SELECT 1 FROM patient")) == 1
    second = register(desk, despite="her twin, seen with her own papers")
    assert second != first


def test_what_is_wrong_stands_beside_its_field(practice: Practice, desk: httpx.Client) -> None:
    wrong = {**ADA, "birth_date": "2.4.80", "state": "Minnesota", "city": "", "gender": ""}
    shown = text_of(desk.post("/work/register", data=wrong), 422)
    for name in ("birth_date", "state", "city", "gender"):
        assert f'id="{name}-problem"' in shown
        assert re.search(rf'id="{name}"[^>]*aria-invalid="true"', shown)
    assert 'value="Okafor"' in shown
    assert practice.rows("SELECT 1 FROM patient") == []


def test_a_time_is_given_to_one_only(practice: Practice, desk: httpx.Client) -> None:
    one, other = register(desk), register(desk, given="Bola", birth_date="1991-01-01")
    when = str(today() + timedelta(days=1))
    form = {
        "visit_type": str(practice.visit_type_id),
        "slot": f"{when}T10:00 {practice.north.clinicians[0]}",
        "first": when,
    }
    assert desk.post(f"/work/patients/{one}/book", data=form).status_code == 303
    refused = text_of(desk.post(f"/work/patients/{other}/book", data=form), 409)
    assert "taken at that time" in refused
    override = {
        **form,
        "slot": "",
        "override_start": f"{when}T10:00",
        "override_with": str(practice.north.clinicians[0]),
        "override_reason": "came in pain",
    }
    assert "leave to book where something is closed" in text_of(
        desk.post(f"/work/patients/{other}/book", data=override), 403
    )
    manager = practice.works("manager").client
    assert manager.post(f"/work/patients/{other}/book", data=override).status_code == 303
    assert "came in pain" in text_of(manager.get(f"/work?day={when}"))


def test_a_step_that_cannot_be_taken_is_explained(practice: Practice, desk: httpx.Client) -> None:
    visit = book(practice, register(desk))
    assert "cannot become" in text_of(step(desk, visit, "check-out"), 409)
    assert "with a reason" in text_of(step(desk, visit, "cancel"), 409)
    assert step(desk, visit, "cancel", reason="has a cold").status_code == 303
    assert status_of(practice, visit) == "cancelled"
    assert text_of(step(desk, visit, "dance"), 404)


def test_a_visit_is_moved_with_a_reason_or_not_at_all(practice: Practice, desk: httpx.Client) -> None:
    patient = register(desk)
    visit = book(practice, patient)
    on = today() + timedelta(days=1)
    asked = {"visit_type": str(practice.visit_type_id), "moves": str(visit), "first": str(on)}
    assert f"moves={visit}" in text_of(desk.get(f"/work?day={on}"))
    assert "Move a visit" in text_of(desk.get(f"/work/patients/{patient}/book", params=asked))
    form = {**asked, "slot": f"{on}T11:00 {practice.north.clinicians[1]}"}
    assert "Say why it is moved" in text_of(desk.post(f"/work/patients/{patient}/book", data=form), 422)
    assert status_of(practice, visit) == "booked"
    answer = desk.post(f"/work/patients/{patient}/book", data={**form, "reason": "works in the morning"})
    assert answer.status_code == 303
    assert status_of(practice, visit) == "rescheduled"
    moved = practice.rows("SELECT local_start::text FROM appointment WHERE rescheduled_from = %s", visit)
    assert moved == [(f"{on} 11:00:00",)]


def test_corrections_are_kept_unless_somebody_was_faster(practice: Practice, desk: httpx.Client) -> None:
    patient = register(desk)
    form = {**ADA, "given": "Adaeze", "city": "St. Paul", "mobile": "612-555-0199", "version": "1"}
    assert desk.post(f"/work/patients/{patient}/correct", data=form).status_code == 303
    assert "somebody else changed" in text_of(desk.post(f"/work/patients/{patient}/correct", data=form), 409).lower()
    shown = text_of(desk.get(f"/work/patients/{patient}"))
    for said in ("Adaeze", "St. Paul", "612-555-0199"):
        assert said in shown
    assert "Minneapolis" not in shown


def test_a_coverage_is_added_and_its_eligibility_is_not_in_the_way(practice: Practice, desk: httpx.Client) -> None:
    patient = register(desk)
    card = {"payer_id": str(practice.payer_id), "member_id": "M123", "rank": "1", "starts": "2026-01-01"}
    assert desk.post(f"/work/patients/{patient}/coverages", data={**card, "relationship": "spouse"}).status_code == 422
    assert desk.post(f"/work/patients/{patient}/coverages", data=card).status_code == 303
    visit = book(practice, patient)
    shown = text_of(desk.get(f"/work/appointments/{visit}/check-in"))
    assert "Prairie Mutual Health" in shown
    assert "not answered yet" in shown


def test_scripts_are_files_of_ours_and_nothing_of_a_patient_is_in_an_address(desk: httpx.Client) -> None:
    answer = desk.get(f"/work/patients/{register(desk)}")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|javascript:", answer.text)
    for address in re.findall(r'(?:href|action|hx-[a-z]+)="([^"]+)"', answer.text):
        assert not re.search(r"okafor|ada|1980", address, re.IGNORECASE), address


def test_the_chosen_location_is_remembered(practice: Practice, hub: Hub) -> None:
    worker: Worker = practice.works("front_desk")
    practice.rows(
        "INSERT INTO role_assignment SELECT gen_random_uuid(), principal_id, role, %s, valid_from, valid_to,"
        " created_at, created_by, changed_at, changed_by, version FROM role_assignment WHERE principal_id = %s",
        practice.south.location_id,
        worker.principal_id,
    )
    chosen = text_of(worker.client.get("/work", params={"location": "southgate"}))
    assert re.search(r'value="southgate" selected', chosen)
    assert re.search(r'value="southgate" selected', text_of(worker.client.get("/work/find")))
    assert "Northgate" in chosen
