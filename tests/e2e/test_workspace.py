"""In a real browser: a day at the front desk by keyboard alone, drafts that survive, and pages without barriers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.front_desk import PASSWORD, FrontDesk, running_front_desk
from tests.integration.hub_api.practice import today

pytestmark = pytest.mark.e2e

TABS = 120
SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def front_desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontDesk]:
    with running_front_desk(tmp_path_factory.mktemp("desk")) as running:
        yield running


@pytest.fixture(scope="module")
def clerk(front_desk: FrontDesk) -> str:
    """Return the name of somebody with the role of the front desk."""
    return front_desk.name_of("front_desk")


@pytest.fixture
def page(stranger: BrowserContext, front_desk: FrontDesk, clerk: str) -> Page:
    """Return a page in which the front desk has logged in, without touching the mouse."""
    opened = stranger.new_page()
    opened.goto(f"{front_desk.url}/login?next=/work")
    expect(opened.get_by_label("Name")).to_be_focused()
    opened.keyboard.type(clerk)
    opened.keyboard.press("Tab")
    expect(opened.get_by_label("Password")).to_be_focused()
    opened.keyboard.type(PASSWORD)
    opened.keyboard.press("Enter")
    expect(opened.get_by_role("navigation", name="Work")).to_be_visible()
    return opened


def focused(page: Page) -> dict[str, Any]:
    """Return what has the focus: its id, its name, its words."""
    found: dict[str, Any] = page.evaluate(
        "(() => { const e = document.activeElement;"
        " return {id: e.id, name: e.name || '', value: e.value || '', text: (e.textContent || '').trim()}; })()"
    )
    return found


def tab_to(page: Page, **wanted: str) -> None:
    """Press Tab until something has the focus whose id, name or words are these."""
    for _ in range(TABS):
        here = focused(page)
        if all(here[what] == said or (what == "text" and here[what].startswith(said)) for what, said in wanted.items()):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no key leads to {wanted}")


def fill(page: Page, **fields: str) -> None:
    for name, text in fields.items():
        tab_to(page, id=name)
        page.keyboard.type(text)


def register(page: Page, family: str, given: str) -> None:
    tab_to(page, text="Register")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Register a patient")).to_be_visible()
    fill(page, family=family, given=given, birth_date="04021980", gender="Female", mobile="612-555-0100")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Registered.")


def test_a_day_by_keyboard_alone(page: Page) -> None:
    tab_to(page, text="Find patient")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Find a patient")).to_be_visible()
    fill(page, name="okaf")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nobody you may see fits.")).to_be_visible()
    register(page, "Okafor", "Ada")
    tab_to(page, text="Book a visit")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Book a visit at Northgate")).to_be_visible()
    tab_to(page, id="visit_type")
    page.keyboard.type("Follow")
    tomorrow = today() + timedelta(days=1)
    fill(page, first=f"{tomorrow:%m%d%Y}")
    expect(page.locator('input[name="slot"]').first).to_have_value(re.compile(f"^{tomorrow}T"))
    tab_to(page, name="slot")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Booked.")
    tab_to(page, text=f"{tomorrow} ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{tomorrow:%A}")
    tab_to(page, text="Okafor, Ada")
    page.keyboard.press("c")
    expect(page.get_by_role("status")).to_contain_text("Confirmed")
    expect(page.locator("[data-row]")).to_contain_text("Confirmed")
    page.keyboard.press("i")
    expect(page.get_by_role("heading", name="Check in: Follow-up")).to_be_visible()
    for name in ("demographics", "coverage", "treatment", "privacy-notice"):
        tab_to(page, name=name)
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("[data-row]")).to_contain_text("Arrived")
    tab_to(page, text="Okafor, Ada")
    for key, state in (("r", "In a room"), ("v", "With clinician"), ("o", "Checked out")):
        page.keyboard.press(key)
        expect(page.get_by_role("status")).to_contain_text(state)
    expect(page.locator(".flow div", has_text="Checked out")).to_contain_text("1")


def test_a_half_written_form_survives_a_reload_and_no_log_out(page: Page, front_desk: FrontDesk) -> None:
    page.goto(f"{front_desk.url}/work/register")
    fill(page, family="Half", given="Written")
    page.reload()
    expect(page.get_by_label("Family name")).to_have_value("Half")
    expect(page.get_by_label("Given name")).to_have_value("Written")
    assert page.evaluate("localStorage.length") == 0
    tab_to(page, text="Log out")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Password")).to_be_visible()
    assert page.evaluate("Object.keys(sessionStorage).filter((name) => name.startsWith('draft/'))") == []


def test_look_alikes_come_before_a_second_record(page: Page, front_desk: FrontDesk) -> None:
    page.goto(f"{front_desk.url}/work")
    register(page, "Twin", "Tess")
    tab_to(page, text="Register")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Register a patient")).to_be_visible()
    fill(page, family="Twin", given="Tess", birth_date="04021980", gender="Female", mobile="612-555-0100")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Is it one of these?")).to_be_focused()
    fill(page, despite="her twin, with papers of her own")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Registered.")


def test_no_page_has_a_serious_barrier(page: Page, front_desk: FrontDesk) -> None:
    if find_spec("axe_playwright_python") is None:
        pytest.skip("axe-core is not installed: it comes with the package axe-playwright-python")
    axe = Path(str(import_module("axe_playwright_python").__file__)).with_name("axe.min.js")
    page.goto(f"{front_desk.url}/work")
    register(page, "Reader", "Screen")
    patient = page.url.partition("?")[0]
    paths = ("/work", "/work?view=flow", "/work/find", "/work/register")
    addresses = [f"{front_desk.url}{path}" for path in paths]
    addresses += [patient, f"{patient}/book", f"{patient}/correct", f"{patient}/coverages"]
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for address in addresses:
            page.goto(address)
            page.evaluate(axe.read_text(encoding="utf-8"))
            result = page.evaluate("axe.run()")
            found += [
                f"{scheme} {address.removeprefix(front_desk.url)[:20]}: {each['id']} {each['nodes'][0]['html'][:120]}"
                for each in result["violations"]
                if each["impact"] in SERIOUS
            ]
    assert not found, "\n".join(found)


def test_a_phone_is_wide_enough(page: Page, front_desk: FrontDesk) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/work", "/work?view=flow", "/work/find", "/work/register"):
        page.goto(f"{front_desk.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
