"""The schedule's numbers are those of the marts; whom nobody called back is counted by person and found by row."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from tests.unit.dashboards import group
from tests.unit.dashboards.conftest import open_page, tiles
from tests.unit.dashboards.html_tables import html_tables


def test_the_tiles_say_what_became_of_appointments(app: AppTest, warehouse_dir: Path) -> None:
    open_page(app, "schedule")
    assert tiles(app) == {
        "Appointments": "25",
        "Kept": "10",
        "Cancelled": "5",
        "Missed": "5",
        "No-show rate": "33.3%",
        "To call back": "2",
    }
    assert not app.exception


def test_clinicians_add_up_and_their_names_are_text(app: AppTest, warehouse_dir: Path) -> None:
    clinicians = html_tables(open_page(app, "schedule"))["Clinicians"]
    assert sorted(clinicians.heads()) == ["All", "Dr. <b>Baker</b>", "Dr. Adams", "Not stated"]
    parts = [clinicians.row(head) for head in clinicians.heads() if head != "All"]
    for title in ("Appointments", "Kept", "Cancelled", "Missed", "Not seen again"):
        assert sum(int(part[title]) for part in parts) == int(clinicians.row("All")[title])
    assert clinicians.row("All")["No-show rate"] == "33.3%"
    assert "practitioner_name%20missing" in clinicians.link("Not stated", "Appointments")


def test_missed_appointments_by_how_long_before_they_were_booked(app: AppTest, warehouse_dir: Path) -> None:
    missed = html_tables(open_page(app, "schedule"))["Missed appointments"]
    assert missed.heads() == ["Up to 7", "8 to 30", "31 to 90", "Over 90", "Not known"]
    assert [missed.row(head)["Not seen again"] for head in missed.heads()] == ["1", "1", "0", "1", "1"]
    link = missed.link("8 to 30", "Missed")
    assert "days_booked_ahead%20from%208" in link
    assert "days_booked_ahead%20before%2031" in link


def test_a_location_limits_the_schedule(app: AppTest, warehouse_dir: Path) -> None:
    app.query_params["location"] = "Oakdale"
    open_page(app, "schedule")
    here = [row for row in group.appointments() if row["location"] == "Oakdale"]
    assert tiles(app)["Appointments"] == str(len(here))
    assert tiles(app)["Missed"] == str(sum(row["is_no_show"] for row in here))
