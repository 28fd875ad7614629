"""In a real browser: a chart opened in an emergency and reviewed by keyboard alone; and pages without barriers."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from hub_core.access import Role
from tests.e2e.front_desk import PASSWORD, FrontDesk, running_front_desk

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SERIOUS = {"serious", "critical"}
WIDTHS = (390, 1280)
WHY = "brought in unconscious"


@pytest.fixture(scope="module")
def front_desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontDesk]:
    with running_front_desk(tmp_path_factory.mktemp("desk")) as running:
        yield running


def logged_in(context: BrowserContext, front_desk: FrontDesk, role: Role, at: str, wanted: str) -> Page:
    """Return a page at an address, in which somebody has logged in."""
    page = context.new_page()
    page.goto(f"{front_desk.url}/login?next={wanted}")
    page.keyboard.type(front_desk.name_of(role, at))
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{front_desk.url}{wanted}")
    return page


def reach(page: Page, name: str) -> None:
    """Go on by the tabulator until the focus is on a field or button of this name."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(e => e.name || e.textContent.trim())(document.activeElement)") == name:
            return
    raise AssertionError(f"{name} is not reached by keyboard")


def barriers(page: Page, address: str) -> list[str]:
    """Return what axe finds on a page that is serious, in light and dark, and where it is wider than its window."""
    if find_spec("axe_playwright_python") is None:
        pytest.skip("axe-core is not installed: it comes with the package axe-playwright-python")
    axe = Path(str(import_module("axe_playwright_python").__file__)).with_name("axe.min.js")
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.goto(address)
            page.evaluate(axe.read_text(encoding="utf-8"))
            result = page.evaluate("axe.run()")
            found += [f"{scheme} {width}: {each['id']} {each['nodes'][0]['html'][:120]}"
                      for each in result["violations"] if each["impact"] in SERIOUS]  # fmt: skip
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"wider than {width}")
    return found


def test_an_emergency_by_keyboard_alone_and_its_review(browser: Browser, front_desk: FrontDesk) -> None:
    ada = front_desk.practice.registered()
    chart = f"/work/patients/{ada['patient_id']}/chart"
    with browser.new_context() as context:
        page = logged_in(context, front_desk, "clinician", "southgate", chart)
        reach(page, "Open it in an emergency")
        page.keyboard.press("Enter")
        page.wait_for_url("**/work/emergency?**")
        reach(page, "reason")
        page.keyboard.type(WHY)
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("Opened in an emergency")
        assert barriers(page, f"{front_desk.url}/work/emergency") == []
        assert barriers(page, f"{front_desk.url}{chart}") == []
    with browser.new_context() as context:
        page = logged_in(context, front_desk, "privacy_officer", "northgate", "/work/emergencies")
        expect(page.get_by_text(WHY)).to_be_visible()
        assert barriers(page, f"{front_desk.url}/work/emergencies") == []
        reach(page, "finding")
        page.keyboard.press("Space")
        reach(page, "note")
        page.keyboard.type("spoke with the team")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Nothing waits for review.")).to_be_visible()
        for path in ("audit", "disclosures"):
            assert barriers(page, f"{front_desk.url}/work/patients/{ada['patient_id']}/{path}") == []
