"""Whatever path is made up from R4's elements: the SQL it is compiled to gives what evaluating it gives."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_core.fhir.canonical import Json, load_object
from hub_core.fhir.elements import Element, elements, is_primitive
from hub_core.fhir.fhirpath.evaluation import compile_path
from pipelines.views.compiler import compile_view
from pipelines.views.definition import read_definition
from pipelines.views.value import ViewRefusedError

TYPES = ("Patient", "Observation", "Encounter", "Claim", "ExplanationOfBenefit", "Procedure", "Immunization")
LITERALS = {
    "boolean": ["true", "false"],
    "decimal": ["1.0", "70.5", "100"],
    "date": ["@2010", "@2015-06", "@2012-01-01"],
    "dateTime": ["@2010", "@2015-06", "@2018-03-04T10:00:00Z"],
    "time": ["@T10:00"],
    **{each: ["0", "1", "3"] for each in ("integer", "positiveInt", "unsignedInt")},
}
TEXTS = ["'official'", "'final'", "'http://loinc.org'", "'active'"]
ONE_OF_MANY = ["", ".first()", ".last()", "[0]", "[1]"]
DEEPEST = 3


@pytest.fixture(scope="module")
def samples(corpora: Path) -> dict[str, list[bytes]]:
    folder = corpora / "fhir" / "synthea-r4-gsd"
    return {each: list(first_lines(folder / f"{each}.ndjson.gz")) for each in TYPES}


def first_lines(path: Path) -> Iterator[bytes]:
    with gzip.open(path) as lines:
        yield from islice(lines, 6)


def named(element: Element, type_name: str) -> str:
    return f"{element.name}.ofType({type_name})" if element.is_choice else element.name


def made_up(chance: Random, owner: str, depth: int = 0) -> str:
    """Return a path to primitives of a type, with a condition or a place in a list here and there."""
    known = [(each, chance.choice(each.types)) for each in elements(owner).values()]
    chance.shuffle(known)
    for element, kind in known:
        if kind in ("Resource", "Extension", "Meta") or (depth == DEEPEST and not is_primitive(kind)):
            continue
        step = named(element, kind) + (chance.choice(ONE_OF_MANY) if element.is_array else "")
        if is_primitive(kind):
            return step
        if chance.random() < 0.3:
            step += f".where({condition(chance, kind)})"
        return f"{step}.{made_up(chance, kind, depth + 1)}"
    return "id"


def condition(chance: Random, owner: str) -> str:
    primitives = [(each, kind) for each in elements(owner).values() for kind in each.types if is_primitive(kind)]
    element, kind = chance.choice(primitives)
    operators = ["=", "!="] if kind == "boolean" else ["=", "!=", "<", "<=", ">", ">="]
    compared = f"{chance.choice(operators)} {chance.choice(LITERALS.get(kind, TEXTS))}"
    said = named(element, kind) + chance.choice([".exists()", ".empty()", f" {compared}", f" {compared}"])
    if chance.random() < 0.3:
        said = f"({said}) {chance.choice(['and', 'or'])} ({condition(chance, owner)})"
    return f"({said}).not()" if chance.random() < 0.2 else said


def by_sql(path: str, owner: str, bodies: list[bytes]) -> list[Any]:
    column = {"name": "found", "path": path, "collection": True}
    view = read_definition({"resource": owner, "select": [{"column": [column]}]})
    sql = compile_view(view).over("(SELECT unnest(?::VARCHAR[]) AS body)")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return [found for (found,) in connection.execute(sql, [[body.decode() for body in bodies]]).fetchall()]


def by_evaluation(path: str, bodies: list[bytes]) -> list[Any]:
    resources: list[Json] = [load_object(body) for body in bodies]
    return [[node.value for node in compile_path(path)(each) if node.value is not None] for each in resources]


def plain(found: list[Any]) -> list[Any]:
    return [[value if isinstance(value, str | bool) else float(value) for value in values] for values in found]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(TYPES), st.booleans())
def test_a_compiled_path_gives_what_the_evaluated_one_gives(
    samples: dict[str, list[bytes]], seed: int, owner: str, is_condition: bool
) -> None:
    chance = Random(seed)  # noqa: S311 - paths, not keys
    path = condition(chance, owner) if is_condition else made_up(chance, owner)
    try:
        found = by_sql(path, owner, samples[owner])
    except ViewRefusedError:
        return
    assert plain(found) == plain(by_evaluation(path, samples[owner])), path
