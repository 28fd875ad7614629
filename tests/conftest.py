"""What every test may ask for: the public corpora beside the checkout, where they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How fast examples are drawn says how busy the machine is, nothing about what is tested.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Return the folder of public test data, or skip: it is never part of the repository."""
    folder = Path(os.environ.get("WHOLECHART_CORPORA") or ROOT.parent / "shared" / "corpora")
    if not folder.is_dir():
        pytest.skip("no corpora: WHOLECHART_CORPORA names no folder, and there is none beside the checkout")
    return folder
