"""The money's numbers are those of the marts to the cent; ages are counted to the chosen day."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from streamlit.testing.v1 import AppTest

from tests.unit.dashboards import group
from tests.unit.dashboards.conftest import open_page, tiles
from tests.unit.dashboards.html_tables import html_tables

AGES = ("0–30 days", "31–60", "61–90", "91–120", "Over 120")


def test_the_tiles_show_what_moved_and_what_is_owed(app: AppTest, warehouse_dir: Path) -> None:
    open_page(app, "revenue")
    shown = tiles(app)
    last_days = [row for row in group.charges() if row["service_date"] > group.TODAY - timedelta(days=90)]
    daily = sum(row["billed_amount"] for row in last_days) / 90
    assert shown == {
        "Charged": "$2,695.35",
        "Paid by insurers": "$1,345.40",
        "Paid by patients": "$21.01",
        "Denied": "$151.50",
        "Denied, unpaid": "$141.40",
        "Accounts receivable": "$210.32",
        "Open at payers": "$200.30",
        "Open at patients": "$10.02",
        "Days in A/R": f"{Decimal('210.32') / daily:,.1f}",
    }
    assert not app.exception


def test_what_is_owed_is_split_by_age(app: AppTest, warehouse_dir: Path) -> None:
    ages = html_tables(open_page(app, "revenue"))["Accounts receivable by age"]
    assert ages.heads() == ["Prairie Health Plan", "State Medicaid", "Patients", "All"]
    assert [ages.row("Prairie Health Plan")[age] for age in AGES] == ["$40.06", "$40.06", "$40.06", "$20.03", "$0.00"]
    assert [ages.row("State Medicaid")[age] for age in AGES] == ["$0.00"] * 3 + ["$20.03", "$40.06"]
    assert [ages.row("All")[age] for age in (*AGES, "Total")] == [
        "$40.06",
        "$40.06",
        "$40.06",
        "$40.06",
        "$50.08",
        "$210.32",
    ]
    asked = parse_qs(urlsplit(ages.link("Prairie Health Plan", "31–60")).query)
    assert asked["where"] == [
        f"aged_from_date from {group.TODAY - timedelta(days=60)}",
        f"aged_from_date before {group.TODAY - timedelta(days=30)}",
        "payer_open_amount not 0",
        "payer_name is Prairie Health Plan",
    ]


def test_an_earlier_day_makes_everything_younger(app: AppTest, warehouse_dir: Path) -> None:
    app.query_params["day"] = str(group.TODAY - timedelta(days=31))
    ages = html_tables(open_page(app, "revenue"))["Accounts receivable by age"]
    assert [ages.row("All")[age] for age in AGES] == ["$60.09", "$40.06", "$40.06", "$0.00", "$30.05"]
    assert ages.row("All")["Total"] == "$170.26", "what was not owed yet on that day is not in it"


def test_denials_and_adjustments_stand_by_reason(app: AppTest, warehouse_dir: Path) -> None:
    tables = html_tables(open_page(app, "revenue"))
    denials, adjustments = tables["Denials"], tables["Adjustments"]
    assert denials.row("All")["Denied"] == "$151.50"
    assert denials.heads() == [
        "16 · information missing",
        "16 · information missing",
        "197 · no authorization",
        "197 · no authorization",
        "All",
    ]
    assert denials.row("197 · no authorization")["Still unpaid"] == "$30.30"
    assert adjustments.row("45 · above the agreed fee")["Adjusted"] == "$0.00"
    assert adjustments.row("SMALL")["Made by"] == "Accounts"
    assert adjustments.row("All")["Adjusted"] == "$24.02"
    assert "mart=account_adjustments" in adjustments.link("SMALL", "Adjustments")


def test_a_payer_limits_the_money(app: AppTest, warehouse_dir: Path) -> None:
    app.query_params["payer"] = "State Medicaid"
    open_page(app, "revenue")
    assert tiles(app)["Paid by patients"] == "$0.00"
    assert tiles(app)["Denied"] == "$60.60"
    assert html_tables(app)["Payers"].heads() == ["State Medicaid", "All"]


def test_payers_names_from_outside_are_text(app: AppTest, warehouse_dir: Path) -> None:
    payers = html_tables(open_page(app, "revenue"))["Payers"]
    assert '=HYPERLINK("x")' in payers.heads()
    assert parse_qs(urlsplit(payers.link('=HYPERLINK("x")', "Charged")).query)["where"] == [
        'payer_name is =HYPERLINK("x")'
    ]
