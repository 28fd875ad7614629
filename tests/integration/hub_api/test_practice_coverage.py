"""Coverages through the API: ranks, ends, cards, and payers asked on demand without anybody waiting."""

from __future__ import annotations

from pipelines import office
from tests.integration.hub_api.practice import JPEG, Practice


def test_a_coverage_is_added_ended_and_taken_back(practice: Practice) -> None:
    desk, ada = practice.works("front_desk"), practice.registered()
    first = practice.insured(ada)
    path = f"/patients/{ada['patient_id']}/coverages"
    again = {"payer_id": str(practice.payer_id), "member_id": "M9", "starts": "2026-06-01"}
    assert desk.post(path, again).status_code == 409
    stale = desk.post(f"/coverages/{first['coverage_id']}/end", {"last_day": "2026-05-31"}, If_Match='"7"')
    assert stale.status_code == 409
    ended = desk.post(f"/coverages/{first['coverage_id']}/end", {"last_day": "2026-05-31"})
    assert ended.json()["valid"] == {"from": "2026-01-01", "before": "2026-06-01"}
    second = desk.post(path, again).json()
    assert [each["member_id"] for each in desk.get(path).json()["coverages"]] == ["M9", "M123"]
    desk.post(f"/coverages/{second['coverage_id']}/take-back")
    assert practice.resource("Coverage", second["coverage_id"])["status"] == "cancelled"
    assert [each["member_id"] for each in desk.get(path).json()["coverages"]] == ["M123"]


def test_coverages_of_elsewhere_are_closed(practice: Practice) -> None:
    held = practice.insured(practice.registered())
    south = practice.works("front_desk", "southgate")
    assert south.post(f"/coverages/{held['coverage_id']}/take-back").status_code == 403
    assert south.get(f"/patients/{held['patient_id']}/coverages").status_code == 403
    assert practice.rows("SELECT is_active FROM coverage") == [(True,)]


def test_a_card_is_kept_sealed_and_shown(practice: Practice) -> None:
    desk, held = practice.works("front_desk"), practice.insured(practice.registered())
    path = f"/api/practice/coverages/{held['coverage_id']}/cards/front"
    assert desk.client.get(path).status_code == 404
    big = JPEG + bytes(3_000_000)
    assert desk.client.put(path, content=big).status_code == 201
    shown = desk.client.get(path)
    assert (shown.headers["content-type"], shown.content) == ("image/jpeg", big)
    assert desk.client.put(path, content=b"<svg>").status_code == 400
    assert desk.client.put(path, content=JPEG + bytes(5_300_000)).status_code == 413
    assert [action[2] for action in practice.audited("coverage.read_card", held["patient_id"])] == ["success"]
    assert JPEG not in bytes(practice.rows("SELECT image FROM coverage_card")[0][0])


def test_a_payer_is_asked_on_demand_and_answers_in_the_background(practice: Practice) -> None:
    biller, held = practice.works("biller"), practice.insured(practice.registered())
    path = f"/coverages/{held['coverage_id']}/eligibility"
    asked = biller.post(path, {"on": "2026-03-10"})
    assert (asked.status_code, asked.json()["state"]) == (202, "queued")
    assert office.ask_payers(practice.hub.installation) == 1
    [check] = biller.get(f"/patients/{held['patient_id']}/coverages").json()["checks"]
    assert (check["state"], check["requested_for"]) == ("active", "2026-03-10")
    assert "answer" not in check
    assert biller.post(path, {"on": "2026-03-10"}).json()["check_id"] == check["check_id"]
    assert practice.works("analyst").post(path, {"on": "2026-03-10"}).status_code == 403
