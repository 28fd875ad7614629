"""What the tests of the pages stand on: a published warehouse, an API over HTTP, and the app run by Streamlit."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboards import gate
from dashboards.app import PAGES
from dashboards.server import APP
from tests.unit.dashboards import group
from tests.unit.dashboards.hub_server import HubServer


@pytest.fixture
def hub() -> Iterator[HubServer]:
    """Return an API in which the administrator is logged in."""
    with HubServer() as server:
        yield server


@pytest.fixture
def data_dir(tmp_path: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the data directory of an installation with that API, nothing built yet."""
    monkeypatch.setenv("WHOLECHART_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WHOLECHART_API_PORT", str(hub.port))
    yield tmp_path
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a warehouse folder with the group published in it, made once."""
    folder = tmp_path_factory.mktemp("published") / "warehouse"
    group.publish(folder)
    return folder


@pytest.fixture
def warehouse_dir(data_dir: Path, published: Path) -> Path:
    """Return the warehouse folder of the installation, the group published in it."""
    return Path(shutil.copytree(published, data_dir / "warehouse"))


@pytest.fixture
def app(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Return the app as the administrator's browser would open it; AppTest sends no cookies, so one is put there."""
    log_in(monkeypatch)
    return AppTest.from_file(APP, default_timeout=30)


def log_in(monkeypatch: pytest.MonkeyPatch, secret: str | None = group.SESSION) -> None:
    """Let the browser send this session, or none."""
    monkeypatch.setattr(gate, "session_secret", lambda: secret)


def words(app: AppTest) -> str:
    """Return all text that is on the page, the navigation's left out."""
    parts = [element.value for kind in (app.title, app.subheader, app.markdown, app.caption) for element in kind]
    parts += [element.body for element in app.html]
    parts += [element.value for kind in (app.info, app.warning, app.error, app.success, app.code) for element in kind]
    return "\n".join(str(part) for part in parts)


def tiles(app: AppTest) -> dict[str, str]:
    """Return the numbers on the tiles by their labels."""
    return {tile.label: tile.value for tile in app.metric}


def open_page(app: AppTest, url_path: str) -> AppTest:
    """Open a page by its address, as a deep link does; AppTest knows no way to pages that are functions."""
    app._page_hash = calc_hash("" if url_path == PAGES[0].url_path else url_path)
    return app.run()


def press(app: AppTest, label: str) -> AppTest:
    """Press the first button with this label."""
    return next(button for button in app.button if button.label == label).click().run()
