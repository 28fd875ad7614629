"""Work goes on from any browser on any device: plain pages from phone to desk, with nothing to install.

Nothing of a patient stays behind on the device, and pages work without scripts.
"""

from __future__ import annotations

import re

from tests.integration.hub_api.practice import Practice, today

PHONE = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Mobile Safari/604.1"}
OLD = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0"}


def test_one_day_goes_on_from_one_device_to_the_next(practice: Practice) -> None:
    desk = practice.works("front_desk")
    ada = {"family": "Okafor", "given": "Ada", "birth_date": "1980-04-02", "gender": "female"}
    registered = desk.client.post("/work/register", data=ada, headers=OLD)
    assert registered.status_code == 303
    patient = registered.headers["location"].partition("?")[0]
    shown = desk.client.get(patient, headers=PHONE)
    assert shown.status_code == 200
    assert "Okafor, Ada" in shown.text
    asked = {"visit_type": str(practice.visit_type_id), "first": str(today())}
    page = desk.client.get(f"{patient}/book", params=asked, headers=PHONE).text
    slot = re.findall(r'name="slot" value="([^"]+)"', page)[0]
    assert desk.client.post(f"{patient}/book", data={**asked, "slot": slot}, headers=PHONE).status_code == 303
    [(visit, on)] = practice.rows("SELECT appointment_id, local_start::date FROM appointment")
    assert practice.resource("Appointment", visit)["status"] == "booked"
    assert "Okafor, Ada" in desk.client.get(f"/work/calendar?first={on}", headers=OLD).text
    assert practice.audited("appointment.book", patient.rpartition("/")[2]) == [
        (desk.principal_id, "northgate", "success")
    ]


def test_pages_need_nothing_from_elsewhere_and_leave_nothing_behind(practice: Practice) -> None:
    patient = practice.registered()["patient_id"]
    answer = practice.works("front_desk").client.get(f"/work/patients/{patient}", headers=PHONE)
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in answer.text
    named = re.findall(r'(?:src|href|action)="([^"]*)"', answer.text)
    assert [each for each in named if not each.startswith(("/", "#"))] == []
    assert "<script>" not in answer.text
    assert " style=" not in answer.text


def test_a_device_without_a_session_sees_nothing(practice: Practice) -> None:
    patient = practice.registered()["patient_id"]
    with practice.hub.client(**PHONE) as stranger:
        refused = stranger.get(f"/work/patients/{patient}", headers={"Accept": "text/html"})
    assert refused.status_code == 401
    assert "Okafor" not in refused.text
    assert practice.works("front_desk", "southgate").client.get(f"/work/patients/{patient}").status_code == 403
