"""Eligibility answers: who is covered, by what, and what a payer refused to say."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.connector import Authority, Issue, Outcome
from connectors.x12.connector import X12Connector
from hub_core.fhir.canonical import Json
from tests.unit.connectors.x12.interchanges import convert, interchange, resources, transaction_set

BEGIN = ("BHT*0022*11*ASK1*20250422*0701", "HL*1**20*1", "NM1*PR*2*PLAN*****PI*P1", "HL*2*1*21*1",
         "NM1*1P*2*CLINIC*****XX*1234567893")  # fmt: skip
MEMBER = ("HL*3*2*22*0", "TRN*2*T1*9CLINICXXX", "NM1*IL*1*DOE*JO****MI*M1", "DMG*D8*19800214*F")
PARENT = ("HL*3*2*22*1", "NM1*IL*1*DOE*JO****MI*M1")
CHILD = ("HL*4*3*23*0", "TRN*2*T2*9CLINICXXX", "NM1*03*1*DOE*KIT", "DMG*D8*20150606*M", "INS*N*19")
ACTIVE, INACTIVE = "EB*1*IND*30*PR*GOLD PPO", "EB*6**30"


def answer(*segments: str) -> bytes:
    return interchange(transaction_set(*BEGIN, *segments, st01="271"), version="005010X279A1")


def response(*segments: str) -> Json:
    (found,) = resources(convert(answer(*segments)), "CoverageEligibilityResponse")
    return found


def authorities(outcome: Outcome, resource_type: str) -> dict[str, Authority]:
    return {fact.source_id: fact.authority for fact in outcome.facts if fact.resource["resourceType"] == resource_type}


@pytest.mark.parametrize(
    ("benefits", "in_force", "status"),
    [
        ([ACTIVE], True, "active"),
        ([INACTIVE], False, "cancelled"),
        (["EB*6**35", ACTIVE], True, "active"),
        (["EB*B**98***27*25"], None, "active"),
    ],
    ids=["active", "inactive", "one service is not covered", "not said"],
)
def test_the_payer_says_whether_the_coverage_holds(benefits: list[str], in_force: bool | None, status: str) -> None:
    outcome = convert(answer(*MEMBER, *benefits))
    authority = Authority.STUB if in_force is None else Authority.FULL
    assert authorities(outcome, "Coverage") == {"member|P1|M1": authority}
    (found,), (coverage,) = resources(outcome, "CoverageEligibilityResponse"), resources(outcome, "Coverage")
    assert found["insurance"][0].get("inforce") is in_force
    assert coverage["status"] == status


def test_the_member_of_an_answer_is_the_member_of_a_claim() -> None:
    claim = interchange(
        transaction_set(
            "BHT*0019*00*1*20250401*0930*CH", "HL*1**20*1", "NM1*85*2*CLINIC*****XX*1234567893", "HL*2*1*22*1",
            "SBR*P********CI", "NM1*IL*1*DOE*JO****MI*M1", "NM1*PR*2*PLAN*****PI*P1", "HL*3*2*23*0", "PAT*19",
            "NM1*QC*1*DOE*KIT", "DMG*D8*20150606*M", "CLM*C1*10***11:B:1", "LX*1", "SV1*HC:99213*10*UN*1***1",
        )
    )  # fmt: skip
    billed, asked = convert(claim), convert(answer(*PARENT, *CHILD, ACTIVE))
    for resource_type in ("Patient", "Coverage"):
        assert authorities(billed, resource_type).keys() >= authorities(asked, resource_type).keys()
    assert resources(billed, "Claim")[0]["patient"] == resources(asked, "CoverageEligibilityResponse")[0]["patient"]
    assert resources(billed, "Claim")[0]["insurer"] == resources(asked, "CoverageEligibilityResponse")[0]["insurer"]


def test_a_subscriber_who_is_not_asked_about_gets_no_answer() -> None:
    assert response(*PARENT, *CHILD, ACTIVE)["request"]["identifier"]["value"] == "T2"
    both = convert(answer(*PARENT, ACTIVE, *CHILD, ACTIVE))
    assert len(resources(both, "CoverageEligibilityResponse")) == 2


def test_the_plan_is_that_of_the_statement_that_it_is_active() -> None:
    found = response(*MEMBER, "EB*C*IND*30**DENTAL RIDER*23*50", ACTIVE)
    assert [item.get("name") for item in found["insurance"][0]["item"]] == ["GOLD PPO", "DENTAL RIDER"]


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (["DTP*346*D8*20250101", "DTP*347*D8*20251231"], ("2025-01-01", "2025-12-31", None)),
        (["DTP*291*RD8*20250101-20250630"], ("2025-01-01", "2025-06-30", None)),
        (["DTP*291*D8*20250422"], (None, None, "2025-04-22")),
        (["DTP*346*D8*20250101", "DTP*472*D8*20250423"], ("2025-01-01", None, "2025-04-23")),
    ],
)
def test_days_of_the_plan_and_the_day_asked_about_are_told_apart(dates: list[str], expected: tuple[Any, ...]) -> None:
    found = response(*MEMBER, *dates, ACTIVE)
    bounds = found["insurance"][0].get("benefitPeriod", {})
    assert (bounds.get("start"), bounds.get("end"), found.get("servicedDate")) == expected


def test_a_refusal_is_an_error_an_issue_and_only_a_stub_of_a_person() -> None:
    outcome = convert(answer(*MEMBER, "AAA*N**75*C"))
    (found,) = resources(outcome, "CoverageEligibilityResponse")
    assert (found["outcome"], found["disposition"]) == ("error", "refused: member not found")
    assert outcome.state == "processed"
    assert outcome.issues == (
        Issue("warning", "processing", "the payer refused: member not found", "2100C AAA03, segment 11"),
    )
    assert authorities(outcome, "Patient") == {"member|P1|M1": Authority.STUB}


def test_an_answer_with_benefits_and_a_refusal_is_partial() -> None:
    outcome = convert(answer(*MEMBER, ACTIVE, "EB*V**98", "AAA*Y**52*C"))
    (found,) = resources(outcome, "CoverageEligibilityResponse")
    assert (found["outcome"], found["insurance"][0]["inforce"]) == ("partial", True)
    assert authorities(outcome, "Coverage") == {"member|P1|M1": Authority.FULL}


@pytest.mark.parametrize("code", ["50", "ZZ"])
def test_a_payer_that_refuses_before_it_names_anybody_is_heard(code: str) -> None:
    outcome = convert(answer(f"AAA*Y**{code}*N"))
    (found,) = resources(outcome, "CoverageEligibilityResponse")
    assert found["patient"] == {"display": "nobody named"}
    assert found["error"][0]["code"]["coding"][0]["code"] == code
    assert not resources(outcome, "Patient")


def test_an_answer_about_nobody_is_rejected() -> None:
    outcome = convert(answer())
    assert (outcome.state, [issue.location for issue in outcome.issues]) == ("rejected", ["2000B HL, segment 5"])


def test_strangers_without_a_member_number_stay_two() -> None:
    first, second = (convert(answer(f"HL*{level}*2*22*0", "NM1*IL*1*DOE*JO", ACTIVE)) for level in (3, 4))
    assert resources(first, "Patient")[0]["id"] != resources(second, "Patient")[0]["id"]


def test_check_finds_what_an_answer_may_not_say() -> None:
    body = answer(*MEMBER, "EB*1*IND*30*PR*GOLD*23*TEN", "AAA*N**7", "HL*9*1*23*0", "K3*X")
    assert [(issue.location, issue.code) for issue in X12Connector().check(body)] == [
        ("2110 EB07, segment 11", "value"),
        ("2110 AAA03, segment 12", "value"),
        ("2110 AAA04, segment 12", "required"),
        ("HL, segment 13", "required"),
        ("2000D HL02, segment 13", "structure"),
        ("K3, segment 14", "structure"),
    ]
