"""In a real browser, the pages' numbers are the warehouse's, their filters stay, and a number leads to its bytes."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import choose, downloaded, figure, follow, opened, settle, tile, tiles
from tests.e2e.house import House

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_locations_show_the_warehouses_numbers(house: House, visitor: BrowserContext) -> None:
    page = opened(house, visitor, "locations")
    for location, visits, persons in house.published(
        "SELECT location, count(*), (SELECT count(*) FROM marts.patients WHERE list_contains(locations, location))"
        " FROM marts.encounters WHERE status NOT IN ('cancelled', 'entered-in-error') GROUP BY ALL"
    ):
        expect(figure(page, "People and care", location, "Visits")).to_have_text(f"{visits:,}")
        expect(figure(page, "People and care", location, "Persons")).to_have_text(f"{persons:,}")
    for location, charged in house.published("SELECT location, sum(billed_amount) FROM marts.charges GROUP BY ALL"):
        expect(figure(page, "Money", location, "Charged")).to_have_text(f"${charged:,.2f}")


def test_the_schedule_shows_the_warehouses_numbers(house: House, visitor: BrowserContext) -> None:
    page = opened(house, visitor, "schedule")
    booked, kept, cancelled, missed = house.published(
        "SELECT count(*), count(*) FILTER (WHERE status IN ('fulfilled', 'arrived', 'checked-in')),"
        " count(*) FILTER (WHERE status = 'cancelled'), count(*) FILTER (WHERE status = 'noshow')"
        " FROM marts.appointments"
    )[0]
    lost = house.published("SELECT count(DISTINCT person_id) FROM marts.no_shows WHERE NOT is_seen_again")[0][0]
    assert missed > 0
    assert tiles(page, 6) == {
        "Appointments": f"{booked:,}",
        "Kept": f"{kept:,}",
        "Cancelled": f"{cancelled:,}",
        "Missed": f"{missed:,}",
        "No-show rate": f"{100 * missed / (kept + missed):.1f}%",
        "To call back": f"{lost:,}",
    }


def test_revenue_shows_the_warehouses_numbers_and_downloads_them(house: House, visitor: BrowserContext) -> None:
    page = opened(house, visitor, "revenue")
    charged, insurers, patients, denied, owed, patients_owe = house.published(
        "SELECT (SELECT sum(billed_amount) FROM marts.charges),"
        " (SELECT sum(paid_amount) FROM marts.payments WHERE payment_kind <> 'patient'),"
        " (SELECT sum(paid_amount) FROM marts.payments WHERE payment_kind = 'patient'),"
        " (SELECT sum(denied_amount) FROM marts.denials), sum(open_amount), sum(patient_open_amount)"
        " FROM marts.receivables"
    )[0]
    shown = tiles(page, 9)
    assert [shown[name] for name in ("Charged", "Paid by insurers", "Paid by patients", "Denied")] == [
        f"${amount:,.2f}" for amount in (charged, insurers, patients, denied)
    ]
    assert shown["Accounts receivable"] == f"${owed:,.2f}"
    assert shown["Open at patients"] == f"${patients_owe:,.2f}"
    rows = {row["Owed by"]: row for row in downloaded(page, "revenue-ages")}
    for payer, amount in house.published(
        "SELECT payer_name, sum(payer_open_amount) FROM marts.receivables WHERE payer_open_amount <> 0 GROUP BY ALL"
    ):
        assert Decimal(rows[payer]["Total"]) == amount
        expect(figure(page, "Accounts receivable by age", payer, "Total")).to_have_text(f"${amount:,.2f}")
    assert Decimal(rows["All"]["Total"]) == owed


def test_data_quality_shows_the_warehouses_numbers(house: House, visitor: BrowserContext) -> None:
    page = opened(house, visitor, "quality")
    for feed, processed, repeated in house.published(
        "SELECT feed, sum(processed)::bigint, sum(repeated)::bigint FROM marts.feed_activity GROUP BY ALL"
    ):
        expect(figure(page, "Feeds", feed, "Processed")).to_have_text(f"{processed:,}")
        expect(figure(page, "Feeds", feed, "Repeated")).to_have_text(f"{repeated:,}")
    checks, missed = house.published("SELECT count(*), count(*) FILTER (WHERE NOT is_passed) FROM quality.checks")[0]
    said = f"{missed} of {checks} checks warn" if missed else f"All {checks} checks passed"
    expect(page.locator(".st-key-card-quality")).to_contain_text(said)


def test_filters_survive_other_pages_and_loading_again(house: House, visitor: BrowserContext) -> None:
    page = opened(house, visitor, "revenue")
    payer, charged = house.published(
        "SELECT payer_name, sum(billed_amount) FROM marts.charges"
        " WHERE payer_name IS NOT NULL AND location = 'pediatrics' GROUP BY ALL ORDER BY 2 DESC LIMIT 1"
    )[0]
    choose(page, "Payer", payer)
    choose(page, "Location", "pediatrics")
    expect(tile(page, "Charged")).to_have_text(f"${charged:,.2f}")
    page.reload()
    expect(tile(page, "Charged")).to_have_text(f"${charged:,.2f}")
    assert parse_qs(urlsplit(page.url).query) == {"payer": [payer], "location": ["pediatrics"]}
    follow(page, "Schedule")
    follow(page, "Locations")
    expect(figure(page, "Money", "pediatrics", "Charged")).to_have_text(f"${charged:,.2f}")
    page.wait_for_url(lambda address: parse_qs(urlsplit(address).query).get("payer") == [payer])


def test_a_number_leads_to_its_rows_to_the_bytes_behind_one(house: House, visitor: BrowserContext) -> None:
    page = opened(house, visitor, "quality")
    feed, found, message = house.published(
        "SELECT feed, count(*), any_value(message_id) FROM marts.findings WHERE finding_kind = 'repeated'"
        " GROUP BY ALL HAVING count(*) = 1 ORDER BY feed LIMIT 1"
    )[0]
    number = figure(page, "Feeds", feed, "Repeated")
    expect(number).to_have_text(str(found))
    number.get_by_role("link").click()
    expect(page.get_by_text("of 1 row, newest first")).to_be_visible()
    tick(page)
    trace = page.locator(".st-key-trace")
    expect(trace).to_contain_text(message)
    expect(trace).to_contain_text("MSH|")
    assert message not in page.url
    looks = house.recorded("SELECT action FROM audit_event WHERE action IN ('mart.rows', 'mart.trace')")
    assert {action for (action,) in looks} == {"mart.rows", "mart.trace"}


def test_whom_to_call_back_leads_to_their_chart(house: House, visitor: BrowserContext) -> None:
    page = opened(house, visitor, "schedule")
    name = house.published(
        "SELECT full_name FROM marts.no_shows JOIN marts.patients USING (person_id) WHERE NOT is_seen_again"
        " ORDER BY starts_date DESC, no_show_id LIMIT 1"
    )[0][0]
    page.get_by_role("link", name="To call back").click()
    expect(page.get_by_role("heading", name="No shows")).to_be_visible()
    tick(page)
    page.get_by_role("button", name="Open chart").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert name.rsplit(" ", 1)[-1].lower() not in page.url.lower()


def tick(page: Page) -> None:
    """Tick the first of the rows, on the canvas they are drawn on."""
    rows = page.get_by_test_id("stDataFrame")
    expect(rows).to_be_visible()
    settle(page)
    rows.click(position={"x": 18, "y": 52})
    settle(page)
