"""In a real browser, the dashboards show what the warehouse says, to whom may see it, and to nobody else."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Request, expect

from tests.e2e.browsing import PAGES, choose, follow, log_in, opened, tile, tiles
from tests.e2e.house import House

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

REJECTED = "SELECT reason FROM reject WHERE feed IN (SELECT feed FROM message GROUP BY feed HAVING sum(rejected) > 0)"
"""What feeds that had a record rejected were told; a feed that was only warned is not listed."""
CONTENT = "[data-testid=stMetric], [data-testid=stDataFrame], [data-testid=stVegaLiteChart], [data-testid=stForm]"
DENIED = "disposition = 'denied' OR (is_zero_paid AND coalesce(patient_responsibility_amount, 0) = 0)"


@pytest.mark.parametrize("path", [*PAGES, "overview", "nowhere"])
def test_a_stranger_sees_the_log_in_and_nothing_else(house: House, stranger: BrowserContext, path: str) -> None:
    page = stranger.new_page()
    page.goto(f"{house.dashboards}/{path}")
    link = page.get_by_role("link", name="Log in")
    expect(link).to_be_visible()
    assert page.locator(CONTENT).count() == 0
    assert page.get_by_test_id("stSidebarNavLink").count() == 0
    address = urlsplit(link.get_attribute("href") or "")
    assert (address.port, address.path) == (house.settings.api_port, "/login")


def test_a_made_up_session_opens_nothing(house: House, stranger: BrowserContext) -> None:
    stranger.add_cookies([{"name": "wholechart_session", "value": "A" * 43, "url": house.dashboards}])
    page = stranger.new_page()
    page.goto(house.dashboards)
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    assert page.locator(CONTENT).count() == 0


def test_a_wrong_password_is_refused_and_the_right_one_leads_back(house: House, stranger: BrowserContext) -> None:
    page = stranger.new_page()
    page.goto(f"{house.dashboards}/feeds")
    page.get_by_role("link", name="Log in").click()
    log_in(page, house.name, "not the password")
    expect(page.get_by_role("alert")).to_contain_text("do not match")
    assert "wholechart_session" not in {cookie["name"] for cookie in stranger.cookies()}
    log_in(page, house.name, house.password)
    page.wait_for_url(f"{house.dashboards}/feeds")
    expect(page.get_by_role("heading", name="Feeds", level=1)).to_be_visible()


def test_the_overview_shows_the_warehouses_numbers(house: House, visitor: BrowserContext) -> None:
    page = opened(house, visitor, "")
    (people, records, sources, encounters, results, appointments, billed) = house.published(
        "SELECT (SELECT count(*) FROM marts.patients), (SELECT sum(patient_count)::bigint FROM marts.patients),"
        " (SELECT count(DISTINCT s) FROM (SELECT unnest(sources) AS s FROM marts.patients)),"
        " (SELECT count(*) FROM marts.encounters), (SELECT count(*) FROM marts.lab_results),"
        " (SELECT count(*) FROM marts.appointments), (SELECT sum(billed_amount) FROM marts.charges)"
    )[0]
    (paid, patient_part, denied, answers) = house.published(
        "SELECT (SELECT sum(paid_amount) FROM marts.payments), sum(patient_responsibility_amount),"
        f" count(*) FILTER (WHERE {DENIED}), count(*) FROM marts.claim_payments"
    )[0]
    assert people > 20
    assert tiles(page, 10) == {
        "People": f"{people:,}",
        "Patient records": f"{records:,}",
        "Sources": f"{sources:,}",
        "Encounters": f"{encounters:,}",
        "Lab results": f"{results:,}",
        "Appointments": f"{appointments:,}",
        "Charged": f"${billed:,.2f}",
        "Paid": f"${paid:,.2f}",
        "Patient responsibility": f"${patient_part:,.2f}",
        "Denied claims": f"{denied:,} · {100 * denied / answers:.1f}%",
    }
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(5)


def test_a_table_is_downloaded_as_the_warehouse_has_it(house: House, visitor: BrowserContext, tmp_path: Path) -> None:
    page = opened(house, visitor, "")
    card = page.locator(".st-key-card-payers")
    card.evaluate("card => card.scrollIntoView({block: 'start'})")  # so that what opens below it is in view
    card.get_by_role("button", name="Table").click()
    with page.expect_download() as download:
        page.get_by_test_id("stPopoverBody").get_by_role("button", name="CSV").click()
    file = tmp_path / "payers.csv"
    download.value.save_as(file)
    assert download.value.suggested_filename == "wholechart-payers.csv"
    shown = {row["Payer"]: row for row in csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig")))}
    for payer, charged in house.published(
        "SELECT coalesce(payer_name, 'Not stated'), sum(billed_amount) FROM marts.charges GROUP BY ALL"
    ):
        assert Decimal(shown[payer]["Charged"]) == charged
    for payer, paid in house.published(
        "SELECT coalesce(payer_name, 'Not stated'), sum(paid_amount) FROM marts.payments"
        " WHERE payment_kind <> 'patient' GROUP BY ALL"
    ):
        assert Decimal(shown[payer]["Paid"]) == paid


def test_filters_limit_the_numbers_and_stay_across_pages(house: House, visitor: BrowserContext) -> None:
    page = opened(house, visitor, "")
    location, encounters = house.published(
        "SELECT location, count(*) FROM marts.encounters WHERE location IS NOT NULL GROUP BY ALL ORDER BY 2 DESC, 1"
    )[0]
    choose(page, "Location", location)
    expect(tile(page, "Encounters")).to_have_text(f"{encounters:,}")
    assert parse_qs(urlsplit(page.url).query) == {"location": [location]}
    follow(page, "Patient")
    follow(page, "Group overview")
    expect(tile(page, "Encounters")).to_have_text(f"{encounters:,}")
    people = house.published("SELECT count(*) FROM marts.patients WHERE list_contains(locations, ?)", location)[0][0]
    assert tiles(page, 10)["People"] == f"{people:,}"


def test_a_chart_shows_every_fact_of_the_record_and_is_on_record_itself(house: House, visitor: BrowserContext) -> None:
    addresses = asked_addresses(visitor)
    person, family, birth_date, sources = house.published(
        "SELECT person_id, family_name, birth_date, sources FROM marts.patients"
        " WHERE family_name IS NOT NULL ORDER BY len(sources) DESC, person_id LIMIT 1"
    )[0]
    page = opened(house, visitor, "patient")
    page.get_by_label("Name").fill(family)
    page.get_by_role("button", name="Find").click()
    page.locator(f".st-key-open-{person} button").click()
    expect(page.get_by_role("heading", name=re.compile(re.escape(family)), level=2)).to_be_visible()
    patients = [row[0] for row in house.recorded("SELECT patient_id FROM person_member WHERE person_id = %s", person)]
    facts = house.recorded("SELECT count(*) FROM resource WHERE patient_id = ANY(%s) AND NOT deleted", [patients])[0][0]
    expect(page.get_by_text(f"of {facts:,} facts, newest first")).to_be_visible()
    banner = page.locator(".st-key-banner").inner_text()
    assert f"born {birth_date}" in banner
    assert all(source in banner for source in sources)
    fact = page.locator(".wc-fact").first.inner_text()
    assert re.search(r"From \S+ · .* · feed \S+ · received .* · message [0-9a-f-]{36}", fact.replace("\n", " "))
    days = [day.split(", ")[1] for day in page.locator(".wc-day").all_inner_texts() if ", " in day]
    assert days == sorted(days, key=lambda day: (day[-4:], MONTHS.index(day[3:-5]), day[:2]), reverse=True)
    assert urlsplit(page.url).query == ""
    assert not any(family.lower() in address.lower() or str(person) in address for address in addresses)
    assert house.recorded("SELECT count(*) FROM audit_event WHERE action = 'chart.read'")[0][0] >= len(patients)


def test_the_feeds_page_shows_the_message_stores_numbers(house: House, visitor: BrowserContext) -> None:
    page = opened(house, visitor, "feeds")
    received, rejected = house.recorded("SELECT sum(records)::bigint, sum(rejected)::bigint FROM message")[0]
    feeds = house.recorded("SELECT count(DISTINCT feed) FROM message")[0][0]
    assert rejected > 0
    shown = tiles(page, 5)
    assert shown["Feeds"] == f"{feeds:,}"
    assert shown["Records received"] == f"{received:,}"
    assert shown["Rejected"] == f"{rejected:,} · {100 * rejected / received:.1f}%"
    with page.expect_download() as download:
        page.locator(".st-key-download-rejects-csv button").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    reasons = sorted(reason for (reason,) in house.recorded(REJECTED))
    assert sorted(row["Reason"] for row in rows) == reasons
    activity = house.published("SELECT sum(processed)::bigint FROM marts.feed_activity")[0][0]
    page.locator(".st-key-card-trend").get_by_role("button", name="Table").click()
    with page.expect_download() as download:
        page.get_by_test_id("stPopoverBody").get_by_role("button", name="CSV").click()
    days = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    assert sum(int(day["Processed"]) for day in days) == activity


def test_nothing_is_fetched_from_anywhere_else(house: House, visitor: BrowserContext) -> None:
    addresses = asked_addresses(visitor)
    for path in PAGES:
        opened(house, visitor, path)
    hosts = {urlsplit(address).hostname for address in addresses if not address.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_a_phone(house: House, visitor: BrowserContext, path: str) -> None:
    page = opened(house, visitor, path)
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function("document.documentElement.scrollWidth <= 390")
    page.wait_for_function(
        "[...document.querySelectorAll('[data-testid=stMain] *')]"
        ".every(e => e.getBoundingClientRect().right <= 391"
        " || e.closest('canvas, [data-testid=stDataFrame], .wc-table'))"
    )


@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(15, 23, 32)")])
def test_the_page_follows_the_readers_scheme(house: House, visitor: BrowserContext, scheme: str, ground: str) -> None:
    page = visitor.new_page()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(house.dashboards)
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", ground)


def test_logging_out_ends_access_in_every_tab(house: House, visitor: BrowserContext) -> None:
    page, other = opened(house, visitor, ""), opened(house, visitor, "feeds")
    session = session_of(visitor)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    assert page.locator(CONTENT).count() == 0
    other.get_by_role("button", name="Refresh").click()
    expect(other.get_by_role("link", name="Log in")).to_be_visible()
    assert other.locator(CONTENT).count() == 0
    assert session_of(visitor) == session, "the browser still sends what it had"
    page.reload()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()


MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
]  # fmt: skip


def asked_addresses(context: BrowserContext) -> list[str]:
    """Return a list that every address asked for is put on."""
    addresses: list[str] = []

    def note(request: Request) -> None:
        addresses.append(request.url)

    context.on("request", note)
    return addresses


def session_of(context: BrowserContext) -> str:
    """Return the session the browser sends."""
    return next(cookie["value"] for cookie in context.cookies() if cookie["name"] == "wholechart_session")
