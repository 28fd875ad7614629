"""What is chosen stays from page to page and in the address; an earlier build and empty marts can be looked at too."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.app import PAGES
from dashboards.drill import Condition, Drill
from tests.unit.dashboards import group
from tests.unit.dashboards.conftest import open_page, tiles, words


def test_a_choice_goes_along_to_other_pages(app: AppTest, warehouse_dir: Path) -> None:
    open_page(app, "schedule")
    app.selectbox(key="location").select("Oakdale").run()
    assert dict(app.query_params) == {"location": "Oakdale"}
    for page in ("patient", "feeds", "revenue"):
        app.query_params.clear()  # as the navigation does
        open_page(app, page)
    assert app.selectbox(key="location").value == "Oakdale"
    assert dict(app.query_params) == {"location": "Oakdale"}


def test_a_choice_that_a_page_does_not_offer_stays_for_those_that_do(app: AppTest, warehouse_dir: Path) -> None:
    app.query_params["payer"] = "State Medicaid"
    open_page(app, "schedule")
    assert dict(app.query_params) == {}
    open_page(app, "revenue")
    assert app.selectbox(key="payer").value == "State Medicaid"


def test_the_way_back_to_an_address_without_filters_shows_all_again(app: AppTest, warehouse_dir: Path) -> None:
    app.query_params["location"] = "Oakdale"
    open_page(app, "schedule")
    app.query_params.clear()
    app.run()
    assert app.selectbox(key="location").value == "All"
    assert dict(app.query_params) == {}, "a page that writes its filters again could not be left by going back"


def test_the_rows_behind_a_number_keep_the_choice(app: AppTest, warehouse_dir: Path) -> None:
    for name, value in (("mart", "denials"), ("where", "location is Oakdale"), ("location", "Oakdale")):
        app.query_params[name] = value
    open_page(app, "rows")
    app.query_params.clear()
    open_page(app, "locations")
    assert app.selectbox(key="location").value == "Oakdale"


@pytest.mark.parametrize("day", ["soon", "2999-01-01", "2026-02-30"])
def test_a_day_that_cannot_be_is_ignored(app: AppTest, warehouse_dir: Path, day: str) -> None:
    app.query_params["day"] = day
    open_page(app, "revenue")
    assert tiles(app)["Accounts receivable"] == "$210.32"
    assert not app.exception


def test_periods_end_with_the_chosen_day(app: AppTest, warehouse_dir: Path) -> None:
    app.query_params["day"] = str(group.TODAY - timedelta(days=30))
    app.query_params["period"] = "Last 30 days"
    app.run()
    first, last = group.TODAY - timedelta(days=59), group.TODAY - timedelta(days=30)
    expected = sum(first <= row["started_date"] <= last for row in group.encounters())
    assert tiles(app)["Encounters"] == str(expected)


def test_an_earlier_build_can_be_looked_at(app: AppTest, warehouse_dir: Path) -> None:
    group.publish(
        warehouse_dir, "warehouse-newer.duckdb", is_filled=False, built_at=datetime.now(UTC) + timedelta(seconds=1)
    )
    app.run()
    assert tiles(app)["People"] == "0"
    app.selectbox(key="snapshot").select("test").run()
    assert tiles(app)["People"] == "6"
    assert app.query_params["snapshot"] == "test"
    assert "Earlier build" in words(app)


def test_a_build_that_is_gone_gives_way_to_the_newest(app: AppTest, warehouse_dir: Path) -> None:
    app.query_params["snapshot"] = "gone"
    app.run()
    assert tiles(app)["People"] == "6"


@pytest.mark.parametrize("page", [page.url_path for page in PAGES if page.url_path not in ("patient", "rows")])
def test_every_page_stands_on_empty_marts(app: AppTest, data_dir: Path, page: str) -> None:
    group.publish(data_dir / "warehouse", is_filled=False)
    open_page(app, page)
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("page", ["locations", "schedule", "revenue", "quality", "rows"])
def test_before_the_first_build_a_page_says_what_to_do(app: AppTest, data_dir: Path, page: str) -> None:
    assert "wholechart build" in words(open_page(app, page))


def test_numbers_of_an_earlier_version_are_said_to_be(app: AppTest, warehouse_dir: Path) -> None:
    shutil.rmtree(warehouse_dir)
    group.publish(warehouse_dir, marts=("patients", "patient_records", "feed_activity", "encounters"))
    assert "earlier version" in words(open_page(app, "revenue"))


def test_a_condition_survives_its_address() -> None:
    for condition in (
        Condition("payer_name", "is", "A & B = C; 'D' 100%"),
        Condition("collected_at,issued_at", "from", "2026-01-01"),
        Condition("location", "missing"),
    ):
        assert Condition.read(condition.written()) == condition


def test_the_address_of_rows_holds_each_condition_once() -> None:
    here = Condition("location", "is", "a b")
    address = Drill("denials", (here,)).where(here).address({"location": "a b"}, "revenue")
    assert address == "rows?mart=denials&where=location%20is%20a%20b&from=revenue&location=a%20b"
