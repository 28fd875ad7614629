"""Several payers of one account: each claim is its own, and says what the payers before it did."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.x12.coverage import RESPONSIBILITY
from connectors.x12.other_payers import PRIOR_ADJUDICATION, PRIOR_ADJUSTMENT
from tests.unit.connectors.x12.interchanges import (
    REMITTANCE_VERSION,
    convert,
    interchange,
    resources,
    transaction_set,
)

BILLING = ("BHT*0019*00*1*20250401*0930*CH", "HL*1**20*1", "NM1*85*2*CLINIC*****XX*1234567893")
PRIMARY = ("HL*2*1*22*0", "SBR*P*18*******CI", "NM1*IL*1*DOE*JO****MI*M1", "NM1*PR*2*PLAN*****PI*P1")
SECONDARY = ("HL*3*1*22*0", "SBR*S*18*******CI", "NM1*IL*1*DOE*JO****MI*M2", "NM1*PR*2*OTHER PLAN*****PI*P2")
CLAIM = ("CLM*C1*100***11:B:1*Y*A*Y*Y", "HI*ABK:J069")
LINE = ("LX*1", "SV1*HC:99213*100*UN*1***1", "DTP*472*D8*20250325")
EARLIER = (
    "SBR*P*18*******CI", "CAS*CO*45*28**97*2*1", "AMT*D*50", "AMT*A8*3", "AMT*EAF*20", "OI***Y***Y",
    "NM1*IL*1*DOE*JO****MI*M1", "NM1*PR*2*PLAN*****PI*P1",
)  # fmt: skip
DECIDED = ("SVD*P1*50*HC:99213**1", "CAS*CO*45*30", "CAS*PR*2*20", "DTP*573*D8*20250410", "AMT*EAF*20")


def extensions(owner: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the values of an element's extensions by the end of their address."""
    found: dict[str, list[Any]] = {}
    for each in owner.get("extension", ()):
        value = next((value for name, value in each.items() if name.startswith("value")), None)
        nested = extensions(each) if "extension" in each else value
        found.setdefault(each["url"].rsplit("/", 1)[-1], []).append(nested)
    return found


def test_the_claim_to_the_secondary_payer_stands_beside_that_to_the_primary() -> None:
    body = interchange(transaction_set(*BILLING, *PRIMARY, *CLAIM, *LINE, *SECONDARY, *CLAIM, *EARLIER, *LINE))
    outcome = convert(body)
    assert [fact.source_id for fact in outcome.facts if fact.resource["resourceType"] == "Claim"] == [
        "1234567893|C1|1",
        "1234567893|C1|1|S|P2",
    ]
    assert {claim["identifier"][0]["value"] for claim in resources(outcome, "Claim")} == {"C1"}
    assert not outcome.issues


def test_each_row_of_insurance_says_when_its_payer_is_asked() -> None:
    (claim,) = resources(convert(interchange(transaction_set(*BILLING, *SECONDARY, *CLAIM, *EARLIER, *LINE))), "Claim")
    rows = [(row["focal"], extensions(row)[RESPONSIBILITY.rsplit("/", 1)[-1]]) for row in claim["insurance"]]
    assert rows == [(False, ["P"]), (True, ["S"])]


def test_what_another_payer_paid_and_did_not_pay_is_kept_for_the_claim() -> None:
    (claim,) = resources(convert(interchange(transaction_set(*BILLING, *SECONDARY, *CLAIM, *EARLIER, *LINE))), "Claim")
    said = extensions(claim["insurance"][0])
    amounts = {name: said[name][0]["value"] for name in ("prior-payment", "non-covered", "remaining-liability")}
    assert amounts == {"prior-payment": 50, "non-covered": 3, "remaining-liability": 20}
    assert said[PRIOR_ADJUSTMENT.rsplit("/", 1)[-1]] == [
        {"group": ["CO"], "reason": ["45"], "amount": [{"value": 28, "currency": "USD"}]},
        {"group": ["CO"], "reason": ["97"], "amount": [{"value": 2, "currency": "USD"}], "quantity": [1]},
    ]


def test_what_another_payer_decided_is_kept_for_the_line() -> None:
    body = interchange(transaction_set(*BILLING, *SECONDARY, *CLAIM, *EARLIER, *LINE, *DECIDED))
    outcome = convert(body)
    (claim,) = resources(outcome, "Claim")
    (decided,) = extensions(claim["item"][0])[PRIOR_ADJUDICATION.rsplit("/", 1)[-1]]
    plan = next(each for each in resources(outcome, "Organization") if each["name"] == "PLAN")
    assert decided["payer"] == [{"reference": f"Organization/{plan['id']}"}]
    assert decided["paid"][0]["value"] == 50
    assert decided["date"] == ["2025-04-10"]
    assert decided["remaining-liability"][0]["value"] == 20
    assert [(each["group"][0], each["amount"][0]["value"]) for each in decided["prior-adjustment"]] == [
        ("CO", 30),
        ("PR", 20),
    ]


def test_a_payer_that_no_insurance_names_stays_a_number() -> None:
    other = [segment.replace("SVD*P1", "SVD*P9") for segment in DECIDED]
    (claim,) = resources(convert(interchange(transaction_set(*BILLING, *PRIMARY, *CLAIM, *LINE, *other))), "Claim")
    (decided,) = extensions(claim["item"][0])[PRIOR_ADJUDICATION.rsplit("/", 1)[-1]]
    assert decided["payer"][0]["value"] == "P9"


@pytest.mark.parametrize(("status", "asked"), [("1", "P"), ("19", "P"), ("2", "S"), ("21", "T"), ("4", None)])
def test_a_remittance_says_as_which_payer_it_answers(status: str, asked: str | None) -> None:
    segments = (
        "BPR*I*0*C*NON************20250512", "TRN*1*E1*1999999999", "N1*PR*PLAN*XV*P1", "N1*PE*CLINIC*XX*1234567893",
        "LX*1", f"CLP*C1*{status}*100*0*0*12*I1*11*1", "CAS*CO*45*100", "NM1*QC*1*DOE*JO****MI*M1",
        "MOA*.8*12.50*MA01***MA18", "DTM*232*20250325",
    )  # fmt: skip
    outcome = convert(interchange(transaction_set(*segments, st01="835"), version=REMITTANCE_VERSION))
    (benefit,) = resources(outcome, "ExplanationOfBenefit")
    (row,) = benefit["insurance"]
    assert extensions(row).get("payer-responsibility") == ([asked] if asked else None)
    figures = [
        (each["code"]["coding"][0]["code"], str(each["valueQuantity"]["value"]))
        for each in benefit["supportingInfo"]
        if each["category"]["coding"][0]["code"] == "adjudication-figure"
    ]
    assert figures == [("MOA01", "0.8"), ("MOA02", "12.50")]


def test_claim_and_remittance_name_the_payer_as_one_organization() -> None:
    claim = convert(interchange(transaction_set(*BILLING, *PRIMARY, *CLAIM, *LINE)))
    segments = (
        "BPR*I*0*C*NON************20250512", "TRN*1*E1*1999999999", "N1*PR*PLAN*XV*P1", "N1*PE*CLINIC*XX*1234567893",
        "LX*1", "CLP*C1*1*100*0*0*12*I1*11*1", "CAS*CO*45*100", "NM1*QC*1*DOE*JO****MI*M1",
    )  # fmt: skip
    remittance = convert(interchange(transaction_set(*segments, st01="835"), version=REMITTANCE_VERSION))
    (asked,), (answering,) = resources(claim, "Claim"), resources(remittance, "ExplanationOfBenefit")
    assert asked["insurer"] == answering["insurer"]
