"""Remittances: what payers decided stays as they sent it, and what does not add up is said."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.unit.connectors.x12.interchanges import REMITTANCE_VERSION, convert, interchange, resources, transaction_set

HEADER = ("TRN*1*EFT1*1999999999", "N1*PR*PLAN", "N1*PE*CLINIC*XX*1234567893", "LX*1")
PATIENT = "NM1*QC*1*DOE*JO****MI*M1"


def remittance(*segments: str, paid: str = "60") -> bytes:
    payment = f"BPR*I*{paid}*C*ACH************20250512"
    return interchange(transaction_set(payment, *HEADER, *segments, st01="835"), version=REMITTANCE_VERSION)


def total(benefit: dict[str, Any], code: str) -> Decimal:
    (found,) = [each for each in benefit["total"] if each["category"]["coding"][0]["code"] == code]
    amount: Decimal = found["amount"]["value"]
    return amount


def test_allowed_is_what_the_payer_states_else_payment_and_patient_share() -> None:
    lines = (
        "SVC*HC:99213*60*30**1", "CAS*CO*45*20", "CAS*PR*1*10", "AMT*B6*41",
        "SVC*HC:99214*40*30**1", "CAS*CO*45*5", "CAS*PR*2*5",
    )  # fmt: skip
    outcome = convert(remittance("CLP*C1*1*100*60*15*12*I1*11*1", PATIENT, *lines))
    (benefit,) = resources(outcome, "ExplanationOfBenefit")
    allowed = [
        (row["amount"]["value"], row["category"]["text"])
        for item in benefit["item"]
        for row in item["adjudication"]
        if row["category"]["coding"][0]["code"] == "eligible"
    ]
    assert allowed == [(41, "stated by the payer (AMT*B6)"), (35, "computed: payment and patient responsibility")]
    assert (total(benefit, "eligible"), total(benefit, "memberliability")) == (Decimal(76), Decimal(15))


def test_an_unbalanced_claim_is_kept_with_a_warning() -> None:
    outcome = convert(remittance("CLP*C1*1*100*60**12*I1", "CAS*CO*45*39.99", PATIENT))
    assert outcome.state == "processed"
    (issue,) = outcome.issues
    assert (issue.severity, issue.location) == ("warning", "2100 CLP04, segment 7")


def test_the_payment_explains_itself_to_the_cent() -> None:
    outcome = convert(
        remittance("CLP*C1*1*100*60*40*12*I1", "CAS*PR*1*40", PATIENT, "PLB*1*20251231*WO:X*10.5", paid="49.5")
    )
    (payment,) = resources(outcome, "PaymentReconciliation")
    assert (
        sum(row["amount"]["value"] for row in payment["detail"]) == payment["paymentAmount"]["value"] == Decimal("49.5")
    )
    assert outcome.issues == ()


def test_a_payment_that_claims_do_not_explain_is_said() -> None:
    outcome = convert(remittance("CLP*C1*1*60*60**12*I1", PATIENT, paid="61"))
    assert [issue.location for issue in outcome.issues] == ["BPR02, segment 2"]


def test_equal_answers_to_one_claim_stay_two() -> None:
    outcome = convert(remittance("CLP*C1*1*30*30**12*I1", PATIENT, "CLP*C1*1*30*30**12*I1", PATIENT))
    ids = [fact.source_id for fact in outcome.facts if fact.resource["resourceType"] == "ExplanationOfBenefit"]
    assert ids == ["1999999999|EFT1|I1|C1|1|1", "1999999999|EFT1|I1|C1|1|2"]


def test_a_reversal_refers_to_what_it_takes_back() -> None:
    outcome = convert(remittance("CLP*C1*22*-60*-60**12*I1", PATIENT, paid="-60"))
    (benefit,) = resources(outcome, "ExplanationOfBenefit")
    assert benefit["related"][0]["reference"]["value"] == "I1"
    assert total(benefit, "benefit") == -60


def test_a_claim_with_an_amount_that_is_none_is_left_out_and_said() -> None:
    outcome = convert(remittance("CLP*C0*1*x*0**12*I0", PATIENT, "CLP*C1*1*60*60**12*I1", PATIENT))
    assert len(resources(outcome, "ExplanationOfBenefit")) == 1
    assert [issue.location for issue in outcome.issues] == ["2100 CLP03, segment 7"]


def test_a_payment_without_a_number_is_rejected_and_replaces_no_other() -> None:
    outcome = convert(remittance("CLP*C1*1*100*60**12*I1", PATIENT).replace(b"TRN*1*EFT1*", b"TRN*1**"))
    assert (outcome.state, outcome.facts) == ("rejected", ())
    assert outcome.issues[0].location == "TRN02, segment 3"


def test_an_adjustment_of_the_provider_without_a_reason_keeps_its_amount() -> None:
    body = remittance("CLP*C1*1*100*60**12*I1", "CAS*CO*45*40", PATIENT, "PLB*1234567893*20251231*:REF1*5", paid="55")
    (payment,) = resources(convert(body), "PaymentReconciliation")
    assert payment["detail"][-1]["amount"]["value"] == -5
    assert [coding["code"] for coding in payment["detail"][-1]["type"]["coding"]] == ["adjustment"]


def test_a_remittance_without_payer_is_rejected() -> None:
    body = remittance("CLP*C1*1*60*60**12*I1", PATIENT).replace(b"N1*PR*PLAN~", b"")
    outcome = convert(body)
    assert (outcome.state, outcome.facts) == ("rejected", ())
    assert "1000A N1*PR" in {issue.location for issue in outcome.issues}


def test_a_patient_who_is_not_the_insured_is_somebody_else() -> None:
    segments = ("CLP*C1*1*60*60**12*I1", "NM1*QC*1*DOE*KIT", "NM1*IL*1*DOE*JO****MI*M1")
    (patient,) = [f for f in convert(remittance(*segments)).facts if f.resource["resourceType"] == "Patient"]
    assert patient.source_id == "member|1999999999|M1|kit|"
