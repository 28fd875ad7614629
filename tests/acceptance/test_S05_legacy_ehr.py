"""A legacy EHR may stay master of patients and schedule at a location: what it sends is on the day's list, and its own.

Which system is master is configured for each location; where another is, nothing can be changed here but, if wanted,
the flow of the day.
"""

from __future__ import annotations

from hub_core.fhir.canonical import Json
from tests.integration.ehr_pm import legacy
from tests.integration.hub_api.practice import Practice, at_nine


def handed_over(practice: Practice, **more: bool) -> Json:
    """Make the legacy EHR master at northgate, as who runs the whole group does."""
    with practice.hub.logged_in() as group:
        path = f"/api/practice/locations/{practice.north.location_id}"
        version = group.get(path).headers["etag"]
        told = {"patients_from": legacy.SOURCE, "schedule_from": legacy.SOURCE, **more}
        answer = group.put(f"{path}/masters", json=told, headers={"If-Match": version})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def test_what_a_legacy_ehr_books_is_on_the_days_list_and_stays_its_own(practice: Practice) -> None:
    assert handed_over(practice, flow_is_ours=True)["schedule_from"] == legacy.SOURCE
    assert len(practice.audited("location.set_masters")) == 1
    start = at_nine(1)
    legacy.receive(practice.hub.installation, legacy.siu("S12", "1", "7", start))
    desk = practice.works("front_desk")
    day = desk.get(f"/locations/{practice.north.location_id}/day", on=start.date().isoformat()).json()
    [visit] = day["visits"]
    assert (visit["patient"]["name"], visit["patient"]["mrn"]) == ("Ada Okafor", "meditech 7")
    key, patient_id = legacy.visit_id("1"), legacy.patient_id("7")
    assert practice.audited("appointment.receive", patient_id) == [(None, "northgate", "success")]
    sources = "SELECT DISTINCT source FROM resource WHERE resource_id IN (%s, %s)"
    assert practice.rows(sources, key, patient_id) == [(legacy.SOURCE,)]

    refused = desk.post(f"/appointments/{key}/cancel", {"reason": "by telephone"})
    assert (refused.status_code, legacy.SOURCE in refused.text) == (409, True)
    assert desk.post(f"/appointments/{key}/arrive").status_code == 200
    assert practice.resource("Appointment", key)["status"] == "booked"
    assert practice.rows("SELECT kind FROM outbox_event WHERE subject_id = %s", key) == [("appointment.arrived",)]


def test_nobody_registers_or_books_where_another_is_master(practice: Practice) -> None:
    ada = practice.registered()
    handed_over(practice)
    desk = practice.works("front_desk")
    refused = desk.post("/patients", {"patient": practice.person("Bello", "Ben")})
    assert (refused.status_code, legacy.SOURCE in refused.text) == (409, True)
    assert desk.post("/appointments", practice.visit(ada)).status_code == 409
    assert practice.rows("SELECT count(*) FROM appointment") == [(0,)]


def test_a_front_desk_does_not_say_who_is_master(practice: Practice) -> None:
    path = f"/locations/{practice.north.location_id}/masters"
    assert practice.works("front_desk").put(path, {"patients_from": "us"}).status_code == 403
    assert practice.works("administrator").put(path, {"patients_from": "us"}, If_Match='"1"').status_code == 403
