"""Social security numbers become tokens; nothing else is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub_core.fhir.protected import LAST_FOUR, protect
from hub_core.keyring import Keyring

SSN = "http://hl7.org/fhir/sid/us-ssn"


def patient(*identifiers: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p", "identifier": list(identifiers)}


def test_a_social_security_number_becomes_a_token_and_its_last_four(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    kept = protect(patient({"system": SSN, "value": "123-45-6789"}), keyring.token)["identifier"][0]
    assert kept["value"] == keyring.token("123456789")
    assert kept["extension"] == [{"url": LAST_FOUR, "valueString": "6789"}]
    assert "12345" not in str(kept)


def test_a_number_typed_as_social_security_is_one_under_any_system(tmp_path: Path) -> None:
    identifier = {"system": "urn:id:DESK", "value": "123456789", "type": {"coding": [{"code": "SS"}]}}
    assert protect(patient(identifier), Keyring(tmp_path).token)["identifier"][0]["value"] != "123456789"


def test_other_identifiers_stay_as_they_are(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    record = patient({"system": "urn:id:RIVER", "value": "77"})
    assert protect(record, keyring.token) is record


def test_a_number_inside_another_resource_is_found(tmp_path: Path) -> None:
    number = {"system": SSN, "value": "123456789"}
    coverage = {"resourceType": "Coverage", "id": "c", "beneficiary": {"identifier": number}}
    assert "123456789" not in str(protect(coverage, Keyring(tmp_path).token))


def test_tokens_of_two_installations_do_not_meet(tmp_path: Path) -> None:
    assert Keyring(tmp_path / "a").token("123456789") != Keyring(tmp_path / "b").token("123456789")


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    Keyring(tmp_path / "keys")
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "keys").iterdir()} == {0}
