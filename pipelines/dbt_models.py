"""Runs the dbt project in this process, silently, and turns its results into findings.

dbt's own messages may quote values of rows, so none of them leaves this module: what failed stays in `failures.txt`
below the data directory.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub_core.errors import BuildError
from pipelines.increment.statements import Kind, Statement
from pipelines.quality.findings import Finding, Gravity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbt.cli.main import dbtRunnerResult

_DEPENDENCY = re.compile(r"\{\{\s*(ref|source)\(\s*(?:'views',\s*)?'(\w+)'\s*\)\s*\}\}")
_FAILURES = "failures.txt"
"""What failed in dbt's own words."""
_PARSED = "partial_parse.msgpack"
"""Where dbt keeps what it has parsed."""
_AHEAD: dict[Path, subprocess.Popen[bytes]] = {}
"""Who is parsing a project ahead, by the target folder."""


@dataclass(frozen=True, slots=True)
class Model:
    """One dbt model: its name, the folder it stands in, and what it reads."""

    name: str
    layer: str
    views: tuple[str, ...]
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DbtOutcome:
    """What a run of dbt did."""

    models: tuple[str, ...]
    """Models that were made."""
    findings: tuple[Finding, ...]
    failures: tuple[str, ...]
    """What failed, a line each, without values."""
    statements: tuple[Statement, ...] = ()
    """What was run, each after those it needs."""


def project_folder() -> Path:
    """Return the dbt project: `_dbt` of an installed wheel, else `dbt` of the checkout."""
    here = Path(__file__).parent
    installed = here / "_dbt"
    return installed if installed.is_dir() else here.parent / "dbt"


def project_models(project: Path) -> list[Model]:
    """Return the models of a project, read from its files: parsing by dbt would take seconds."""
    return [_model(path) for path in sorted((project / "models").glob("*/*.sql"))]


def _model(path: Path) -> Model:
    found = _DEPENDENCY.findall(path.read_text(encoding="utf-8"))
    views = tuple(sorted({name for kind, name in found if kind == "source"}))
    models = tuple(sorted({name for kind, name in found if kind == "ref"}))
    return Model(path.stem, path.parent.name, views, models)


def run_dbt(project: Path, built: Path, target: Path) -> DbtOutcome:
    """Make and test every model in the file `built`; unit tests are left to the test suite.

    Args:
        project: the dbt project.
        built: the DuckDB file, closed by everyone.
        target: where dbt keeps what it has parsed and done; worth keeping from run to run.

    Raises:
        BuildError: if dbt could not run at all.
    """
    ran = _invoke("build", project, built, target, "--exclude-resource-type", "unit_test")
    results = getattr(ran.result, "results", None)
    if results is None:
        raise BuildError(f"dbt could not run: {type(ran.exception).__name__}; see {target / 'logs'}") from ran.exception
    return _outcome(list(results), target)


@contextmanager
def parsing_ahead(project: Path, built: Path, target: Path) -> Iterator[None]:
    """Parse a project that dbt has not seen yet in a process of its own, while something else is done.

    Parsing takes longer than anything that dbt does then; what is parsed here is found by `run_dbt`, in the same place.
    """
    if (target / _PARSED).exists():
        yield
        return
    command = [sys.executable, "-m", "pipelines.dbt_models", str(project), str(built), str(target)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _AHEAD[target] = process
        try:
            yield
        finally:
            del _AHEAD[target]
            process.terminate()


def _invoke(verb: str, project: Path, built: Path, target: Path, *more: str) -> dbtRunnerResult:
    """Return what dbt says to a verb; waits for whoever parses the project ahead."""
    if (ahead := _AHEAD.get(target)) is not None:
        ahead.wait()
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    target.mkdir(parents=True, exist_ok=True)
    folders = ("--project-dir", str(project), "--profiles-dir", str(project), "--log-path", str(target / "logs"))
    # The manifest as JSON, megabytes that nobody reads, would be written at every run.
    quiet = ("--quiet", "--no-print", "--no-use-colors", "--no-write-json")
    logs = ("--log-level", "none", "--log-level-file", "none")
    places = {"WHOLECHART_BUILD_FILE": str(built), "WHOLECHART_DBT_TARGET": str(target)}
    with _environment(places), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dbt's, of what its own libraries will drop
        from dbt.cli.main import dbtRunner

        try:
            return dbtRunner().invoke([verb, *folders, *quiet, *logs, *more])
        finally:
            _let_go()


def _let_go() -> None:
    """Close the file: dbt would keep it open, locked for every other process, as long as this one lives."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    manager: Any = DuckDBConnectionManager
    if manager._ENV is not None:  # noqa: SLF001 - there is no public way to ask
        manager.env().close()
        manager.close_all_connections()


def _outcome(results: list[Any], target: Path) -> DbtOutcome:
    models = tuple(r.node.name for r in results if r.node.resource_type == "model" and str(r.status) == "success")
    tests = [r for r in results if r.node.resource_type == "test"]
    failed = [r for r in results if str(r.status) in ("error", "fail", "runtime error")]
    (target / _FAILURES).write_text("".join(f"{each.node.name}: {each.message}\n" for each in failed), encoding="utf-8")
    failures = tuple(_failure(each, target) for each in failed)
    return DbtOutcome(models, tuple(map(_finding, tests)), failures, tuple(map(_statement, results)))


def _statement(result: Any) -> Statement:
    node = result.node
    if node.resource_type == "test":
        return Statement("test", _subject(node), node.name, _gravity(node), node.compiled_code)
    kind: Kind = "table" if node.config.materialized == "table" else "view"
    return Statement(kind, node.schema, node.name, "error", node.compiled_code)


def _finding(result: Any) -> Finding:
    status = str(result.status)
    gravity: Gravity = "warning" if status == "warn" else _gravity(result.node)
    return Finding("dbt", _subject(result.node), result.node.name, gravity, status == "pass")


def _gravity(node: Any) -> Gravity:
    return "warning" if str(node.config.severity).lower() == "warn" else "error"


def _failure(result: Any, target: Path) -> str:
    node = result.node
    if node.resource_type == "test":
        rows = f"{result.failures:,} rows" if result.failures else f"see {target / _FAILURES}"
        return f"the dbt test {node.name} of the model {_subject(node)} failed: {rows}"
    return f"the dbt model {node.name} failed: see {target / _FAILURES}"


def _subject(node: Any) -> str:
    """Return the model a test is attached to."""
    attached = str(getattr(node, "attached_node", None) or "")
    return attached.rsplit(".", 1)[-1] or (node.depends_on.nodes[0].rsplit(".", 1)[-1] if node.depends_on.nodes else "")


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


if __name__ == "__main__":
    _invoke("parse", Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
