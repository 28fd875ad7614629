"""In a real browser: a day at the front desk by keyboard alone, drafts that survive, and pages without barriers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.front_desk import PASSWORD, FrontDesk, running_front_desk
from tests.integration.hub_api.practice import today

pytestmark = pytest.mark.e2e

TABS = 120
SERIOUS = {"serious", "critical"}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture(scope="module")
def front_desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontDesk]:
    with running_front_desk(tmp_path_factory.mktemp("desk")) as running:
        yield running


@dataclass(frozen=True)
class Known:
    """Who is known before anybody logs in: somebody with a coverage and a visit, and a visit that will be moved."""

    patient: str
    coverage: str
    visit: str
    moved: str
    moved_on: date


@pytest.fixture(scope="module")
def known(front_desk: FrontDesk) -> Known:
    practice = front_desk.practice
    ada = practice.registered("Reader", "Screen")
    visit = practice.booked(ada, datetime.combine(today() + timedelta(days=9), time(10)))
    start = datetime.combine(today() + timedelta(days=20), time(9))
    moved = practice.booked(practice.registered("Mover", "Mo"), start)
    coverage = practice.insured(ada)["coverage_id"]
    return Known(ada["patient_id"], coverage, visit["appointment_id"], moved["appointment_id"], start.date())


@pytest.fixture(scope="module")
def clerk(front_desk: FrontDesk, known: Known) -> str:
    """Return the name of somebody with the role of the front desk; a new password ends the sessions they had."""
    assert known.visit
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


def log_in(page: Page, front_desk: FrontDesk, name: str) -> None:
    page.goto(f"{front_desk.url}/login?next=/work")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Work")).to_be_visible()


def test_a_half_written_form_survives_a_reload_and_a_log_out_and_is_nobody_elses(
    page: Page, front_desk: FrontDesk, clerk: str
) -> None:
    page.goto(f"{front_desk.url}/work/register")
    fill(page, family="Half", given="Written")
    expect(page.get_by_text("What you typed is kept until you send it.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Family name")).to_have_value("Half")
    tab_to(page, text="Log out")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Password")).to_be_visible()
    stored: str = page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert "Half" not in stored
    assert "Written" not in stored
    log_in(page, front_desk, front_desk.name_of("manager"))
    page.goto(f"{front_desk.url}/work/register")
    expect(page.get_by_label("Family name")).to_have_value("")
    page.get_by_role("button", name="Log out").click()
    log_in(page, front_desk, clerk)
    page.goto(f"{front_desk.url}/work/register")
    expect(page.get_by_text("Here is what you had typed and not sent.")).to_be_visible()
    expect(page.get_by_label("Given name")).to_have_value("Written")
    page.get_by_role("button", name="Start anew").click()
    expect(page.get_by_label("Given name")).to_have_value("")


def test_a_visit_is_moved_in_the_calendar_by_keyboard_alone(page: Page, front_desk: FrontDesk, known: Known) -> None:
    page.goto(f"{front_desk.url}/work/calendar?first={known.moved_on}&span=day")
    tab_to(page, text="09:00 Mover, Mo")
    page.keyboard.press("m")
    expect(page.get_by_role("status")).to_contain_text("choose a free time")
    tab_to(page, text="09:30–17:00 free")
    page.keyboard.press("ArrowUp")
    assert focused(page)["text"].startswith(("09:00 Mover", "00:00–09:00"))
    tab_to(page, text="09:30–17:00 free")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Why it is moved")).to_be_focused()
    page.keyboard.type("the patient asked")
    page.keyboard.press("Enter")
    expect(page.locator(".calendar .visit")).to_contain_text("09:30 Mover, Mo")
    query = "SELECT status FROM appointment WHERE appointment_id = %s"
    assert front_desk.practice.rows(query, known.moved) == [("rescheduled",)]


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


def barriers(page: Page, addresses: list[str]) -> list[str]:
    """Return what axe-core finds serious on some pages, in light and in dark."""
    if find_spec("axe_playwright_python") is None:
        pytest.skip("axe-core is not installed: it comes with the package axe-playwright-python")
    axe = Path(str(import_module("axe_playwright_python").__file__)).with_name("axe.min.js").read_text(encoding="utf-8")
    found = []
    for address in addresses:
        page.goto(address)
        page.evaluate(axe)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            found += [
                f"{scheme} {page.title()}: {each['id']} {each['nodes'][0]['html'][:120]}"
                for each in page.evaluate("axe.run()")["violations"]
                if each["impact"] in SERIOUS
            ]
    return found


@pytest.mark.slow
def test_no_page_has_a_serious_barrier(page: Page, front_desk: FrontDesk, known: Known) -> None:
    patient, visit = f"/work/patients/{known.patient}", known.visit
    week = f"/work/calendar?first={today() + timedelta(days=9)}"
    paths = ["/work", "/work?view=flow", week, f"{week}&span=day", "/work/waitlist", "/work/reminders", "/work/find"]
    paths += ["/work/register", "/work/second-factor", patient, f"{patient}/book", f"{patient}/correct"]
    paths += [f"{patient}/coverages", f"{patient}/waitlist", f"/work/coverages/{known.coverage}/cards"]
    paths += [f"/work/appointments/{visit}", f"/work/appointments/{visit}/move", f"/work/appointments/{visit}/check-in"]
    addresses = [f"{front_desk.url}{path}" for path in paths]
    assert barriers(page, addresses) == []


@pytest.mark.slow
def test_no_page_of_those_who_run_the_house_has_a_serious_barrier(
    stranger: BrowserContext, front_desk: FrontDesk
) -> None:
    page = stranger.new_page()
    log_in(page, front_desk, front_desk.name_of("administrator"))
    place = f"/work/locations/{front_desk.practice.north.location_id}"
    page.goto(f"{front_desk.url}/work/users")
    for name, said in (("name", "rosa"), ("family", "Lee"), ("given", "Rosa")):
        page.locator(f"#{name}").fill(said)
    page.get_by_role("button", name="Add").click()
    page.get_by_role("link", name="Lee, Rosa").click()
    expect(page.get_by_role("heading", name="Lee, Rosa")).to_be_visible()
    person = page.url.removeprefix(front_desk.url)
    paths = ("/work/organisation", place, "/work/schedule", "/work/users", person)
    assert barriers(page, [f"{front_desk.url}{path}" for path in paths]) == []


def test_a_phone_is_wide_enough(page: Page, front_desk: FrontDesk) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    calendar = ("/work/calendar", "/work/calendar?span=day", "/work/waitlist", "/work/reminders")
    for path in ("/work", "/work?view=flow", "/work/find", "/work/register", *calendar):
        page.goto(f"{front_desk.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
