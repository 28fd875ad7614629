"""A hub that answers on a port of its own, over an empty installation, and what tests ask it with."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

from hub_api.app import create_app
from hub_api.server import KEEP_ALIVE_SECONDS
from hub_core.settings import Settings
from pipelines.installation import Installation
from tests.integration.hub_api.hub import Hub
from tests.integration.hub_api.practice import Practice, open_practice


@pytest.fixture
def hub(installation: Installation) -> Iterator[Hub]:
    """Return a running hub."""
    with running(installation, installation.settings) as hub:
        yield hub


@contextmanager
def running(installation: Installation, settings: Settings) -> Iterator[Hub]:
    """Give a hub that runs on an installation with these settings."""
    app = create_app(settings)
    with answering(app) as url:
        yield Hub(url, installation, app)


@contextmanager
def answering(app: ASGIApp) -> Iterator[str]:
    """Give the address at which an application answers on a thread of its own."""
    config = uvicorn.Config(
        app,
        port=0,
        access_log=False,
        log_level="error",
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    assert server.started
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
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
