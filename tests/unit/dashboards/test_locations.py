"""Each location's numbers are those of the marts, under every filter, and each leads to the rows it counts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from streamlit.testing.v1 import AppTest

from tests.unit.dashboards import group
from tests.unit.dashboards.conftest import open_page
from tests.unit.dashboards.html_tables import html_tables


def test_locations_stand_beside_each_other(app: AppTest, warehouse_dir: Path) -> None:
    tables = html_tables(open_page(app, "locations"))
    care, money = tables["People and care"], tables["Money"]
    assert care.heads() == money.heads() == ["Oakdale", "Riverbend", "All"]
    visits = [row for row in group.encounters() if row["status"] != "cancelled"]
    assert care.row("Oakdale")["Visits"] == str(sum(row["location"] == "Oakdale" for row in visits))
    everything = care.row("All")
    assert everything["Persons"] == "6"
    assert everything["Visits"] == str(len(visits))
    assert sum(int(everything[name]) for name in ("Office", "Emergency", "Inpatient", "Other visits")) == len(visits)
    assert (everything["Appointments"], everything["Missed"], everything["Lab results"]) == ("25", "5", "90")
    assert money.row("Riverbend") == {
        "Location": "Riverbend",
        "Charged": "$150.15",
        "Paid by insurers": "$0.00",
        "Paid by patients": "$21.01",
        "Denied": "$0.00",
        "Still owed": "$0.00",
    }
    assert money.row("All")["Still owed"] == "$210.32"
    assert not app.exception


def test_a_number_leads_to_the_rows_it_counts(app: AppTest, warehouse_dir: Path) -> None:
    app.query_params["period"] = "Last 90 days"
    care = html_tables(open_page(app, "locations"))["People and care"]
    asked = parse_qs(urlsplit(care.link("Oakdale", "Emergency")).query)
    first, end = group.TODAY - timedelta(days=89), group.TODAY + timedelta(days=1)
    assert asked == {
        "mart": ["encounters"],
        "where": [
            f"started_date from {first}",
            f"started_date before {end}",
            "status not cancelled",
            "status not entered-in-error",
            "class_code is EMER",
            "location is Oakdale",
        ],
        "from": ["locations"],
        "period": ["Last 90 days"],
    }
    assert "where=locations%20has%20Oakdale" in care.link("Oakdale", "Persons")


def test_filters_limit_the_locations(app: AppTest, warehouse_dir: Path) -> None:
    app.query_params["location"] = "Oakdale"
    app.query_params["payer"] = "State Medicaid"
    open_page(app, "locations")
    tables = html_tables(app)
    assert tables["People and care"].heads() == ["Oakdale", "All"]
    charged = sum(row["billed_amount"] for row in group.claims() if row["payer_name"] == "State Medicaid")
    assert tables["Money"].row("Oakdale")["Charged"] == f"${charged:,.2f}"


def test_the_months_of_money_add_up(app: AppTest, warehouse_dir: Path) -> None:
    app.session_state["measure"] = "Charged"
    open_page(app, "locations")
    months = next(table.value for table in app.dataframe if "Charged" in table.value)
    assert months["Charged"].sum() == sum(row["billed_amount"] for row in group.charges())
