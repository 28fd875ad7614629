"""A browser, a running house, and pages in it: one house for all tests, one browser profile for each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.e2e.house import House, running_house

_CHROMIUM = os.environ.get("WHOLECHART_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_PATIENCE_MS = 30_000


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Return Debian's Chromium, or skip; where a browser is required, its absence is a failure.

    It ends with these tests: Playwright keeps an event loop running, which would be in the way of others' tests.
    """
    if not Path(_CHROMIUM).exists():
        reason = "no Chromium: apt-get install chromium, or name one in WHOLECHART_CHROMIUM"
        if os.environ.get("WHOLECHART_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def house(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Return a running house with a simulated group in it."""
    with running_house(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture
def stranger(browser: Browser) -> Iterator[BrowserContext]:
    """Return a browser profile in which nobody is logged in."""
    yield from _profile(browser)


@pytest.fixture
def visitor(browser: Browser, house: House) -> Iterator[BrowserContext]:
    """Return a browser profile in which the administrator has logged in through the page."""
    for context in _profile(browser):
        page = context.new_page()
        page.goto(f"{house.settings.api_url}/login")
        page.get_by_label("Name").fill(house.name)
        page.get_by_label("Password").fill(house.password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(lambda address: "/login" not in address)
        page.close()
        yield context


def _profile(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1360, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(_PATIENCE_MS)
    yield context
    context.close()
