"""The laws of the house that a machine can check: who imports whom, what files are called, what they must not hold."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from importlinter import cli as import_linter

ROOT = Path(__file__).parents[2]
ROOMS = ("hub_core", "connectors", "ehr_pm", "pipelines", "hub_api", "dashboards")
MODULES = sorted(path for room in (*ROOMS, "tests") for path in (ROOT / room).rglob("*.py"))
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
VAGUE_CLASS = re.compile(r"(Manager|Helper|Util|Utils)$")
NOT_OURS = {
    ".git",
    ".venv",
    "dist",
    "target",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
}
HEAVY = {
    "dagster", "dbt", "duckdb", "fastapi", "great_expectations", "pandas", "psycopg", "pyarrow", "sqlalchemy",
    "starlette", "streamlit",
}  # fmt: skip


def place(path: Path) -> str:
    """Return the name of a file as people write it."""
    return path.relative_to(ROOT).as_posix()


def syntax(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def committed_texts() -> Iterator[tuple[Path, str]]:
    """Yield every text file that could be committed."""
    for folder, names, files in os.walk(ROOT):
        names[:] = [name for name in names if name not in NOT_OURS and not name.endswith(".egg-info")]
        for name in files:
            path = Path(folder, name)
            try:
                yield path, path.read_text(encoding="utf-8")
            except (UnicodeDecodeError, FileNotFoundError):
                continue  # a picture, or a file that another test just removed


def test_every_room_keeps_its_import_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    code = import_linter.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert code == 0, capsys.readouterr().out


def test_every_module_says_what_it_is_for() -> None:
    assert not [place(path) for path in MODULES if path.stat().st_size and not ast.get_docstring(syntax(path))]


def test_a_broad_except_names_the_boundary_it_stands_on() -> None:
    """Catch what can happen; where all must be caught, `# boundary: <who must not be stopped>` says so on the line."""
    unnamed = [
        f"{place(path)}:{handler.lineno}"
        for path in MODULES
        for handler in ast.walk(syntax(path))
        if isinstance(handler, ast.ExceptHandler)
        and _is_broad(handler.type)
        and not _raises_again(handler)
        and not _is_named(path, handler.lineno)
    ]
    assert not unnamed


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _is_named(path: Path, line: int) -> bool:
    return path.stem == "boundary" or "boundary:" in path.read_text(encoding="utf-8").splitlines()[line - 1]


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_is_broad(each) for each in caught.elts)
    return caught is None or (isinstance(caught, ast.Name) and caught.id in {"Exception", "BaseException"})


def test_no_file_or_folder_has_a_vague_name() -> None:
    named = {part for path in MODULES for part in (*path.relative_to(ROOT).parent.parts, path.stem)}
    assert not named & VAGUE_NAMES


def test_no_class_has_a_vague_name() -> None:
    vague = [
        f"{place(path)}:{node.lineno} {node.name}"
        for path in MODULES
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.ClassDef) and VAGUE_CLASS.search(node.name)
    ]
    assert not vague


def test_dbt_holds_no_python() -> None:
    """A package marker in dbt/ would shadow the installed dbt and break every model."""
    assert not [place(path) for path in (ROOT / "dbt").rglob("*.py")]


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("connectors.registry", HEAVY | {"hl7apy", "httpx"}),
        ("hub_core.fhir.canonical", HEAVY | {"pydantic"}),
        ("pipelines.cli", HEAVY | {"pydantic", "rich"}),
    ],
)
def test_importing_stays_light(module: str, forbidden: set[str]) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not forbidden & set(run.stdout.split())


def test_no_file_names_the_machine_it_was_written_on() -> None:
    traces = {f"{ROOT}/", f"{Path.home()}/", *_index_hosts()}
    found = [f"{place(path)}: {trace}" for path, text in committed_texts() for trace in traces if trace in text]
    assert not found


def _index_hosts() -> set[str]:
    """Return the hosts of the package indexes that this machine is set up for."""
    settings = [os.environ.get(name, "") for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX")]
    files = (Path("/etc/pip.conf"), Path.home() / ".config/pip/pip.conf", Path.home() / ".config/uv/uv.toml")
    settings += [path.read_text(encoding="utf-8") for path in files if path.is_file()]
    addresses = re.findall(r"https?://[^\s\"']+", "\n".join(settings))
    return {host for address in addresses if (host := urlsplit(address).hostname)}


def test_the_lock_holds_pins_and_nothing_else() -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pin = re.compile(r"[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==[0-9][\w.!+]*( ; [^/\\]+)?")
    assert not [line for line in lines if not pin.fullmatch(line)]


def test_the_version_has_its_entry_in_the_changelog() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    released = re.search(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert released is not None
    assert released[1] == version
