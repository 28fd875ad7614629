"""Paths nobody here wrote give what another engine (fhirpathpy) says: R4's search parameters and invariants."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.models import models

from hub_core.errors import PathError
from hub_core.fhir.canonical import Json, dumps, load_object
from hub_core.fhir.fhirpath.evaluation import compile_path
from hub_core.fhir.fhirpath.nodes import Node, of_resource
from hub_core.fhir.references import target
from hub_core.fhir.search_parameters import KINDS_OF_TYPES, SearchParameter, Step, _table, parameters_of

R4 = models["r4"]
PER_FILE = 2
"""Resources of each NDJSON file; the examples of US Core are taken whole."""
_RESOLVE = re.compile(r"where\(resolve\(\) is (\w+)\)")


@pytest.fixture(scope="module")
def reference(corpora: Path) -> Path:
    folder = corpora.parent / "reference" / "us-core" / "r4"
    if not folder.is_dir():
        pytest.skip("no reference data beside the corpora")
    return folder


@pytest.fixture(scope="module")
def resources(corpora: Path) -> list[bytes]:
    return list(sample(corpora / "fhir", PER_FILE))


def sample(folder: Path, per_file: int) -> Iterator[bytes]:
    for name in ("synthea-r4-gsd", "smart-bulk-10-patients"):
        for path in sorted((folder / name).glob("*.ndjson.gz")):
            with gzip.open(path) as lines:
                yield from (line for line in islice(lines, per_file) if b'"resourceType"' in line)
    for path in sorted((folder / "us-core-examples").glob("*.json")):
        yield path.read_bytes()


@cache
def compiled_by_other(path: str) -> Any:
    return fhirpathpy.compile(path, model=R4)


def plain(value: Any) -> Any:
    """Return a value so that equal ones of both engines are equal: the other reads numbers as floats."""
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return value if isinstance(value, str | bool | None) else float(value)


def asked_otherwise(path: str) -> str:
    """Return a search parameter's expression in words the other engine has, too, which mean the same.

    It has no `resolve()`, and does not see that a Patient is a Resource.
    """
    by_text = r"where(type = '\1' or reference.matches('(^|/)\1/[^/]+(/_history/[^/]+)?$'))"
    return re.sub(r"\b(Resource|DomainResource)\.", "", _RESOLVE.sub(by_text, path))


def search_expressions(reference: Path) -> dict[str, set[str]]:
    by_type: dict[str, set[str]] = defaultdict(set)
    for entry in json.loads((reference / "search-parameters.json").read_bytes())["entry"]:
        parameter = entry["resource"]
        for base in parameter["base"] if "expression" in parameter else ():
            by_type[base].add(parameter["expression"])
    return by_type


def test_the_expressions_of_all_search_parameters_give_what_another_engine_gives(
    reference: Path, resources: list[bytes]
) -> None:
    by_type = search_expressions(reference)
    assert sum(map(len, by_type.values())) > 1300
    for path in set().union(*by_type.values()):
        compile_path(path)
    found, different = set(), []
    for text in resources:
        ours, theirs = load_object(text), json.loads(text)
        for path in by_type[ours["resourceType"]] | by_type["Resource"] | by_type["DomainResource"]:
            given = [plain(node.value) for node in compile_path(path)(ours)]
            # A primitive that has extensions only is a node here and nothing there.
            if [value for value in given if value is not None] != plain(
                compiled_by_other(asked_otherwise(path))(theirs)
            ):
                different.append((ours["resourceType"], path))
            if given:
                found.add(path)
    assert different == []
    assert len(found) > 230


def constraints(reference: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (path of the element, key, expression) of the invariants of R4's resources."""
    with gzip.open(reference / "profiles-resources.json.gz") as file:
        bundle = json.load(file)
    for entry in bundle["entry"]:
        definition = entry["resource"]
        if definition["resourceType"] == "StructureDefinition" and definition.get("fhirVersion") == "4.0.1":
            for element in definition["snapshot"]["element"]:
                for constraint in element.get("constraint", ()):
                    if "expression" in constraint:
                        yield element["path"], constraint["key"], constraint["expression"]


NOT_COMPILED = {
    "dom-r4b": "asks for types of R4B that R4 does not have",
    "txt-1": "asks for htmlChecks(), which is the validator's",
    "txt-2": "asks for htmlChecks(), which is the validator's",
}
NOT_COMPARED = {
    "dom-3": "uses as() of several things, which the other engine refuses",
    "ctm-1": "uses resolve(), which the other engine does not have",
    "ext-1": "asks for value[x] of an extension, whose type the other engine does not know from its path",
    "ele-1": "is asked of every element, which is most of the time for one question",
}
HAS_VALUE = {"hasValue": {"fn": lambda inputs: len(inputs) == 1 and not isinstance(inputs[0], dict), "arity": {0: []}}}
"""What the other engine lacks."""


def nodes_at(path: str, resource: Json) -> list[Node]:
    below = path.partition(".")[2]
    return compile_path(below)(resource) if below else [of_resource(resource)]


@pytest.mark.slow
def test_invariants_of_r4_are_judged_as_another_engine_judges_them(
    reference: Path, resources: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    by_type: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for path, key, expression in constraints(reference):
        if key in NOT_COMPILED:
            with pytest.raises(PathError):
                compile_path(expression)
        else:
            compile_path(expression)
            by_type[path.partition(".")[0]].append((path, key, expression))
    verdicts, different = Counter[str](), []
    for text in resources:
        ours, theirs = load_object(text), json.loads(text)
        for path, key, expression in by_type[ours["resourceType"]]:
            if "[x]" in path or key in NOT_COMPARED:
                continue
            for node in nodes_at(path, ours)[:2]:
                given = [each.value for each in compile_path(expression).of(node, ours)]
                verdicts[str(given)] += 1
                context = {"resource": theirs, "rootResource": theirs, "context": json_of(node)}
                asked = {"base": path, "expression": expression}
                options = {"userInvocationTable": HAS_VALUE}
                if given != fhirpathpy.evaluate(json_of(node), asked, context, R4, options):
                    different.append((ours["resourceType"], path, key))
    capsys.readouterr()  # the other engine prints what trace() sees
    assert different == []
    assert verdicts["[True]"] > 1200
    assert verdicts["[False]"] > 200


def json_of(node: Node) -> Any:
    return json.loads(json.dumps(node.value, default=float))


READ_OTHERWISE_BY_THE_INDEX = {
    ("Patient", "race"): "the index takes the Coding, so that the code keeps its system",
    ("Patient", "ethnicity"): "the index takes the Coding, so that the code keeps its system",
    ("Condition", "asserted-date"): "US Core says `.valueDateTime`, which FHIRPath does not know of",
}


def reached_by(steps: tuple[Step, ...], value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for each in value:
            yield from reached_by(steps, each)
    elif not steps:
        yield value
    elif isinstance(step := steps[0], tuple):
        if value.get(step[0]) == step[1]:
            yield from reached_by(steps[1:], value)
    elif step in value:
        yield from reached_by(steps[1:], value[step])


def by_ways(parameter: SearchParameter, resource: Json) -> Iterator[Any]:
    for way in parameter.ways:
        for value in reached_by(way.steps, resource):
            found = target(value.get("reference", "")) if way.target else None
            if way.target is None or way.target == (found.resource_type if found else value.get("type")):
                yield value


def test_the_ways_of_the_index_lead_where_the_expressions_lead(resources: list[bytes]) -> None:
    reached, different = set(), set()
    for text in resources:
        resource = load_object(text)
        owner = resource["resourceType"]
        for name, parameter in parameters_of(owner).items():
            if not parameter.ways or parameter.ways[0].type_name == "fact":
                continue
            said = _table().get(owner, {}).get(name) or _table()["Resource"][name]
            nodes = compile_path(said["expression"])(resource)
            expected = {
                dumps(node.value)
                for node in nodes
                if parameter.kind in KINDS_OF_TYPES.get(node.type, ()) and node.value
            }
            if expected:
                reached.add((owner, name))
            if {dumps(value) for value in by_ways(parameter, resource) if value} != expected:
                different.add((owner, name))
    assert different == set(READ_OTHERWISE_BY_THE_INDEX)
    assert len(reached) > 300


@pytest.mark.parametrize(
    ("text", "points_to"), [("Patient/1", "Patient"), ("http://other.example/fhir/Group/2/_history/1", "Group")]
)
def test_the_words_for_resolve_mean_what_a_reference_means(text: str, points_to: str) -> None:
    found = target(text)
    assert found is not None
    assert found.resource_type == points_to
    resource = {"resourceType": "Observation", "subject": {"reference": text}}
    for kind in ("Patient", "Group"):
        path = f"subject.where(resolve() is {kind})"
        ours = [node.value for node in compile_path(path)(resource)]
        assert ours == compiled_by_other(asked_otherwise(path))(resource)
