"""The overview's numbers are those of the warehouse, under every filter."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboards.figures import overview as figures
from dashboards.figures import revenue
from dashboards.filters import Filters, grain
from dashboards.warehouse import Warehouse, open_warehouse
from hub_core.settings import Settings
from hub_core.snapshot import kept_snapshots
from tests.unit.dashboards import group
from tests.unit.dashboards.conftest import tiles, words


def test_the_tiles_show_the_groups_numbers(app: AppTest, warehouse_dir: Path) -> None:
    app.run()
    assert tiles(app) == {
        "People": "6",
        "Patient records": "8",
        "Sources": "2",
        "Encounters": "60",
        "Lab results": "90",
        "Appointments": "25",
        "Charged": "$2,695.35",
        "Paid": "$1,366.41",
        "Patient responsibility": "$288.27",
        "Denied claims": "2 · 16.7%",
    }
    assert not app.exception


def test_filters_limit_every_number(app: AppTest, warehouse_dir: Path) -> None:
    app.run()
    app.selectbox(key="location").select("Oakdale").run()
    app.selectbox(key="period").select("Last 30 days").run()
    shown = tiles(app)
    oakdale = [row for row in group.encounters() if row["location"] == "Oakdale"]
    last_days = [row for row in oakdale if row["started_date"] > group.TODAY - timedelta(days=30)]
    assert shown["People"] == "2"
    assert shown["Encounters"] == str(len(last_days))
    assert 0 < len(last_days) < len(oakdale)


def test_a_filter_from_the_address_holds(app: AppTest, warehouse_dir: Path) -> None:
    app.query_params["source"] = "hospital"
    app.run()
    assert tiles(app)["People"] == "2"
    assert tiles(app)["Charged"] == "$0.00"


def test_a_filter_nobody_offered_is_ignored(app: AppTest, warehouse_dir: Path) -> None:
    app.query_params["source"] = "' OR 1=1 --"
    app.run()
    assert tiles(app)["People"] == "6"


def test_every_chart_has_its_table_and_downloads(app: AppTest, warehouse_dir: Path) -> None:
    app.run()
    assert len(app.dataframe) == 6
    assert len(app.download_button) == 12
    payers = next(table.value for table in app.dataframe if "Payer" in table.value)
    assert payers["Charged"].sum() == figures.money(_warehouse(), Filters()).charged


def test_before_the_first_build_it_says_what_to_do(app: AppTest, data_dir: Path) -> None:
    app.run()
    assert "wholechart build" in words(app)
    assert not app.metric


def test_a_new_snapshot_is_shown_at_the_next_rerun(app: AppTest, data_dir: Path, published: Path) -> None:
    app.run()
    assert not app.metric
    shutil.copytree(published, data_dir / "warehouse")
    app.run()
    assert tiles(app)["People"] == "6"


@pytest.mark.parametrize(
    ("split", "parts"),
    [
        ("class", {"Ambulatory", "Emergency", "Inpatient encounter", "Not stated"}),
        ("location", {"Oakdale", "Riverbend"}),
    ],
)
def test_encounters_over_time_add_up(warehouse_dir: Path, split: str, parts: set[str]) -> None:
    unit, frame = figures.encounters(_warehouse(), Filters(), split)
    assert unit == "month"
    assert frame["encounters"].sum() == 60
    assert set(frame["part"]) == (
        {"Ambulatory", "Emergency", "Inpatient encounter", "Not stated"}
        if split == "class"
        else {"Oakdale", "Riverbend"}
    )


def test_a_claim_left_whole_to_the_patient_is_no_denial(warehouse_dir: Path) -> None:
    zero_paid = [row for row in group.claim_payments() if row["is_zero_paid"]]
    money = figures.money(_warehouse(), Filters())
    assert (len(zero_paid), money.denied, money.answers) == (3, 2, 12)


def test_money_stays_exact(warehouse_dir: Path) -> None:
    frame = revenue.payers(_warehouse(), Filters())
    assert str(frame["charged"].iloc[0]) == "848.40"
    assert frame["paid"].sum() == sum(
        row["paid_amount"] for row in group.payments() if row["payment_kind"] != "patient"
    )


def test_a_question_with_no_rows_still_has_its_columns(warehouse_dir: Path) -> None:
    frame = figures.messages(_warehouse(), Filters(source="nowhere"))
    assert frame.empty
    assert "rejected" in frame


@pytest.mark.parametrize(
    ("days", "unit"), [(0, "day"), (62, "day"), (63, "month"), (1095, "month"), (1096, "quarter"), (3651, "year")]
)
def test_the_unit_of_time_fits_the_span(days: int, unit: str) -> None:
    assert grain(group.TODAY - timedelta(days=days), group.TODAY) == unit


def test_no_encounters_have_no_span() -> None:
    assert grain(None, None) == "day"


def test_the_warehouse_cannot_read_other_files(warehouse_dir: Path) -> None:
    with pytest.raises(Exception, match="disabled"):
        _warehouse().ask("SELECT count(*) FROM read_text('/etc/hostname')")


def test_a_limited_warehouse_holds_no_other_rows_and_reads_no_other_files(warehouse_dir: Path) -> None:
    north = _warehouse(("Oakdale",))
    assert figures.volume(north, Filters()).people == 2
    assert north.ask("SELECT DISTINCT location FROM marts.encounters")["location"].tolist() == ["Oakdale"]
    assert not north.has("quality", "checks")
    assert figures.volume(_warehouse(()), Filters()) == figures.volume(_warehouse(("nowhere",)), Filters())
    for question in ("SELECT * FROM read_text('/etc/hostname')", "ATTACH '/tmp/other.duckdb'", "SET threads = 1"):
        with pytest.raises(Exception, match=r"disabled|locked"):
            north.ask(question)


def test_what_is_chosen_is_a_value_never_sql(warehouse_dir: Path) -> None:
    hostile = Filters(source="x'; DROP TABLE marts.patients; --")
    assert figures.volume(_warehouse(), hostile).people == 0
    assert figures.volume(_warehouse(), Filters()).people == 6


def _warehouse(places: tuple[str, ...] | None = None) -> Warehouse:
    found = open_warehouse(kept_snapshots(Settings())[0], places)
    assert isinstance(found, Warehouse)
    assert isinstance(found.ask("SELECT 1 AS one"), pd.DataFrame)
    return found
