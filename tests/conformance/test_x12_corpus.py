"""Files that others wrote, and semantics that oxedi and pyx12 agree with: read, mapped, checked."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from connectors.connector import Outcome, Piece
from connectors.x12.adjudicated import AdjudicatedClaim, claim_loops, read_adjudicated
from connectors.x12.connector import X12Connector
from connectors.x12.guide_835 import GUIDE_835
from connectors.x12.loops import read_loops
from connectors.x12.sets import MAPPED
from connectors.x12.tokenizer import tokenise
from connectors.x12.transaction import read_transaction
from hub_core.fhir.canonical import dumps
from tests.unit.connectors.x12.interchanges import ORIGIN, cut, resources

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTOR = X12Connector()


@pytest.fixture
def x12(corpora: Path) -> Path:
    return corpora / "x12"


def messages(file: Path) -> list[bytes]:
    return [each.body for each in cut(file.read_bytes(), limit=1 << 26) if isinstance(each, Piece)]


def outcomes(file: Path) -> Iterator[Outcome]:
    for body in messages(file):
        yield from CONNECTOR.convert(body, ORIGIN)


def remittances(file: Path) -> Iterator[list[AdjudicatedClaim]]:
    for body in messages(file):
        root = read_loops(GUIDE_835, read_transaction(body).segments)
        yield [read_adjudicated(loop) for loop in claim_loops(root)]


def test_no_byte_of_any_file_is_lost(x12: Path) -> None:
    files = [file for file in x12.rglob("*") if file.is_file() and "codesets" not in file.parts]
    assert len(files) > 200
    for file in files:
        body = file.read_bytes()
        assert b"".join(segment.raw for segment in tokenise(BytesIO(body), limit=1 << 26)) == body, file.name


@pytest.mark.parametrize("folder", ["837P", "835", "271"])
def test_nine_of_ten_mapped_versions_are_processed_and_the_rest_say_why(x12: Path, folder: str) -> None:
    states: Counter[str] = Counter()
    for file in sorted((x12 / "samples" / folder).iterdir()):
        for body, outcome in zip(messages(file), outcomes(file), strict=True):
            if read_transaction(body).version in MAPPED.get(outcome.kind, ()):
                states[outcome.state] += 1
            else:
                assert outcome.state in ("filtered", "rejected"), file.name
            if outcome.state != "processed":
                assert outcome.issues, file.name
                assert outcome.issues[-1].text, file.name
    assert states["processed"] / states.total() >= 0.9, states


def test_everything_mapped_is_valid_fhir(x12: Path) -> None:
    seen: Counter[str] = Counter()
    files = [*(x12 / "samples").rglob("*"), *x12.glob("golden_835/*.edi"), *x12.glob("lifecycle/*")]
    files += x12.glob("eligibility/*.271")
    for file in files:
        if not file.is_file() or file.stat().st_size > 100_000:
            continue
        for outcome in outcomes(file):
            for fact in outcome.facts:
                kind = fact.resource["resourceType"]
                get_fhir_model_class(kind).model_validate(json.loads(dumps(fact.resource)))
                seen[kind] += 1
    assert seen["Claim"] > 50
    assert seen["ExplanationOfBenefit"] > 50
    assert seen["CoverageEligibilityResponse"] > 5


def test_references_lead_to_facts_of_the_same_set(x12: Path) -> None:
    for file in [*x12.glob("golden_835/*.edi"), *x12.glob("lifecycle/*.8*"), *x12.rglob("*.271")]:
        for outcome in outcomes(file):
            known = {f"{fact.resource['resourceType']}/{fact.resource['id']}" for fact in outcome.facts}
            assert set(_references([fact.resource for fact in outcome.facts])) <= known


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _references(each)


def test_golden_remittances_have_the_expected_amounts_and_balance(x12: Path) -> None:
    files = sorted((x12 / "golden_835").glob("*.edi"))
    assert len(files) == 16
    for file in files:
        expected = json.loads(file.with_suffix(".json").read_text())
        (claims,) = remittances(file)
        assert [_semantics(claim) for claim in claims] == [_expected(claim) for claim in expected["claims"]], file.name
        (outcome,) = outcomes(file)
        unbalanced = [issue for issue in outcome.issues if issue.location.startswith("BPR")]
        assert (not unbalanced) is expected["transaction_balanced"], file.name
        (payment,) = resources(outcome, "PaymentReconciliation")
        assert payment["paymentAmount"]["value"] == Decimal(expected["payment_amount"])
        assert payment["paymentIdentifier"]["value"] == expected["trace"]
        adjusted = [row["amount"]["value"] for row in payment["detail"] if "response" not in row]
        assert -sum(adjusted, Decimal(0)) == Decimal(expected["plb_total"])


def _semantics(claim: AdjudicatedClaim) -> dict[str, Any]:
    return {
        "pcn": claim.number,
        "status": claim.status,
        "amounts": (claim.charge, claim.paid, claim.stated_share, claim.adjusted("PR"), claim.adjusted("CO")),
        "balanced": (claim.is_balanced, claim.has_all_charges),
        "adjustments": [(each.group, each.reason, each.amount) for each in claim.adjustments],
        "lines": [
            (line.charge, line.paid, line.is_balanced, [(a.group, a.reason, a.amount) for a in line.adjustments])
            for line in claim.lines
        ],
    }


def _expected(claim: dict[str, Any]) -> dict[str, Any]:
    share = claim["patient_responsibility"]
    return {
        "pcn": claim["pcn"],
        "status": claim["status"],
        "amounts": (
            Decimal(claim["charge"]),
            Decimal(claim["paid"]),
            None if share is None else Decimal(share),
            Decimal(claim["pr_total"]),
            Decimal(claim["co_total"]),
        ),
        "balanced": (claim["balanced"], claim["line_charges_match"]),
        "adjustments": _adjustments(claim["claim_adjustments"]),
        "lines": [
            (Decimal(line["charge"]), Decimal(line["paid"]), line["balanced"], _adjustments(line["adjustments"]))
            for line in claim["lines"]
        ],
    }


def _adjustments(rows: list[dict[str, str]]) -> list[tuple[str, str, Decimal]]:
    return [(row["group"], row["carc"], Decimal(row["amount"])) for row in rows]


def test_each_malformed_claim_is_found_where_the_fault_was_put(x12: Path) -> None:
    files = sorted(file for file in (x12 / "malformed_837p").glob("*.edi") if not file.name.startswith("_"))
    assert len(files) == 14
    for file in files:
        expected = json.loads(file.with_suffix(".json").read_text())
        found = [(issue.location, issue.text) for body in messages(file) for issue in CONNECTOR.check(body)]
        assert any(_matches(expected, place, text) for place, text in found), (file.name, found)
    for body in messages(x12 / "malformed_837p" / "_valid_base.edi"):
        assert list(CONNECTOR.check(body)) == []


def _matches(expected: dict[str, Any], place: str, text: str) -> bool:
    """Whether an issue stands where an acknowledgement of the fault would point."""
    if "snip" in expected:
        return text.startswith(f"SNIP {expected['snip']}")
    if "ik3" in expected:
        segment, element = expected["ik3"]["seg"], expected.get("ik4", {}).get("ele", "")
        at = f"{segment}{int(element):02}" if element else segment
        position = expected["ik3"].get("pos")
        return at in f"{place} {text}" and (position is None or place.endswith(f"segment {position}"))
    if "ak905" in expected:
        return place == "GE02"
    if "ik502" in expected:
        return place.startswith({"2": "ST", "3": "SE02", "4": "SE01"}[expected["ik502"][0]])
    return place == "IEA02"


def test_the_lifecycle_of_six_claims_is_told(x12: Path) -> None:
    expected = json.loads((x12 / "lifecycle" / "expected.json").read_text())
    by_name = {
        file.name: list(outcomes(file)) for file in sorted((x12 / "lifecycle").iterdir()) if file.suffix != ".json"
    }
    kinds = {name: (each[0].kind, each[0].state) for name, each in by_name.items()}
    assert kinds == {
        "1_claims.837": ("837P", "processed"),
        "2_ack.ta1": ("TA1", "filtered"),
        "3_ack.999": ("999", "filtered"),
        "4_claimack.277ca": ("277CA", "filtered"),
        "5_remit.835": ("835", "processed"),
    }
    charges = {
        claim["identifier"][0]["value"]: claim["total"]["value"]
        for claim in resources(by_name["1_claims.837"][0], "Claim")
    }
    assert charges == {claim["pcn"]: Decimal(claim["charge"]) for claim in expected["claims"]}
    paid = {
        benefit["claim"]["identifier"]["value"]: benefit["payment"]["amount"]["value"]
        for benefit in resources(by_name["5_remit.835"][0], "ExplanationOfBenefit")
    }
    assert paid == {claim["pcn"]: Decimal(claim["paid"]) for claim in expected["claims"] if claim["paid"] is not None}


def test_an_eligibility_answer_grants_what_is_expected(x12: Path) -> None:
    expected = json.loads((x12 / "eligibility" / "benefits.expected.json").read_text())
    (outcome,) = outcomes(x12 / "eligibility" / "benefits.271")
    (response,), (coverage,) = resources(outcome, "CoverageEligibilityResponse"), resources(outcome, "Coverage")
    (insurance,) = response["insurance"]
    assert (coverage["subscriberId"], coverage["period"]["start"]) == (expected["member_id"], expected["plan_begin"])
    assert (insurance["inforce"], insurance["item"][0]["name"]) == (expected["active"], expected["plan"])
    by_kind: dict[str, list[Any]] = {}
    for item in insurance["item"]:
        by_kind.setdefault(item["extension"][0]["valueCoding"]["code"], []).append(item)
    assert [code for item in by_kind["1"] for code in service_types(item)] == expected["service_types_active"]
    deductible = next(item for item in by_kind["C"] if item["term"]["coding"][-1]["code"] == "29")
    remaining = expected["deductible"]["individual_in_network_remaining"]
    assert deductible["benefit"][0]["allowedMoney"]["value"] == Decimal(remaining)
    assert by_kind["B"][0]["benefit"][0]["allowedMoney"]["value"] == Decimal(expected["copay_office_visit_in_network"])
    assert by_kind["F"][0]["benefit"][0]["allowedUnsignedInt"] == expected["limits"][0]["qty"]
    assert [code for item in by_kind["I"] for code in service_types(item)] == expected["non_covered"]
    assert all(item["excluded"] for item in by_kind["I"])


def test_a_refused_eligibility_request_says_why(x12: Path) -> None:
    expected = json.loads((x12 / "eligibility" / "not_found.expected.json").read_text())["error"]
    (outcome,) = outcomes(x12 / "eligibility" / "not_found.271")
    (response,) = resources(outcome, "CoverageEligibilityResponse")
    (error,) = response["error"]
    assert response["outcome"] == "error"
    assert "inforce" not in response["insurance"][0]
    assert (error["code"]["coding"][0]["code"], error["extension"][0]["valueCode"]) == (
        expected["reason"],
        expected["follow_up"],
    )
    (issue,) = outcome.issues
    assert (issue.severity, issue.location.split()[0]) == ("warning", expected["level"])


def service_types(item: dict[str, Any]) -> list[str]:
    return [coding["code"] for coding in item["category"]["coding"]]
