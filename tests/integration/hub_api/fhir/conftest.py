"""One hub for all tests of a file, each of which has patients of its own, and a clinician's program."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.integration.conftest import fresh_installation
from tests.integration.hub_api.conftest import running
from tests.integration.hub_api.hub import Hub


@pytest.fixture(scope="module")
def hub(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Return one hub for all tests of the file."""
    data_dir = tmp_path_factory.mktemp("hub") / "data"
    with fresh_installation(server, data_dir) as opened, running(opened, opened.settings) as hub:
        yield hub


@pytest.fixture(scope="module")
def clinician(hub: Hub) -> Iterator[httpx.Client]:
    """Return a program that holds a clinician's role at the north."""
    with hub.program(("clinician", "north")) as client:
        yield client
