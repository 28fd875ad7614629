"""What the wheel holds: every room with its data files, dbt as data of pipelines, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
ROOMS = ("hub_core", "connectors", "ehr_pm", "pipelines", "hub_api", "dashboards")


@pytest.fixture(scope="module")
def wheel() -> set[str]:
    """Return the paths in the wheel that a build of this tree would make."""
    return {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}


@pytest.fixture(scope="module")
def committed() -> set[str]:
    """Return the paths that git knows, or skip where the tree did not come by git."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    run = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    return {path for path in run.stdout.split("\0") if path and (ROOT / path).exists()}


def test_every_file_of_a_room_is_in_the_wheel(wheel: set[str], committed: set[str]) -> None:
    assert not {path for path in committed if path.split("/")[0] in ROOMS} - wheel


def test_dbt_travels_inside_pipelines(wheel: set[str], committed: set[str]) -> None:
    models = {"pipelines/_dbt/" + path.removeprefix("dbt/") for path in committed if path.startswith("dbt/")}
    assert models
    assert not models - wheel


def test_nothing_else_is_in_the_wheel(wheel: set[str]) -> None:
    assert {path.split("/")[0] for path in wheel} == set(ROOMS)
    assert not {path for path in wheel if path.endswith((".pyc", ".duckdb", ".parquet", ".log"))}
