"""The feeds page shows what the API says now, why records were rejected, and each day's activity."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from tests.unit.dashboards import group
from tests.unit.dashboards.conftest import open_page, tiles, words
from tests.unit.dashboards.hub_server import HubServer


def test_feeds_rejects_and_trend_are_shown(app: AppTest, warehouse_dir: Path) -> None:
    open_page(app, "feeds")
    assert tiles(app) == {
        "Feeds": "2",
        "Records received": "240",
        "Rejected": "5 · 2.1%",
        "Waiting": "3",
        "Oldest waiting": "12 minutes",
    }
    feeds, rejects, trend = (table.value for table in app.dataframe)
    assert list(feeds["State"]) == ["Behind", "Silent"]
    assert list(feeds["Last received"]) == ["4 minutes ago", "never"]
    assert len(rejects) == 5
    assert rejects["Reason"].iloc[0] == "a date of birth in the year 2099"
    assert rejects["Place"].iloc[0] == "PID-7, message 0"
    assert trend["Processed"].sum() == processed()
    assert not app.exception


def test_only_feeds_with_rejects_are_asked_for_them(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    open_page(app, "feeds")
    assert [path for path in hub.paths() if "rejects" in path] == ["GET /api/feeds/hospital-adt/rejects?limit=200"]


def test_one_feed_is_shown_alone(app: AppTest, warehouse_dir: Path) -> None:
    open_page(app, "feeds")
    app.selectbox(key="feed").select("clinic-siu").run()
    assert "Nothing was rejected" in words(app)
    assert app.dataframe[1].value["Processed"].sum() == processed("clinic-siu")


def test_without_a_warehouse_the_live_part_still_stands(app: AppTest, data_dir: Path) -> None:
    open_page(app, "feeds")
    assert tiles(app)["Feeds"] == "2"
    assert "wholechart build" in words(app)


def test_without_feeds_it_says_so(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    hub.answers["GET", "/api/feeds"] = (200, [])
    open_page(app, "feeds")
    assert "No feed is configured" in words(app)


def test_an_api_that_fails_is_said_to(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    hub.answers["GET", "/api/feeds"] = (500, {})
    open_page(app, "feeds")
    assert "could not answer about feeds (status 500)" in words(app)


def processed(feed: str | None = None) -> int:
    """Return how many records the group's warehouse says were processed."""
    return sum(row["processed"] for row in group.feed_activity() if feed in (None, row["feed"]))
