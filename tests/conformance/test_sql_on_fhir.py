"""The SQL-on-FHIR suite through `wholechart view`: all 144 cases, rows and refusals."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub_core.errors import UnreadableError
from pipelines.commands.view import view
from pipelines.views.value import ViewRefusedError


@dataclass(frozen=True)
class Case:
    name: str
    test: dict[str, Any]
    resources: list[dict[str, Any]]


def cases(corpora: Path) -> Iterator[Case]:
    for file in sorted((corpora / "sql-on-fhir-tests" / "tests-144-newer").glob("*.json")):
        suite = json.loads(file.read_bytes())
        for test in suite["tests"]:
            yield Case(f"{file.stem}: {test['title']}", test, suite["resources"])


def plain(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return round(float(value), 9)
    return tuple(plain(each) for each in value) if isinstance(value, list) else value


def rows(found: list[dict[str, Any]]) -> Counter[Any]:
    return Counter(frozenset((k, plain(v)) for k, v in row.items() if v is not None) for row in found)


def passes(case: Case, folder: Path) -> bool:
    definition, resources = folder / "view.json", folder / "resources.ndjson"
    definition.write_text(json.dumps(case.test["view"]), encoding="utf-8")
    resources.write_text("".join(json.dumps(each) + "\n" for each in case.resources), encoding="utf-8")
    result = CliRunner().invoke(view, [str(definition), "--input", str(resources), "--format", "json"])
    if case.test.get("expectError", False):
        return isinstance(result.exception, ViewRefusedError | UnreadableError)
    if result.exit_code != 0:
        return False
    found = json.loads(result.stdout, parse_constant=str)
    names = case.test.get("expectColumns")
    if names and found and list(found[0]) != names:
        return False
    # Money columns (tag ansi/type DECIMAL) are printed as texts, so that no digit is lost.
    return rows(numbered(found, case)) == rows(case.test["expect"])


def numbered(found: list[dict[str, Any]], case: Case) -> list[dict[str, Any]]:
    expected = {key for row in case.test["expect"] for key, value in row.items() if isinstance(value, float)}
    return [
        {key: float(value) if key in expected and isinstance(value, str) else value for key, value in row.items()}
        for row in found
    ]


def test_all_cases_pass(corpora: Path, tmp_path: Path) -> None:
    verdicts = {case.name: passes(case, tmp_path) for case in cases(corpora)}
    assert len(verdicts) == 144
    assert [name for name, passed in verdicts.items() if not passed] == []


def test_what_cannot_be_compiled_is_refused_by_its_path(tmp_path: Path) -> None:
    definition, resources = tmp_path / "view.json", tmp_path / "resources.ndjson"
    selected = [{"column": [{"name": "c", "path": "name.conformsTo('x')"}]}]
    definition.write_text(json.dumps({"resource": "Patient", "select": selected}), encoding="utf-8")
    resources.write_text('{"resourceType":"Patient","id":"a"}\n', encoding="utf-8")
    result = CliRunner().invoke(view, [str(definition), "--input", str(resources)])
    assert isinstance(result.exception, ViewRefusedError)
    assert "name.conformsTo('x')" in str(result.exception)


@pytest.mark.parametrize(("bad", "said"), [("{bad\n", "not JSON"), ('["a"]\n{"x":\n', "not JSON")])
def test_a_line_that_is_not_json_is_named(tmp_path: Path, bad: str, said: str) -> None:
    definition, resources = tmp_path / "view.json", tmp_path / "resources.ndjson"
    selected = [{"column": [{"name": "c", "path": "id"}]}]
    definition.write_text(json.dumps({"resource": "Patient", "select": selected}), encoding="utf-8")
    resources.write_text('{"resourceType":"Patient","id":"a"}\n' + bad, encoding="utf-8")
    result = CliRunner().invoke(view, [str(definition), "--input", str(resources)])
    assert isinstance(result.exception, UnreadableError)
    assert said in str(result.exception)
    assert "bad" not in str(result.exception)
