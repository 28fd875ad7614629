"""Professional claims: both branches of the hierarchy, amounts, and what cannot be kept."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.connector import Authority, Origin
from connectors.x12.connector import X12Connector
from tests.unit.connectors.x12.interchanges import convert, interchange, resources, transaction_set

BILLING = ("BHT*0019*00*1*20250401*0930*CH", "HL*1**20*1", "NM1*85*2*CLINIC*****XX*1234567893")
SUBSCRIBER = ("HL*2*1*22*0", "SBR*P*18*******CI", "NM1*IL*1*DOE*JO****MI*M1", "NM1*PR*2*PLAN*****PI*P1")
LINE = ("LX*1", "SV1*HC:99213*10.10*UN*1***1", "DTP*472*D8*20250325")
CLAIM = ("CLM*C1*10.10***11:B:1*Y*A*Y*Y", "HI*ABK:J069", *LINE)
DEPENDENT = ("HL*3*2*23*0", "PAT*19", "NM1*QC*1*DOE*KIT", "DMG*D8*20150606*M")


def test_subscriber_and_dependent_claims_of_one_family_are_both_read() -> None:
    of_dependent = (*DEPENDENT, "CLM*C2*10.10***11:B:1", *LINE)
    outcome = convert(interchange(transaction_set(*BILLING, *SUBSCRIBER, *CLAIM, *of_dependent)))
    own, of_child = resources(outcome, "Claim")
    assert own["patient"] != of_child["patient"]
    assert [fact.source_id for fact in outcome.facts if fact.resource["resourceType"] == "Patient"] == [
        "member|P1|M1",
        "member|P1|M1|kit|20150606",
    ]


def test_amounts_keep_their_digits() -> None:
    (claim,) = resources(convert(interchange(transaction_set(*BILLING, *SUBSCRIBER, *CLAIM))), "Claim")
    assert str(claim["total"]["value"]) == "10.10"
    assert isinstance(claim["item"][0]["net"]["value"], Decimal)


def test_one_bad_claim_does_not_stop_the_others() -> None:
    outcome = convert(interchange(transaction_set(*BILLING, *SUBSCRIBER, "CLM*C0*ten***11:B:1", *CLAIM)))
    assert outcome.state == "processed"
    assert len(resources(outcome, "Claim")) == 1
    assert outcome.issues[0].location == "2300 CLM02, segment 9"


def test_a_set_of_which_no_claim_can_be_kept_is_rejected_without_facts() -> None:
    outcome = convert(interchange(transaction_set(*BILLING, *SUBSCRIBER, "CLM*C0****11:B:1")))
    assert (outcome.state, outcome.facts) == ("rejected", ())
    assert "missing" in outcome.issues[0].text


def test_the_claim_of_a_dependent_nobody_names_never_becomes_the_subscribers() -> None:
    outcome = convert(interchange(transaction_set(*BILLING, *SUBSCRIBER, "HL*3*2*23*0", "PAT*19", *CLAIM)))
    assert (outcome.state, outcome.facts) == ("rejected", ())
    assert "2010CA" in outcome.issues[0].text


def test_a_number_used_twice_keeps_both_claims_unless_they_are_the_same() -> None:
    other = ("CLM*C1*20***11:B:1", "LX*1", "SV1*HC:99214*20*UN*1***1")
    outcome = convert(interchange(transaction_set(*BILLING, *SUBSCRIBER, *CLAIM, *CLAIM, *other)))
    ids = [fact.source_id for fact in outcome.facts if fact.resource["resourceType"] == "Claim"]
    assert ids == ["1234567893|C1|1", "1234567893|C1|1|2"]
    assert [issue.code for issue in outcome.issues] == ["duplicate", "duplicate"]


def test_a_charge_that_is_not_the_sum_of_its_lines_is_said_and_kept() -> None:
    body = interchange(transaction_set(*BILLING, *SUBSCRIBER, *CLAIM)).replace(b"C1*10.10", b"C1*10.11")
    outcome = convert(body)
    assert outcome.state == "processed"
    assert outcome.issues[0].text.startswith("SNIP 3")


def test_pointers_count_the_diagnoses_as_sent() -> None:
    body = interchange(transaction_set(*BILLING, *SUBSCRIBER, *CLAIM))
    body = body.replace(b"HI*ABK:J069", b"HI*BG:17~HI*ABK:J069*XX:1*ABF:I10").replace(b"UN*1***1", b"UN*1***3:1:2:9")
    (claim,) = resources(convert(body), "Claim")
    assert [each["sequence"] for each in claim["diagnosis"]] == [1, 3]
    assert claim["item"][0]["diagnosisSequence"] == [3, 1]


def test_a_loop_the_guide_does_not_have_lends_its_segments_to_nobody() -> None:
    body = interchange(transaction_set(*BILLING, *SUBSCRIBER, "NM1*ZZ*1*STRANGER", "N4*NOWHERE*XX*00000", *CLAIM))
    payer = resources(convert(body), "Organization")[-1]
    assert "address" not in payer


def test_a_service_with_the_wrong_separator_stays_as_text() -> None:
    outcome = convert(interchange(transaction_set(*BILLING, *SUBSCRIBER, *CLAIM)).replace(b"HC:99213", b"HC>99213"))
    (claim,) = resources(outcome, "Claim")
    assert claim["item"][0]["productOrService"] == {"text": "HC>99213"}
    assert "ISA16" in outcome.issues[0].text


def test_control_characters_never_reach_a_fact() -> None:
    body = interchange(transaction_set(*BILLING, *SUBSCRIBER, *CLAIM)).replace(b"DOE", b"D\0O\r\nE\x7f")
    (patient,) = resources(convert(body), "Patient")
    assert patient["name"][0]["family"] == "DOE"


def test_names_outside_ascii_survive_in_either_encoding() -> None:
    for encoding in ("utf-8", "latin-1"):
        body = (
            interchange(transaction_set(*BILLING, *SUBSCRIBER, *CLAIM)).decode().replace("DOE", "PEÑA").encode(encoding)
        )
        (patient,) = resources(convert(body), "Patient")
        assert patient["name"][0]["family"] == "PEÑA"


@pytest.mark.parametrize("quantity", ["0", "-1", "3", ".000000000001", "999999999999999999"])
def test_a_unit_price_is_stated_in_whole_cents_or_not_at_all(quantity: str) -> None:
    body = interchange(transaction_set(*BILLING, *SUBSCRIBER, *CLAIM)).replace(b"UN*1*", f"UN*{quantity}*".encode())
    (claim,) = resources(convert(body.replace(b"10.10", b"999999999999999999.99")), "Claim")
    price = claim["item"][0].get("unitPrice", {"value": Decimal(0)})["value"]
    assert price == 0 or price * Decimal(quantity) == claim["item"][0]["net"]["value"]


@pytest.mark.parametrize("date", ["00010101", "99991231", "20251301", "2025"])
def test_dates_at_the_edges_of_the_calendar_are_no_trouble(date: str) -> None:
    body = interchange(transaction_set(*BILLING, *SUBSCRIBER, *CLAIM))
    body = body.replace(b"*1*20250401*0930*CH", f"*1*{date}*2359*CH".encode()).replace(
        b"D8*20250325", f"D8*{date}".encode()
    )
    for zone in ("America/Chicago", "Asia/Tokyo"):
        (outcome,) = X12Connector().convert(body, Origin("maple", zone=zone))
        assert outcome.state == "processed"


def test_a_subscriber_is_a_patient_where_a_claim_is_about_them_and_else_a_stub() -> None:
    of_dependent = (*DEPENDENT, "CLM*C2*10.10***11:B:1", *LINE)
    alone = convert(interchange(transaction_set(*BILLING, *SUBSCRIBER, *of_dependent)))
    later = convert(interchange(transaction_set(*BILLING, *SUBSCRIBER, *of_dependent, *SUBSCRIBER, *CLAIM)))
    authorities = [
        {fact.source_id: fact.authority for fact in outcome.facts if fact.resource["resourceType"] == "Patient"}
        for outcome in (alone, later)
    ]
    child = {"member|P1|M1|kit|20150606": Authority.MENTION}
    assert authorities == [{"member|P1|M1": Authority.STUB} | child, {"member|P1|M1": Authority.MENTION} | child]
