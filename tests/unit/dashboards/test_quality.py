"""What feeds did, how records become persons, and what was checked, as the marts have it."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from tests.unit.dashboards import group
from tests.unit.dashboards.conftest import open_page, tiles, words
from tests.unit.dashboards.html_tables import html_tables
from tests.unit.dashboards.hub_server import HubServer


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


def test_what_does_not_fit_the_record_is_listed(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    found = {
        "words": "A row that the record does not know.",
        "subject_type": "Consent",
        "subject_id": "0199f3c2-7a54-7c11-9a33-5b1f0c2d3e4f",
        "source": "wholechart",
        "location": "northgate",
        "found_at": "2026-03-02T08:00:00Z",
    }
    hub.answers["GET", "/api/practice/findings"] = (200, [found])
    open_page(app, "quality")
    *_, shown = (table.value for table in app.dataframe)
    assert list(shown["About"]) == ["Consent/0199f3c2-7a54-7c11-9a33-5b1f0c2d3e4f"]
    assert "1 findings of 1 kinds" in words(app)


def test_whoever_may_not_know_it_sees_the_rest(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    hub.answers["GET", "/api/practice/findings"] = (403, {})
    open_page(app, "quality")
    assert "Practice and record" not in [each.value for each in app.subheader]
    assert not app.exception
