"""FHIRPath over resources in memory: every path of the shipped views' rows, beside fhirpathpy with the same paths."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeAlias

import fhirpathpy
from fhirpathpy.models import models

from benchmarks.inputs import ndjson_lines
from benchmarks.measuring import Figure, Work, prefixed, take_turns
from hub_core.fhir.canonical import Json, load_object
from hub_core.fhir.fhirpath.evaluation import compile_path
from pipelines.dbt_models import project_folder

_RESOURCES = 2_000
_FOR_FHIRPATHPY = 10
"""Every so many resources go to fhirpathpy: it takes as long for them as we do for all."""
_OURS_ALONE = ("getReferenceKey", "rowIndex")
"""What SQL-on-FHIR adds to FHIRPath, which fhirpathpy does not have."""

_Path: TypeAlias = Callable[..., list[Any]]


def measure(scale: float) -> Figure:
    """Return evaluations per CPU second of one core; paths are compiled before."""
    lines = ndjson_lines(max(100, int(_RESOURCES * scale)))
    paths = {owner: sorted(texts) for owner, texts in _paths().items()}
    ours = {text: _ours(text) for texts in paths.values() for text in texts}
    theirs: dict[str, _Path] = {text: fhirpathpy.compile(text, model=models["r4"]) for text in ours}
    resources = [load_object(line) for line in lines.items]
    plain: list[Json] = [json.loads(line) for line in lines.items[::_FOR_FHIRPATHPY]]
    _check(resources[::_FOR_FHIRPATHPY], plain, paths, ours, theirs)
    rates = take_turns(
        {
            "wholechart": lambda: _evaluate(resources, paths, ours),
            "fhirpathpy": lambda: _evaluate(plain, paths, theirs),
        }
    )
    return Figure(
        benchmark="fhirpath",
        unit="evaluations per CPU second",
        results=rates.cpu,
        input=f"{lines.name}: {len(resources)} resources, {len(ours)} paths of the shipped views",
        notes="Resources are parsed and paths compiled before. Both give the same values, which the run has checked.",
        details=prefixed("wall, evaluations/s:", rates.wall),
    )


def _paths() -> dict[str, set[str]]:
    """Return the paths of the columns that each shipped view takes from a resource itself, by type."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in (project_folder() / "views").glob("*.ViewDefinition.json"):
        view = load_object(file.read_bytes())
        for select in view["select"]:
            if not select.keys() & {"forEach", "forEachOrNull"}:
                texts = {column["path"] for column in select["column"]}
                found[view["resource"]] |= {text for text in texts if not any(word in text for word in _OURS_ALONE)}
    return found


def _ours(text: str) -> _Path:
    compiled = compile_path(text)
    return lambda resource: [node.value for node in compiled(resource)]


def _evaluate(resources: list[Json], paths: dict[str, list[str]], engine: dict[str, _Path]) -> Work:
    work_list = [(resource, [engine[text] for text in paths[resource["resourceType"]]]) for resource in resources]

    def work() -> int:
        count = 0
        for resource, evaluators in work_list:
            for evaluate in evaluators:
                evaluate(resource)
            count += len(evaluators)
        return count

    return work


def _check(
    resources: list[Json],
    plain: list[Json],
    paths: dict[str, list[str]],
    ours: dict[str, _Path],
    theirs: dict[str, _Path],
) -> None:
    for ours_of, theirs_of in zip(resources, plain, strict=True):
        for text in paths[ours_of["resourceType"]]:
            found, expected = ours[text](ours_of), theirs[text](theirs_of)
            assert json.dumps(found, default=float) == json.dumps(expected, default=float), text
