"""Insurance is verified before the visit: payers are asked for its day when it is booked, and again three days before.

The request (270) and the answer (271) are kept as they were sent; a payer that does not answer holds nobody up.
"""

from __future__ import annotations

import pytest

from pipelines import office
from tests.integration.hub_api.practice import Practice, at_nine


@pytest.mark.parametrize(("member_id", "state"), [("M123", "active"), ("M102", "inactive"), ("M100", "unknown")])
def test_booking_asks_the_payer_about_the_day_of_the_visit(practice: Practice, member_id: str, state: str) -> None:
    desk, ada = practice.works("front_desk"), practice.registered()
    practice.insured(ada, member_id)
    practice.booked(ada)
    path = f"/patients/{ada['patient_id']}/coverages"
    assert [each["state"] for each in desk.get(path).json()["checks"]] == ["queued"]
    assert office.ask_payers(practice.hub.installation) == 1
    [check] = desk.get(path).json()["checks"]
    assert (check["state"], check["requested_for"]) == (state, at_nine().date().isoformat())
    sealed = practice.rows("SELECT request, answer FROM eligibility_check")[0]
    request, answer = (practice.hub.installation.keyring.unseal(bytes(each)) for each in sealed)
    assert f"DTP*291*D8*{at_nine():%Y%m%d}~".encode() in request
    assert b"ST*271*" in answer
    projected = practice.resource("CoverageEligibilityResponse", check["check_id"])
    assert projected["insurance"][0].get("inforce") == {"active": True, "inactive": False}.get(state)
    assert practice.audited("eligibility.answer", ada["patient_id"]) == [(None, "northgate", "success")]


def test_who_does_not_verify_insurance_cannot_ask(practice: Practice) -> None:
    held = practice.insured(practice.registered())
    path = f"/coverages/{held['coverage_id']}/eligibility"
    assert practice.works("biller", "southgate").post(path, {"on": "2026-03-10"}).status_code == 403
    assert practice.rows("SELECT count(*) FROM eligibility_check") == [(0,)]
