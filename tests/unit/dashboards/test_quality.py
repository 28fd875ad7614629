"""What feeds did, how records become persons, and what was checked, as the marts have it."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from tests.unit.dashboards import group
from tests.unit.dashboards.conftest import open_page, tiles, words
from tests.unit.dashboards.html_tables import html_tables


def test_feeds_and_what_they_did_wrong(app: AppTest, warehouse_dir: Path) -> None:
    feeds = html_tables(open_page(app, "quality"))["Feeds"]
    activity = [row for row in group.feed_activity() if row["feed"] == "clinic-siu"]
    assert feeds.row("clinic-siu") == {
        "Feed": "clinic-siu",
        "Messages": str(sum(row["messages"] for row in activity)),
        "Received": str(sum(row["records"] for row in activity) + 1),
        "Processed": str(sum(row["processed"] for row in activity)),
        "Filtered": "0",
        "Rejected": str(sum(row["rejected"] for row in activity)),
        "Repeated": "1",
        "Out of order": "0",
        "Late": "0",
        "Event after message": "0",
    }
    assert feeds.row("hospital-adt")["Event after message"] == "1"
    assert "finding_kind%20is%20repeated" in feeds.link("clinic-siu", "Repeated")
    assert not app.exception


def test_findings_are_counted_by_kind(app: AppTest, warehouse_dir: Path) -> None:
    shown = tiles(open_page(app, "quality"))
    assert {name: shown[name] for name in ("Rejected", "Repeated", "Out of order", "Late")} == {
        "Rejected": "1",
        "Repeated": "2",
        "Out of order": "1",
        "Late": "1",
    }


def test_records_and_their_persons(app: AppTest, warehouse_dir: Path) -> None:
    records = html_tables(open_page(app, "quality"))["Persons and their records"]
    assert records.row("All")["Patient records"] == "8"
    assert records.row("All")["Persons"] == "6"
    assert records.row("All")["Only referred to"] == "1"
    assert "2 of 6 persons are known to more than one source" in words(app)


def test_a_source_limits_it(app: AppTest, warehouse_dir: Path) -> None:
    app.query_params["source"] = "clinic"
    assert html_tables(open_page(app, "quality"))["Feeds"].heads() == ["clinic-siu", "All"]


def test_the_checks_of_the_build_are_listed(app: AppTest, warehouse_dir: Path) -> None:
    open_page(app, "quality")
    (checks,) = (table.value for table in app.dataframe)
    assert list(checks["Outcome"]) == ["Did not pass", "Passed", "Passed", "Passed"]
    assert "1 of 4 checks warn" in words(app)
