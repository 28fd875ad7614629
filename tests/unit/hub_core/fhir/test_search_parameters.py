"""The search parameters of each type are those of R4 and of US Core, and every one of them has its rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hub_core.fhir import elements, generate_search_parameters
from hub_core.fhir.registry import RESOURCE_TYPES
from hub_core.fhir.search_parameters import (
    KINDS_OF_TYPES,
    Kept,
    codes_of_quantities,
    definition_of,
    parameters_of,
    placed,
)

REFERENCE = Path(__file__).parents[5] / "shared/reference/us-core"


def test_every_parameter_is_answered_from_rows_that_are_stored() -> None:
    for name in RESOURCE_TYPES:
        known = parameters_of(name)
        for each in known.values():
            assert all(known[kept.param].is_stored for kept in each.kept), (name, each.name)
            assert each.kept or each.kind == "composite"
            assert all(known[part].is_stored for group in each.groups for part, _ in group.parts), (name, each.name)


def test_ways_end_in_types_that_can_be_compared_and_references_in_types_that_exist() -> None:
    for name in RESOURCE_TYPES:
        for each in parameters_of(name).values():
            assert all(each.kind in KINDS_OF_TYPES[way.type_name] for way in each.ways)
            assert all(elements.is_resource_type(target) for target in each.targets or ())


def test_nothing_is_said_twice_where_one_row_says_it() -> None:
    patient, observation = parameters_of("Patient"), parameters_of("Observation")
    assert patient["phone"].kept == (Kept("telecom", system="phone"),)
    assert parameters_of("Appointment")["practitioner"].kept == (Kept("actor", target="Practitioner"),)
    assert [kept.param for kept in observation["combo-code"].kept] == ["code", "component-code"]
    assert [name for name, each in observation.items() if each.is_of_patient] == ["patient", "subject"]
    assert placed("Observation") >= {("component", "component-code"), ("component", "component-value-quantity")}


def test_how_a_type_is_indexed_has_a_name() -> None:
    names = {definition_of(name) for name in ("Patient", "Observation", "Encounter")}
    assert len(names) == 3


def test_the_name_is_the_same_in_every_process() -> None:
    program = "from hub_core.fhir.search_parameters import definition_of; print(definition_of('Observation'))"
    said = {
        subprocess.run([sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True).stdout
        for seed in ("1", "2")
    }
    assert said == {f"{definition_of('Observation')}\n".encode()}


def test_the_table_is_what_the_generator_makes() -> None:
    sources = [REFERENCE / "r4" / name for name in ("search-parameters.json", "search-parameters-uscore.json")]
    if not sources[0].exists():
        pytest.skip("the definitions are not here")
    assert generate_search_parameters.generate(sources) == generate_search_parameters.TARGET.read_bytes()


def test_us_core_finds_its_parameters() -> None:
    path = REFERENCE / "uscore/us-core-6.1.0-requirements.json"
    if not path.exists():
        pytest.skip("the requirements are not here")
    for resource in json.loads(path.read_bytes())["resources"]:
        known = {"_id", "_lastUpdated", *parameters_of(resource["type"])}
        assert {each["name"] for each in resource["searchParams"]} <= known, resource["type"]


def test_no_composite_asks_which_repetition_a_reference_stands_in() -> None:
    """`DocumentReference.relationship` does: a reference's row does not say it, so it is not offered."""
    asked = [
        (resource_type, known.name)
        for resource_type in RESOURCE_TYPES
        for known in parameters_of(resource_type).values()
        for group in known.groups
        for name, is_inside in group.parts
        if is_inside and parameters_of(resource_type)[name].kind == "reference"
    ]
    assert asked == []


def test_quantities_are_of_codes_that_are_stored_beside_them() -> None:
    assert codes_of_quantities("Observation") == {
        "value-quantity": "code",
        "component-value-quantity": "component-code",
    }
    for kind in RESOURCE_TYPES:
        known = parameters_of(kind)
        for quantity, code in codes_of_quantities(kind).items():
            assert known[quantity].is_stored
            assert known[code].is_stored
            within = {name: place for place, name in placed(kind)}
            assert within.get(quantity) == within.get(code)
