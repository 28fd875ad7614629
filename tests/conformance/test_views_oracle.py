"""Our views give, row for row, what evaluating each of their paths over each resource gives."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import fhirpathpy
import pytest
from fhirpathpy.models import models

from hub_core.fhir import canonical
from hub_core.fhir.canonical import Json, load_object
from hub_core.fhir.fhirpath.evaluation import compile_path
from hub_core.fhir.fhirpath.nodes import Node
from pipelines.dbt_models import project_folder
from pipelines.views.compiler import compile_view
from pipelines.views.definition import read_definition
from pipelines.views.files import open_resources
from tests.conformance.test_sql_on_fhir import cases
from tests.rare import rare_resources_of

VIEWS = sorted((project_folder() / "views").glob("*.ViewDefinition.json"))
CORPORA = ("synthea-r4-gsd", "smart-bulk-10-patients")

Variables: TypeAlias = dict[str, tuple[str, Any]]
"""Type and value by name."""
Evaluate: TypeAlias = Callable[[str, Json, Variables], list[Any]]
Row: TypeAlias = dict[str, Any]


def name_of(view: Path) -> str:
    return view.name.partition(".")[0]


def resource_of(view: Path) -> str:
    return str(json.loads(view.read_bytes())["resource"])


def ours(path: str, resource: Json, variables: Variables) -> list[Any]:
    known = {name: [Node(value, type_)] for name, (type_, value) in variables.items()}
    return [node.value for node in compile_path(path)(resource, known)]


@cache
def compiled_by_other(path: str) -> Any:
    return fhirpathpy.compile(path, model=models["r4"], options={"userInvocationTable": KEYS})


def others(path: str, resource: Json, variables: Variables) -> list[Any]:
    found = compiled_by_other(path)(resource, {name: value for name, (_, value) in variables.items()})
    return found if isinstance(found, list) else [found]


def reference_key(inputs: list[Any], wanted: Any = None) -> list[str]:
    """Return what SQL-on-FHIR calls the key of a reference, for the other engine, which has no such function."""
    found = [each.get("reference", "").rpartition("/_history/")[0] or each.get("reference", "") for each in inputs]
    parts = [text.split("/")[-2:] for text in found if "/" in text and not text.startswith(("#", "urn:"))]
    return [key for type_, key in parts if wanted is None or type_ == wanted.name]


KEYS = {"getReferenceKey": {"fn": reference_key, "arity": {0: [], 1: ["TypeSpecifier"]}}}


def rows_of(definition: Json, resource: Json, evaluate: Evaluate) -> Iterator[Row]:
    """Yield the rows of a view for one resource: SQL-on-FHIR v2, "Processing Algorithm", a path at a time."""
    constants = dict(map(constant, definition.get("constant", ())))
    if all(evaluate(each["path"], resource, constants) == [True] for each in definition.get("where", ())):
        yield from crossed(definition["select"], resource, "$this", constants, evaluate)


def constant(definition: Json) -> tuple[str, tuple[str, Any]]:
    key, value = next((key, value) for key, value in definition.items() if key.startswith("value"))
    type_ = key.removeprefix("value")
    return definition["name"], (type_[0].lower() + type_[1:], value)


def crossed(selects: list[Json], resource: Json, focus: str, known: Variables, evaluate: Evaluate) -> list[Row]:
    rows: list[Row] = [{}]
    for select in selects:
        rows = [{**row, **other} for row in rows for other in selected(select, resource, focus, known, evaluate)]
    return rows


def selected(select: Json, resource: Json, focus: str, known: Variables, evaluate: Evaluate) -> list[Row]:
    each = select.get("forEach") or select.get("forEachOrNull")
    if each is None:
        return rows_at(select, resource, focus, known, evaluate)
    things = f"{focus}.select({each})" if focus != "$this" else each
    [count] = evaluate(f"{things}.count()", resource, known)
    if not count and "forEachOrNull" in select:
        return rows_at(select, resource, "{}", {**known, "rowIndex": ("integer", 0)}, evaluate)
    return [
        row
        for position in range(count)
        for row in rows_at(
            select, resource, f"{things}[{position}]", {**known, "rowIndex": ("integer", position)}, evaluate
        )
    ]


def rows_at(select: Json, resource: Json, focus: str, known: Variables, evaluate: Evaluate) -> list[Row]:
    own: Row = {}
    for column in select.get("column", ()):
        function = "iif(true, " if focus == "{}" else "select("  # of nothing, select gives nothing whatever is asked
        path = column["path"] if focus == "$this" else f"{focus}.{function}{column['path']})"
        values = evaluate(path, resource, {"rowIndex": ("integer", 0), **known})
        assert column.get("collection") or len(values) < 2, column["name"]
        own[column["name"]] = values if column.get("collection") else in_cents((values or [None])[0], column)
    rows = crossed(select.get("select", []), resource, focus, known, evaluate)
    if "unionAll" in select:
        union = [row for each in select["unionAll"] for row in selected(each, resource, focus, known, evaluate)]
        rows = [{**row, **other} for row in rows for other in union]
    return [{**own, **row} for row in rows]


def in_cents(value: Any, column: Json) -> Any:
    """Return a value as its column holds it: money with two digits."""
    if value is None or not any(tag["name"] == "ansi/type" for tag in column.get("tag", ())):
        return value
    return Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def plain(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        return round(float(value), 6)
    return tuple(map(plain, value)) if isinstance(value, list) else str(value)


def comparable(rows: list[Row]) -> Counter[Any]:
    return Counter(frozenset((name, plain(value)) for name, value in row.items() if value is not None) for row in rows)


def sample(corpora: Path, resource_type: str, per_file: int) -> list[bytes]:
    found: list[bytes] = []
    for folder in CORPORA:
        for path in sorted((corpora / "fhir" / folder).glob(f"{resource_type}.*ndjson.gz")):
            with gzip.open(path) as lines:
                found += islice(lines, per_file)
    examples = map(Path.read_bytes, sorted((corpora / "fhir" / "us-core-examples").glob("*.json")))
    return found + [canonical.dumps(each) for each in map(load_object, examples) if is_of(each, resource_type)]


def is_of(resource: Json, resource_type: str) -> bool:
    return bool(resource["resourceType"] == resource_type)


def compiled_rows(view: Path, lines: list[bytes], folder: Path) -> list[Row]:
    """Return the rows as `wholechart view` makes them."""
    file = folder / "resources.ndjson"
    file.write_bytes(b"".join(line.rstrip() + b"\n" for line in lines))
    compiled = compile_view(read_definition(load_object(view.read_bytes())))
    with open_resources([file], compiled.resource) as (connection, source):
        found = connection.execute(compiled.over(source))
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def checked(view: Path, lines: list[bytes], folder: Path, evaluate: Evaluate) -> list[Row]:
    """Return the rows of a view over resources, equal by both ways."""
    definition, found = json.loads(view.read_bytes()), compiled_rows(view, lines, folder)
    expected = [row for line in lines for row in rows_of(definition, json.loads(line), evaluate)]
    assert comparable(found) == comparable(expected), view.name
    return found


def rows_checked(corpora: Path, folder: Path, per_file: int, evaluate: Evaluate) -> dict[str, int]:
    counts = {}
    for view in VIEWS:
        lines = sample(corpora, resource_of(view), per_file)
        if lines:
            counts[name_of(view)] = len(checked(view, lines, folder, evaluate))
    return counts


@pytest.mark.slow
def test_views_give_what_our_own_evaluator_gives(corpora: Path, tmp_path: Path) -> None:
    counts = rows_checked(corpora, tmp_path, 3, ours)
    assert len(counts) > 30
    assert sum(counts.values()) > 200


@pytest.mark.slow
def test_views_give_what_another_engine_gives(corpora: Path, tmp_path: Path) -> None:
    counts = rows_checked(corpora, tmp_path, 100, others)
    assert len(counts) > 30
    assert sum(counts.values()) > 3000


@pytest.mark.parametrize("view", [each for each in VIEWS if rare_resources_of(resource_of(each))], ids=name_of)
def test_views_of_rare_types_give_all_their_resources_say(view: Path, tmp_path: Path) -> None:
    """Each column is told by a resource: a path that is misspelt where anything may stand would find nothing."""
    rows = checked(view, rare_resources_of(resource_of(view)), tmp_path, ours)
    assert [name for name in rows[0] if all(row[name] is None for row in rows)] == []


def test_the_evaluator_gives_the_rows_of_the_sql_on_fhir_suite(corpora: Path) -> None:
    """Cases with `repeat` and those that must be refused for what no path says are the compiler's alone."""
    passed, failed = 0, []
    for case in cases(corpora):
        view = case.test["view"]
        if case.test.get("expectError") or '"repeat"' in json.dumps(view):
            continue
        resources = [each for each in case.resources if each["resourceType"] == view["resource"]]
        found = [row for each in resources for row in rows_of(view, load_object(json.dumps(each)), ours)]
        if comparable(found) == comparable(case.test["expect"]):
            passed += 1
        else:
            failed.append(case.name)
    assert failed == []
    assert passed > 100
