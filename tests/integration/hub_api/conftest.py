"""A hub that answers on a port of its own, over an empty installation, and what tests ask it with."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
import uvicorn

from hub_api.app import create_app
from pipelines.installation import Installation
from tests.integration.hub_api.hub import Hub
from tests.integration.hub_api.practice import Practice, open_practice


@pytest.fixture
def hub(installation: Installation) -> Iterator[Hub]:
    """Return a running hub."""
    app = create_app(installation.settings)
    server = uvicorn.Server(uvicorn.Config(app, port=0, access_log=False, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    assert server.started
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Hub(f"http://127.0.0.1:{port}", installation, app)
    server.should_exit = True
    thread.join()


@pytest.fixture
def admin(hub: Hub) -> Iterator[httpx.Client]:
    """Return a client logged in as the administrator."""
    with hub.logged_in() as client:
        yield client


@pytest.fixture
def stranger(hub: Hub) -> Iterator[httpx.Client]:
    """Return a client without credentials."""
    with hub.client() as client:
        yield client


@pytest.fixture
def practice(hub: Hub) -> Iterator[Practice]:
    """Return a practice of two locations behind a running hub."""
    with ExitStack() as stack:
        yield open_practice(hub, stack)
