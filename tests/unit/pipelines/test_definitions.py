"""What Dagster is told: the assets and checks by name, found without opening an installation."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from pipelines.dbt_models import project_folder, project_models

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Dagster's, of what is not final in it
    import dagster as dg

    from pipelines.definitions import definitions

MARTS = {"patients", "encounters", "lab_results", "appointments", "claims", "claim_payments", "feed_activity"}


@pytest.fixture(scope="module")
def graph() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return definitions().resolve_asset_graph()


def test_every_stage_and_every_model_is_an_asset(graph: Any) -> None:
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    models = {f"{model.layer}/{model.name}" for model in project_models(project_folder())}
    assert keys == models | {"record", "lake/change_log", "lake/envelopes", "views", "published_warehouse"}
    assert {f"marts/{name}" for name in MARTS} <= keys


def test_publishing_comes_after_every_model_and_every_model_has_a_check(graph: Any) -> None:
    published = graph.get(dg.AssetKey(["published_warehouse"]))
    models = {dg.AssetKey([model.layer, model.name]) for model in project_models(project_folder())}
    assert published.parent_keys == models
    checked = {check.asset_key for check in graph.asset_check_keys}
    assert checked == models | {dg.AssetKey(["lake", "envelopes"])}


def test_marts_read_models_and_never_views() -> None:
    for model in project_models(project_folder()):
        assert bool(model.views) == (model.layer == "staging"), model.name


def test_importing_the_definitions_touches_no_installation(tmp_path: Path) -> None:
    code = "import pipelines.definitions"
    environment = {"WHOLECHART_DATA_DIR": str(tmp_path / "data"), "PATH": "/usr/bin", "HOME": str(tmp_path)}
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, check=True, capture_output=True)
    assert not (tmp_path / "data").exists()
