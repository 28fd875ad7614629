"""The audit trail over FHIR, on pages and as a table; and the accounting of disclosures."""

from __future__ import annotations

import csv
import html
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from hub_api.fhir.audit_event import ACTIONS
from hub_api.workspace.doings import done
from hub_core.auditing.accounting import NOT_ACCOUNTED, PURPOSES
from hub_core.clock import now
from hub_core.fhir.canonical import Json
from tests.integration.hub_api.hub import Hub, link, patient
from tests.integration.hub_api.portal import comes_in
from tests.integration.hub_api.practice import Practice


def events(answer: httpx.Response) -> list[Json]:
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json().get("entry", [])]


def subtypes(found: list[Json]) -> set[str]:
    return {each["subtype"][-1]["code"] for each in found}


def patients_of(event: Json) -> list[str]:
    return [each["what"]["reference"] for each in event.get("entity", []) if "what" in each]


def test_an_event_is_read_as_an_audit_event_of_r4(hub: Hub, admin: httpx.Client) -> None:
    ada = patient()
    hub.record(ada, location="north")
    admin.get(f"/fhir/Patient/{ada['id']}", headers={"X-Purpose-Of-Use": "TREAT"})
    admin.get(f"/fhir/Patient/{'0' * 8}-0000-4000-8000-{'0' * 12}")
    with hub.client() as stranger:
        stranger.get("/fhir/Patient")
    for found in events(admin.get("/fhir/AuditEvent?_count=500")):
        AuditEvent.model_validate(found)
    trail = events(admin.get(f"/fhir/AuditEvent?patient={ada['id']}&type=rest"))
    [event] = (each for each in trail if each["subtype"][-1]["code"] == "resource.read")
    assert (event["type"]["code"], event["action"], event["outcome"]) == ("rest", "R", "0")
    assert [each["code"] for each in event["subtype"]] == ["read", "resource.read"]
    assert event["agent"][0]["name"] == "admin"
    assert event["agent"][0]["purposeOfUse"][0]["coding"][0]["code"] == "TREAT"
    assert event["source"]["site"] == "north"
    assert patients_of(event) == [f"Patient/{ada['id']}"]
    assert admin.get(f"/fhir/AuditEvent/{event['id']}").json() == event
    assert admin.get(f"/fhir/AuditEvent/{ada['id']}").status_code == 404


def test_events_are_found_by_each_parameter_and_by_several_together(hub: Hub, admin: httpx.Client) -> None:
    ada, bo = patient(), patient("Bello", "Bo")
    hub.record(ada, bo)
    [(who,)] = hub.query("SELECT principal_id::text FROM principal WHERE name = 'admin'")
    admin.get(f"/fhir/Patient/{ada['id']}")
    admin.get(f"/fhir/Patient?_id={bo['id']}")
    with hub.program(("front_desk", "north")) as desk:
        assert desk.get(f"/fhir/Patient/{ada['id']}").status_code == 403

    def ask(query: str) -> set[str]:
        return subtypes(events(admin.get(f"/fhir/AuditEvent?{query}")))

    today, later = now().date(), now().date() + timedelta(days=2)
    assert ask(f"patient={ada['id']}") == {"resource.read", "request"}
    assert ask(f"patient=Patient/{ada['id']}&outcome=0") == {"resource.read", "audit.read"}
    assert ask(f"entity=Patient/{ada['id']}&outcome=4") == {"request"}
    assert ask(f"patient={bo['id']}&action=E") == {"resource.search"}
    assert ask(f"patient={bo['id']}&action=R") == {"audit.read"}
    assert ask(f"agent={who}&type=110114") == {"session.open"}
    assert ask("type=http://terminology.hl7.org/CodeSystem/audit-event-type|110114") == set()
    assert "session.open" not in ask("type=rest&_count=500")
    assert ask(f"date=ge{later}") == set()
    assert "request" in ask(f"date=ge{today - timedelta(days=1)}&date=lt{later}")
    assert ask("outcome=0&outcome=4") == set(), "parameters given twice all hold"
    assert admin.get("/fhir/AuditEvent?address=x").status_code == 400
    assert admin.get("/fhir/AuditEvent?date=yesterday").status_code == 400
    form = admin.post("/fhir/AuditEvent/_search", data={"patient": ada["id"], "outcome": "4"})
    assert subtypes(events(form)) == {"request"}


def test_pages_of_events_neither_repeat_nor_miss_one_while_others_are_written(hub: Hub, admin: httpx.Client) -> None:
    ada = patient()
    hub.record(ada)
    for _ in range(7):
        admin.get(f"/fhir/Patient/{ada['id']}")
    wanted = f"/fhir/AuditEvent?patient={ada['id']}&type=rest&action=R&outcome=0&date=le{now():%Y-%m-%dT%H:%M:%SZ}"
    url: str | None = f"{wanted}&_count=3&_total=accurate"
    seen: list[str] = []
    while url:
        answer = admin.get(url)
        seen += [each["id"] for each in events(answer)]
        parts = urlsplit(link(answer.json(), "next") or "")
        url = f"{parts.path}?{parts.query}" if parts.path else None
        admin.get(f"/fhir/Patient/{ada['id']}")
    assert len(seen) == len(set(seen))
    reads = {str(row[0]) for row in hub.query("SELECT event_id FROM audit_event WHERE action = 'resource.read'"
                                              " ORDER BY recorded_at LIMIT 6")}  # fmt: skip
    assert reads <= set(seen)


def test_an_auditor_of_one_place_sees_the_events_of_that_place(hub: Hub) -> None:
    north, south = patient(), patient("Bello", "Bo")
    hub.record(north, location="north")
    hub.record(south, location="south")
    with (
        hub.program(("clinician", None)) as doctor,
        hub.program(("privacy_officer", "north")) as officer,
        hub.program(("clinician", "north")) as other,
    ):
        for each in (north, south):
            doctor.get(f"/fhir/Patient/{each['id']}")
        found = events(officer.get("/fhir/AuditEvent"))
        assert {each["source"]["site"] for each in found} == {"north"}
        assert officer.get("/fhir/AuditEvent?_count=0").json()["total"] == 1
        [(hidden,)] = hub.query("SELECT event_id::text FROM audit_event WHERE patient_id = %s", (south["id"],))
        assert officer.get(f"/fhir/AuditEvent/{hidden}").status_code == 404
        assert events(officer.get(f"/fhir/AuditEvent?patient={south['id']}")) == []
        with hub.program(("clinician", "south")) as stranger:
            assert stranger.get(f"/fhir/Patient/{north['id']}").status_code == 403
        trail = events(officer.get(f"/fhir/AuditEvent?patient={north['id']}&outcome=4"))
        assert subtypes(trail) == {"request"}, "who tried from elsewhere is seen"
        assert officer.get(f"/fhir/AuditEvent/{trail[0]['id']}").status_code == 200
        assert other.get("/fhir/AuditEvent").status_code == 403
        assert other.post("/fhir/AuditEvent/_search").status_code == 403


def test_every_verb_has_one_letter() -> None:
    verbs = [verb for listed in ACTIONS.values() for verb in listed]
    assert len(verbs) == len(set(verbs))


def test_who_saw_a_patient_is_narrowed_paged_and_taken_along(practice: Practice, hub: Hub) -> None:
    ada = practice.registered()
    path = f"/work/patients/{ada['patient_id']}/audit"
    practice.works("front_desk").get(f"/patients/{ada['patient_id']}")
    practice.works("front_desk", "southgate").get(f"/patients/{ada['patient_id']}")
    hub.query(
        "UPDATE principal SET name = '=1+1' WHERE principal_id = %s", (practice.works("front_desk").principal_id,)
    )
    officer = practice.works("privacy_officer").client
    page = html.unescape(officer.get(path).text)
    assert "registered the patient" in page
    assert "front_desk-southgate" in page, "who came from elsewhere is what the trail is read for"
    assert "registered the patient" not in officer.get(path, params={"doing": "patient.read"}).text.split("<table")[1]
    assert "Nothing is on record" in officer.get(path, params={"until": "2020-01-01"}).text
    answer = officer.get(f"{path}/table", params={"doing": "patient.read"})
    assert answer.headers["content-disposition"] == 'attachment; filename="audit-trail.csv"'
    head, *rows = csv.reader(io.StringIO(answer.text))
    assert head[:3] == ["When (UTC)", "Who", "What"]
    assert [row[1:3] for row in rows] == [["'=1+1", done("patient.read")]]
    assert [row[0] for row in practice.audited("audit.export", ada["patient_id"])]
    assert practice.works("clinician").client.get(f"{path}/table").status_code == 403


def test_older_events_are_on_the_next_page(practice: Practice, hub: Hub) -> None:
    ada = practice.registered()
    hub.query(
        "INSERT INTO audit_event (event_id, action, patient_id, outcome, location, recorded_at)"
        " SELECT gen_random_uuid(), 'chart.read', %s, 'success', 'northgate', now() - number * interval '1 day'"
        " FROM generate_series(1, 150) number",
        (ada["patient_id"],),
    )
    officer = practice.works("privacy_officer").client
    first = officer.get(f"/work/patients/{ada['patient_id']}/audit").text
    older = html.unescape(first.rpartition('quiet" href="')[2].partition('"')[0])
    second = officer.get(older).text
    assert first.count("read the whole chart</td>") + second.count("read the whole chart</td>") == 150
    assert ">Older<" not in second


def test_disclosures_are_noted_and_accounted_for_six_years_without_daily_work(practice: Practice, hub: Hub) -> None:
    ada, officer = practice.registered(), practice.works("privacy_officer")
    path = f"/patients/{ada['patient_id']}/disclosures"
    told = {"recipient": "County health department", "description": "a laboratory result", "purpose": "public-health"}
    made = officer.post(path, {**told, "recipient_address": "1 Main St"})
    assert made.status_code == 201, made.text
    for years, purpose in ((5, "judicial"), (7, "research")):
        moment = datetime.now(UTC) - timedelta(days=365.25 * years)
        officer.post(path, {**told, "purpose": purpose, "disclosed_at": moment.isoformat()})
    hub.query(
        "INSERT INTO disclosure (disclosure_id, disclosed_at, patient_id, recipient, description, purpose)"
        " SELECT gen_random_uuid(), now(), %s, 'another clinic', 'a referral', unnest(%s::text[])",
        (ada["patient_id"], sorted(NOT_ACCOUNTED)),
    )
    found = officer.get(path).json()
    assert [each["purpose"] for each in found] == ["judicial", "public-health"]
    assert found[1]["recipient"] == "County health department"
    assert found[1]["recipient_address"] == "1 Main St"
    page = officer.client.get(f"/work/patients/{ada['patient_id']}/disclosures")
    assert "County health department" in page.text
    assert PURPOSES["judicial"] in page.text
    assert "another clinic" not in page.text
    assert [row[0] for row in practice.audited("disclosure.record", ada["patient_id"])] == [officer.principal_id] * 3
    assert len(practice.audited("disclosure.read", ada["patient_id"])) == 2


def test_a_patient_asks_for_their_own_accounting_and_nobody_elses(practice: Practice) -> None:
    ada, ben, officer = practice.registered(), practice.registered("Baker", "Ben"), practice.works("privacy_officer")
    told = {"recipient": "a court", "description": "the chart", "purpose": "judicial"}
    for each in (ada, ben):
        assert officer.post(f"/patients/{each['patient_id']}/disclosures", told).status_code == 201
    client = comes_in(practice, ada, "ada@example.org")
    found = client.get(f"/api/practice/patients/{ada['patient_id']}/disclosures")
    assert [each["recipient"] for each in found.json()] == ["a court"]
    assert "a court" in client.get(f"/work/patients/{ada['patient_id']}/disclosures").text
    for path in (f"/api/practice/patients/{ben['patient_id']}", f"/work/patients/{ben['patient_id']}"):
        assert client.get(f"{path}/disclosures").status_code == 403
    assert practice.audited("request", ben["patient_id"])[-1][2] == "refused"


@pytest.mark.parametrize("wrong", [{"purpose": "TREAT"}, {"disclosed_at": "2999-01-01T00:00:00Z"}, {"recipient": ""}])
def test_what_is_no_accountable_disclosure_is_not_noted(practice: Practice, wrong: dict[str, Any]) -> None:
    ada, officer = practice.registered(), practice.works("privacy_officer")
    told = {"recipient": "a court", "description": "the chart", "purpose": "judicial", **wrong}
    assert officer.post(f"/patients/{ada['patient_id']}/disclosures", told).status_code in (400, 422)
    assert officer.get(f"/patients/{ada['patient_id']}/disclosures").json() == []


def test_who_neither_keeps_privacy_nor_is_the_patient_asks_for_no_accounting(practice: Practice) -> None:
    ada = practice.registered()
    for role, at in (("front_desk", "northgate"), ("clinician", "northgate"), ("privacy_officer", "southgate")):
        answer = practice.works(role, at).get(f"/patients/{ada['patient_id']}/disclosures")  # type: ignore[arg-type]
        assert answer.status_code == 403
    assert practice.audited("disclosure.read") == []
