"""DFT: charges, credits, payments and adjustments, and what is not said by them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.connector import Authority
from connectors.hl7v2.account_entry import PAYMENT_PATIENT
from connectors.hl7v2.charge import PAYER, TRANSACTION_TYPE
from connectors.hl7v2.connector import HL7v2Connector
from hub_core.fhir.canonical import Json
from hub_core.fhir.registry import patient_id
from tests.unit.connectors.hl7v2.samples import PID, message, outcome, resource, resources

EVN = "EVN|P03|20240310"
PV1 = f"PV1|1|O{'|' * 17}V1^^^RIVERBEND^VN"
IN1 = "IN1|1|GOLD|PHP01|Prairie Health Plan"


def dft(*segments: str) -> bytes:
    return message(EVN, PID, PV1, *segments, kind="DFT^P03^DFT_P03")


def ft1(kind: str, *, number: str = "T1", **fields: str) -> str:
    """Return an FT1 of type `kind`; fields are named by their number: `_11="10.00"`."""
    stated = {2: number, 4: "20240309", 6: kind, **{int(name[1:]): value for name, value in fields.items()}}
    return "|".join(["FT1", *(stated.get(place, "") for place in range(1, max(stated) + 1))])


def coding(concept: Json) -> list[tuple[str, str]]:
    return [(each["system"], each["code"]) for each in concept["coding"]]


def extension(owner: Json, url: str) -> Json | None:
    return next((each for each in owner.get("extension", ()) if each["url"] == url), None)


@pytest.mark.parametrize(
    ("fields", "amount"),
    [
        ({"_10": "3", "_11": "90.00", "_12": "31.00"}, "90.00"),
        ({"_10": "3", "_12": "31.10"}, "93.30"),
        ({"_12": "31.10"}, "31.10"),
        ({"_11": "90.5&USD^UP"}, "90.5"),
        ({"_11": "90^USD"}, "90"),
    ],
    ids=["extended", "unit by quantity", "unit alone", "price with its currency", "money"],
)
def test_a_charge_comes_to_its_extended_amount_else_price_by_quantity(fields: dict[str, str], amount: str) -> None:
    charge = resource(dft(ft1("CG", _7="99213^Visit^CPT", **fields)), "ChargeItem")
    assert charge["priceOverride"]["value"] == Decimal(amount)
    assert charge["priceOverride"]["currency"] == "USD"


@pytest.mark.parametrize("written", ["25.00", "-25.00"])
def test_a_credit_is_negative_however_it_is_written(written: str) -> None:
    charge = resource(dft(ft1("CD", _7="99213^Visit^CPT", _11=written)), "ChargeItem")
    assert charge["priceOverride"]["value"] == Decimal("-25.00")
    assert extension(charge, TRANSACTION_TYPE) == {"url": TRANSACTION_TYPE, "valueCode": "CD"}


def test_a_credit_of_the_same_number_leaves_the_charge_where_it_is() -> None:
    charges = resources(dft(ft1("CG", _11="25.00"), ft1("CD", _11="25.00")), "ChargeItem")
    assert len({charge["id"] for charge in charges}) == 2


def test_the_procedure_comes_before_the_house_code() -> None:
    charge = resource(dft(ft1("CG", _7="LVL3^Level 3^L", _25="99213^Visit^CPT", _11="1")), "ChargeItem")
    assert [code for _, code in coding(charge["code"])] == ["99213", "LVL3"]


def test_a_charge_without_a_code_says_so() -> None:
    found = outcome(dft(ft1("CG", _11="1.00")))
    assert [(issue.severity, issue.location) for issue in found.issues] == [("warning", "FT1-7")]
    assert resource(dft(ft1("CG", _11="1.00")), "ChargeItem")["code"] == {"text": "not stated"}


def test_a_charge_is_asked_of_the_insurance_unless_it_names_another_payer() -> None:
    insured = dft(ft1("CG", _11="1.00"), ft1("CG", number="T2", _11="1.00", _14="OTH^Other Plan"), IN1)
    payers = [extension(charge, PAYER) for charge in resources(insured, "ChargeItem")]
    assert [payer["valueReference"]["display"] for payer in payers if payer] == ["Prairie Health Plan", "Other Plan"]
    assert extension(resource(dft(ft1("CG", _11="1.00")), "ChargeItem"), PAYER) is None


def test_a_payer_of_a_payment_is_the_organization_of_the_insurance() -> None:
    (insurance,) = resources(dft(ft1("CG", _11="1.00"), IN1), "Organization")
    payment = resource(dft(ft1("PY", _11="1.00", _14="PHP01^Prairie Health Plan")), "PaymentReconciliation")
    assert payment["paymentIssuer"]["reference"] == f"Organization/{insurance['id']}"


@pytest.mark.parametrize("kind", ["PY", "CO"])
def test_a_payment_is_on_the_chart_of_its_patient_and_of_its_visit(kind: str) -> None:
    body = dft(ft1(kind, _11="40.00"))
    payment, patient, visit = (resource(body, each) for each in ("PaymentReconciliation", "Patient", "Encounter"))
    assert patient_id(payment) == patient["id"]
    assert extension(payment, PAYMENT_PATIENT)
    assert payment["paymentAmount"]["value"] == payment["detail"][0]["amount"]["value"] == Decimal("40.00")
    assert payment["detail"][0]["request"]["reference"] == f"Encounter/{visit['id']}"
    assert "paymentIssuer" not in payment


@pytest.mark.parametrize(
    ("code", "codes"),
    [
        ("45", ["adjustment", "45"]),
        ("CO45", ["adjustment", "45", "CO"]),
        ("PR-3", ["adjustment", "3", "PR"]),
        ("WRITEOFF^Small^L", ["adjustment", "WRITEOFF"]),
        ("", ["adjustment"]),
    ],
)
def test_an_adjustment_says_why_and_moves_no_money(code: str, codes: list[str]) -> None:
    entry = resource(dft(ft1("AJ", _7=code, _11="12.00")), "PaymentReconciliation")
    assert [each for _, each in coding(entry["detail"][0]["type"])] == codes
    assert entry["paymentAmount"]["value"] == 0
    assert entry["detail"][0]["amount"]["value"] == Decimal("12.00")


@pytest.mark.parametrize(
    ("transaction", "place"),
    [
        (ft1("ZZ", _11="1.00"), "FT1-6"),
        (ft1("PY"), "FT1-11"),
        (ft1("PY", _11="1.00", _4=""), "FT1-4"),
    ],
    ids=["unknown type", "no amount", "no day"],
)
def test_what_cannot_be_kept_is_an_error_with_its_place(transaction: str, place: str) -> None:
    found = outcome(dft(transaction))
    assert found.state == "processed"
    assert [(issue.severity, issue.location) for issue in found.issues] == [("error", place)]


def test_a_dft_only_mentions_patient_visit_and_diagnoses() -> None:
    facts = outcome(dft("DG1|1||J02.9^Sore throat^I10C|||F", ft1("CG", _7="1", _11="1.00"))).facts
    spoken = {fact.resource["resourceType"]: fact.authority for fact in facts}
    assert {spoken[each] for each in ("Patient", "Encounter", "Condition")} == {Authority.MENTION}
    assert spoken["ChargeItem"] is Authority.FULL


def test_check_asks_for_transactions_and_their_codes() -> None:
    issues = list(HL7v2Connector().check(dft(ft1("ZZ", _11="ten"))))
    assert [(issue.location, issue.code) for issue in issues] == [
        ("FT1-7", "required"),
        ("FT1-11", "value"),
        ("FT1-6", "code-invalid"),
    ]
    assert "FT1" in [issue.location for issue in HL7v2Connector().check(dft())]
