"""Clinical and administrative data stand under one decision: for pages, interfaces, feeds, numbers and exports."""

from __future__ import annotations

from uuid import UUID

from hub_core.access import Role
from tests.integration.hub_api.hub import observation
from tests.integration.hub_api.practice import Practice

ADT = b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1\rPID|1||1^^^A^MR||Okafor^Ada\r"


def test_a_role_reaches_the_same_by_every_way_in(practice: Practice) -> None:
    ada = practice.registered()
    visit, coverage = practice.booked(ada), practice.insured(ada)
    result = observation({"id": ada["patient_id"]})
    practice.hub.record(result, location="northgate")
    clinical = (f"/fhir/Observation/{result['id']}", f"/work/patients/{ada['patient_id']}/chart")
    administrative = (f"/fhir/Coverage/{coverage['coverage_id']}", f"/work/patients/{ada['patient_id']}")
    expected: dict[Role, tuple[int, int]] = {"clinician": (200, 200), "front_desk": (403, 200), "analyst": (403, 403)}
    for role, (chart, desk) in expected.items():
        client = practice.works(role).client
        assert {client.get(path).status_code for path in clinical} == {chart}, role
        assert {client.get(path).status_code for path in administrative} == {desk}, role
        elsewhere = practice.works(role, "southgate").client
        assert {elsewhere.get(path).status_code for path in (*clinical, *administrative)} == {403}, role
    assert practice.resource("Appointment", visit["appointment_id"])["status"] == "booked"
    who = practice.works("analyst").principal_id
    refused = practice.rows(
        "SELECT count(*) FROM audit_event WHERE principal_id = %s AND outcome = 'refused' AND patient_id = %s",
        who,
        UUID(ada["patient_id"]),
    )
    assert refused[0][0] >= 1


def test_numbers_listeners_and_exports_ask_the_same_decision(practice: Practice) -> None:
    analyst = practice.works("analyst").client.get("/api/session").json()
    desk = practice.works("front_desk").client.get("/api/session").json()
    assert analyst["report_locations"] == ["northgate"], "and no total of another location"
    assert {"report.read", "export.run"} <= set(analyst["actions"])
    assert desk["report_locations"] == []
    assert "export.run" not in desk["actions"]
    expected: dict[Role, int] = {"interface": 404, "analyst": 403, "clinician": 403}
    for role, status in expected.items():
        answer = practice.works(role).client.post("/ingest/no-such-feed", content=ADT)
        assert answer.status_code == status, role
    ada = practice.registered()
    everything = f"/fhir/Patient/{ada['patient_id']}/$everything"
    assert practice.works("clinician").client.get(everything).status_code == 200
    assert practice.works("analyst").client.get(everything).status_code == 403
    assert practice.works("analyst").client.post("/api/marts/patients/trace", json={"key": "x"}).status_code == 403
