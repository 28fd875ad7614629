"""The rows behind a number are asked of the API, shown as it says, and lead to the bytes that said them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.unit.dashboards import group
from tests.unit.dashboards.conftest import open_page, press, words
from tests.unit.dashboards.hub_server import HubServer

WHERE = ["payer_name is Prairie Health", "denied_date before 2026-02-01", "is_overturned is false"]
TABLE = "rows-table-denials-1"


def asked(hub: HubServer, what: str) -> list[dict[str, object]]:
    """Return the bodies of what was asked about denials."""
    return [json.loads(each.body) for each in hub.asked if each.path == f"/api/marts/denials/{what}"]


def opened(app: AppTest, **more: str) -> AppTest:
    """Open the rows of some denials."""
    app.query_params["mart"] = "denials"
    app.query_params["where"] = WHERE
    app.query_params["from"] = "revenue"
    for name, value in more.items():
        app.query_params[name] = value
    return open_page(app, "rows")


def chosen(app: AppTest, number: int) -> AppTest:
    """Tick a row."""
    app.session_state[TABLE] = {"selection": {"rows": [number], "columns": [], "cells": []}}
    return app.run()


def test_the_rows_are_asked_for_as_the_address_says(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    text = words(opened(app))
    assert asked(hub, "rows") == [
        {
            "where": [
                {"column": "payer_name", "test": "is", "value": "Prairie Health"},
                {"column": "denied_date", "test": "before", "value": "2026-02-01"},
                {"column": "is_overturned", "test": "is", "value": "false"},
            ],
            "snapshot": "test",
            "limit": 100,
            "offset": 0,
        }
    ]
    for said in ("Denials", "payer name is Prairie Health", "denied date to 2026-01-31", "1–2 of 250 rows"):
        assert said in text
    assert not app.exception


def test_a_row_says_whom_it_is_about_and_keeps_its_cents(app: AppTest, warehouse_dir: Path) -> None:
    (table,) = (table.value for table in opened(app).dataframe)
    assert list(table.columns[:4]) == ["Person", "Born", "Telephone", "Denied date"]
    assert list(table["Person"].fillna("")) == ["Maria Delgado", ""]
    assert str(table["Denied amount"].iloc[0]) == "12.10"
    assert "Recorded at" not in table
    assert list(table.columns[-3:]) == ["Source", "Location", "Denial id"]


def test_a_row_leads_to_its_messages_and_no_address_names_it(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    opened(app)
    chosen(app, 0)
    assert asked(hub, "trace") == [{"key": "denial-0", "snapshot": "test"}]
    text = words(app)
    for said in ("835", "000017.835", "record 2", "0198a000-0000-7000-8000-000000000077", "Written here, not received"):
        assert said in text
    assert "CAS*CO*197*12.10~\n" in text
    app.run()
    assert len(asked(hub, "trace")) == 1, "a row that is looked at is read, and put on record, once"
    assert set(app.query_params) == {"mart", "where", "from"}
    assert "denial-0" not in str(app.query_params)


def test_a_row_leads_to_the_chart_of_whom_it_is_about(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    opened(app)
    chosen(app, 0)
    press(app, "Open chart")
    assert str(app.session_state["person_id"]) == group.PERSON


def test_a_row_about_nobody_leads_to_no_chart(app: AppTest, warehouse_dir: Path) -> None:
    opened(app)
    chosen(app, 1)
    assert "Open chart" not in [button.label for button in app.button]


def test_more_rows_are_one_page_away(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    opened(app)
    app.run()
    app.session_state["rows_page"] = 2
    app.run()
    assert asked(hub, "rows")[-1]["offset"] == 100


@pytest.mark.parametrize("where", [["payer_name like x"], ["nonsense"], [""]])
def test_an_address_that_is_not_ours_asks_nothing(
    app: AppTest, warehouse_dir: Path, hub: HubServer, where: list[str]
) -> None:
    app.query_params["mart"] = "denials"
    app.query_params["where"] = where
    assert "Select a number" in words(open_page(app, "rows"))
    assert not asked(hub, "rows")


def test_a_mart_that_is_not_there_is_said_to_be(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    del hub.answers["POST", "/api/marts/denials/rows"]
    assert "no such rows" in words(opened(app))


def test_the_name_of_a_mart_cannot_lead_elsewhere(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    app.query_params["mart"] = "../people/search"
    open_page(app, "rows")
    assert "POST /api/marts/..%2Fpeople%2Fsearch/rows" in hub.paths()
