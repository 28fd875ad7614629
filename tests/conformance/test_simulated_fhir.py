"""Other readers of FHIR R4 take every line of the simulated export: the models of fhir.resources, and fhirkit's rules.

fhir.resources has the models of R4B, which for these types are R4's; fhirkit those of R4 itself. Neither knows the
profiles of US Core, nor what terminology servers would say of the codes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fhirkit
import pytest
from fhir.resources.R4B import get_fhir_model_class

from pipelines.simulation.simulate import simulate

TYPES = {
    "Organization", "Location", "Practitioner", "Patient", "Coverage", "Encounter", "Appointment", "Condition",
    "MedicationRequest", "AllergyIntolerance", "DiagnosticReport", "Observation",
}  # fmt: skip
PEOPLE, SEED = 40, 3
PER_TYPE = 60


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the lines of all nights that are not broken on purpose."""
    out: Path = tmp_path_factory.mktemp("simulated")
    simulate(PEOPLE, SEED, out)
    found = []
    for path in sorted((out / "feeds" / "cardiology").glob("*.ndjson")):
        found += [each for each in path.read_text(encoding="utf-8").split("\n") if each.endswith("}") and is_json(each)]
    return found


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(target := node.get("reference"), str):
            yield target
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def test_every_type_is_exported(lines: list[str]) -> None:
    assert {json.loads(each)["resourceType"] for each in lines} == TYPES


def test_fhirkit_finds_nothing_wrong_and_changes_nothing(lines: list[str]) -> None:
    for text in lines:
        read = fhirkit.parse(text)
        assert [f"{issue.path}: {issue.message}" for issue in read.issues] == []
        assert json.loads(read.to_json(), parse_float=str) == json.loads(text, parse_float=str)


def test_the_models_of_r4_take_them(lines: list[str]) -> None:
    taken: dict[str, int] = {}
    for text in lines:
        resource = json.loads(text)
        kind = resource["resourceType"]
        taken[kind] = taken.get(kind, 0) + 1
        if taken[kind] <= PER_TYPE:
            get_fhir_model_class(kind).model_validate(resource)


def test_all_that_is_referred_to_is_exported(lines: list[str]) -> None:
    resources = [json.loads(each) for each in lines]
    known = {f"{each['resourceType']}/{each['id']}" for each in resources}
    assert {target for each in resources for target in references(each)} <= known
    assert all(re.fullmatch(r"[A-Za-z0-9.-]{1,64}", each["id"]) for each in resources)


def test_versions_of_a_resource_count_up_with_time(lines: list[str]) -> None:
    """A line broken on one night comes again on the next, so that a version may be there twice."""
    seen: dict[str, tuple[int, str]] = {}
    for text in lines:
        resource = json.loads(text)
        key = f"{resource['resourceType']}/{resource['id']}"
        now = (int(resource["meta"]["versionId"]), resource["meta"]["lastUpdated"])
        assert now[0] >= seen.get(key, (0, ""))[0]
        seen[key] = now
    assert any(version > 1 for version, _ in seen.values())


def test_numbers_are_written_digit_for_digit(lines: list[str]) -> None:
    values = [
        json.loads(each, parse_float=str)["valueQuantity"]["value"] for each in lines if '"valueQuantity"' in each
    ]
    assert values
    assert all(len(str(each)) <= 8 for each in values)
