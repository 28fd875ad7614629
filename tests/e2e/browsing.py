"""How tests go about in the pages: open one, wait until it is drawn, read its numbers, choose, follow a link."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.house import House

PAGES = {
    "": "Group overview",
    "locations": "Locations",
    "schedule": "Schedule",
    "revenue": "Revenue",
    "patient": "Patient",
    "feeds": "Feeds",
    "quality": "Data quality",
}
"""Every page that the navigation lists, by its address."""

_IS_STILL = """() => {
    const charts = [...document.querySelectorAll('[data-testid=stVegaLiteChart]')];
    const drawn = charts.every(chart => chart.querySelector('svg, canvas'));
    const places = charts.map(chart => chart.getBoundingClientRect()).map(box => `${box.top} ${box.height}`).join();
    window.stillFrames = drawn && places === window.lastPlaces ? window.stillFrames + 1 : 0;
    window.lastPlaces = places;
    return window.stillFrames >= 10;
}"""
"""Asked at every frame: the code that draws charts is loaded late, and what is drawn moves what stands below it."""


def opened(house: House, context: BrowserContext, path: str) -> Page:
    """Open a page and wait until Streamlit has drawn it."""
    page = context.new_page()
    page.goto(f"{house.dashboards}/{path}")
    expect(page.get_by_role("heading", name=PAGES[path], level=1)).to_be_visible()
    settle(page)
    return page


def settle(page: Page) -> None:
    """Wait until the script has run to its end, the charts are drawn, and nothing moves any more."""
    page.locator("[data-test-script-state=notRunning]").wait_for()
    expect(page.locator("[data-stale=true]")).to_have_count(0)
    page.evaluate("delete window.lastPlaces")  # what was still before may have begun to move
    page.wait_for_function(_IS_STILL)


def log_in(page: Page, name: str, password: str) -> None:
    """Fill in the log-in form and send it."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def tile(page: Page, label: str) -> Locator:
    """Return the number of the tile with this label."""
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue")


def tiles(page: Page, count: int) -> dict[str, str]:
    """Return the numbers on the tiles by their labels, once all are there."""
    expect(page.get_by_test_id("stMetric")).to_have_count(count)
    found = page.get_by_test_id("stMetric").all()
    return {
        each.get_by_test_id("stMetricLabel").inner_text().strip(): each.get_by_test_id("stMetricValue")
        .inner_text()
        .strip()
        for each in found
    }


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of a select box."""
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()
    settle(page)


def follow(page: Page, title: str) -> None:
    """Go to a page by the navigation."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    settle(page)


def figure(page: Page, table: str, row: str, title: str) -> Locator:
    """Return the cell of a table of figures, by the table's name, the row's head and the column's title."""
    region = page.get_by_role("region", name=table, exact=True)
    expect(region).to_be_visible()
    titles = [text.strip() for text in region.locator("thead th").all_inner_texts()]
    line = region.locator("tr").filter(has=page.locator("th[scope=row]").get_by_text(row, exact=True))
    return line.locator("th, td").nth(titles.index(title))


def downloaded(page: Page, card: str) -> list[dict[str, str]]:
    """Return the rows of the CSV that a card offers."""
    page.locator(f".st-key-card-{card}").get_by_test_id("stPopoverButton").click()
    with page.expect_download() as download:
        page.get_by_test_id("stPopoverBody").get_by_role("button", name="CSV").click()
    return list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
