"""The front office keeps who a patient is (US Core), where they live, how they are reached, who pays and who stands by.

Corrections name the version that was read, so nobody overwrites what another just wrote.
"""

from __future__ import annotations

from tests.integration.hub_api.practice import Practice


def test_demographics_are_kept_and_projected(practice: Practice) -> None:
    desk = practice.works("front_desk")
    told = practice.person(
        races=["2106-3", "2028-9"],
        ethnicity="2186-5",
        birth_sex="F",
        language="es",
        needs_interpreter=True,
        addresses=[{"line": "1 Elm St", "city": "Boston", "state": "MA", "postal_code": "02101"}],
        contacts=[{"kind": "mobile", "value": "+12175550101"}],
        identifiers=[{"system": "urn:oid:1.2.3", "value": "7042", "kind": "MR"}],
    )
    ada = desk.post("/patients", {"patient": told}).json()
    path = f"/patients/{ada['patient_id']}"
    stands_by = {"relationship": "spouse", "family": "Okafor", "given": "Obi", "is_guarantor": True}
    related = desk.post(f"{path}/related", stands_by).json()
    agreed = {"kind": "treatment", "state": "given", "effective_on": "2026-03-02"}
    consent = desk.post(f"{path}/consents", agreed).json()
    practice.insured(ada)

    stored = practice.rows("SELECT family, given, language, races FROM patient")
    assert stored == [("Okafor", "Ada", "es", ["2106-3", "2028-9"])]
    projected = practice.resource("Patient", ada["patient_id"])
    assert projected["birthDate"] == "1980-04-02"
    assert projected["address"][0]["postalCode"] == "02101"
    assert any("us-core-race" in each["url"] for each in projected["extension"])
    assert practice.resource("RelatedPerson", related["related_id"])["patient"]["reference"].endswith(ada["patient_id"])
    assert practice.resource("Consent", consent["consent_id"])["status"] == "active"
    assert practice.audited("patient.register", ada["patient_id"]) == [(desk.principal_id, "northgate", "success")]
    assert [each["given"] for each in desk.get(f"{path}/related").json()] == ["Obi"]
    assert [each["state"] for each in desk.get(f"{path}/consents").json()] == ["given"]


def test_who_may_only_look_corrects_nothing(practice: Practice) -> None:
    ada, biller = practice.registered(), practice.works("biller")
    told = {"family": "X", "given": "Y", "birth_date": "1980-04-02", "gender": "female"}
    assert biller.get(f"/patients/{ada['patient_id']}").status_code == 200
    assert biller.put(f"/patients/{ada['patient_id']}", told, If_Match='"1"').status_code == 403
    assert practice.rows("SELECT family FROM patient") == [("Okafor",)]
