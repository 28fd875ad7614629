"""In a real browser: a patient comes in by a code and sees their record, by keyboard, on a telephone and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.front_desk import PASSWORD, FrontDesk, running_front_desk
from tests.integration.hub_api.hub import observation

pytestmark = pytest.mark.e2e

WIDTHS = (390, 1280)


@pytest.fixture(scope="module")
def front_desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontDesk]:
    with running_front_desk(tmp_path_factory.mktemp("portal")) as running:
        yield running


@pytest.fixture(scope="module")
def patient_id(front_desk: FrontDesk) -> str:
    """Return a patient with a visit, a coverage and results."""
    practice = front_desk.practice
    ada = practice.registered()
    practice.insured(ada)
    practice.booked(ada)
    practice.hub.record(observation({"id": ada["patient_id"]}), location="northgate")
    return str(ada["patient_id"])


def test_a_patient_comes_in_by_the_code_the_desk_handed_over(
    stranger: BrowserContext, browser: Browser, front_desk: FrontDesk, patient_id: str
) -> None:
    desk = stranger.new_page()
    desk.goto(f"{front_desk.url}/login?next=/work/patients/{patient_id}/portal")
    _fill(desk, Name=front_desk.name_of("front_desk"), Password=PASSWORD)
    expect(desk.get_by_role("heading", name="Who sees this record in the portal")).to_be_visible()
    _is_fit(desk)
    _fill(desk, **{"Log-in name": "ada@example.org"})
    code = desk.get_by_role("status").locator("code").inner_text()
    expect(desk.locator("[data-row]")).to_contain_text("The patient")
    _is_fit(desk)

    with browser.new_context(service_workers="block") as own:
        page = own.new_page()
        page.goto(f"{front_desk.url}/welcome")
        expect(page.get_by_label("Name you log in with")).to_be_focused()
        _is_fit(page)
        for text in ("ada@example.org", code, "a river of quiet stones"):
            page.keyboard.type(text)
            page.keyboard.press("Tab")
        page.keyboard.type("a river of quiet stones")
        page.keyboard.press("Enter")
        for heading in ("Appointments", "Coverage", "Chart", "Who has looked at your record"):
            expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        _is_fit(page)
        page.emulate_media(media="print")
        expect(page.get_by_role("button", name="Log out")).to_be_hidden()
        page.emulate_media(media="screen")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
        page.goto(f"{front_desk.url}/work/patients/{patient_id}")
        expect(page.get_by_text("this is for those who work here")).to_be_visible()


def _fill(page: Page, **fields: str) -> None:
    """Fill in a form and send it, without the mouse."""
    for label, text in fields.items():
        page.get_by_label(label).focus()
        page.keyboard.type(text)
    page.keyboard.press("Enter")


def _is_fit(page: Page) -> None:
    """Make sure that a page has no barriers, and fits a telephone and a screen."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = import_module("axe_playwright_python.sync_playwright").Axe().run(page)
        serious = [each["id"] for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
        assert serious == [], serious
