"""A chart is read through the API, shown with the source of each fact, and leaves no trace outside the visit."""

from __future__ import annotations

import json
from pathlib import Path

from streamlit.testing.v1 import AppTest

from tests.unit.dashboards import group
from tests.unit.dashboards.conftest import open_page, press, words
from tests.unit.dashboards.hub_server import HubServer


def found(app: AppTest) -> AppTest:
    """Open the page and look for somebody."""
    open_page(app, "patient")
    app.text_input(key="search_name").input("delgado")
    return press(app, "Find")


def opened(app: AppTest) -> AppTest:
    """Open the chart of whom was found."""
    found(app)
    return press(app, "Open chart")


def test_a_search_is_asked_in_the_body_and_never_in_an_address(app: AppTest, data_dir: Path, hub: HubServer) -> None:
    open_page(app, "patient")
    app.text_input(key="search_name").input("delgado")
    app.text_input(key="search_identifier").input("10001")
    press(app, "Find")
    asked = next(asked for asked in hub.asked if asked.method == "POST")
    assert asked.path == "/api/people/search"
    assert json.loads(asked.body) == {"name": "delgado", "identifier": "10001"}
    assert app.query_params == {}
    assert "1 person found" in words(app)


def test_an_empty_search_is_not_asked(app: AppTest, data_dir: Path, hub: HubServer) -> None:
    open_page(app, "patient")
    press(app, "Find")
    assert "Enter a name" in words(app)
    assert not any("people" in path for path in hub.paths())


def test_nobody_found_is_said(app: AppTest, data_dir: Path, hub: HubServer) -> None:
    hub.answers["POST", "/api/people/search"] = (200, [])
    assert "Nobody fits" in words(found(app))


def test_the_chart_shows_each_fact_with_its_source_newest_first(app: AppTest, data_dir: Path, hub: HubServer) -> None:
    text = words(opened(app))
    assert f"GET /api/people/{group.PERSON}/chart" in hub.paths()
    for said in ("Hemoglobin A1c 1", "hospital-adt", "Riverbend", "08 Jan 2026, 15:00 UTC", "0198a000-0000-7000"):
        assert said in text
    assert text.index("08 January 2026") < text.index("28 December 2025")
    assert "1–40 of 90 facts" in text
    assert app.query_params == {}


def test_text_from_outside_is_shown_and_never_run(app: AppTest, data_dir: Path) -> None:
    bodies = "".join(element.body for element in opened(app).html)
    assert "&lt;script&gt;" in bodies
    assert "<script>" not in bodies
    assert "Maria &lt;b&gt;Delgado" in bodies


def test_facts_are_limited_by_kind_and_source(app: AppTest, data_dir: Path, hub: HubServer) -> None:
    opened(app)
    asked = len([path for path in hub.paths() if path.endswith("/chart")])
    app.pills(key="kind").set_value("Lab result").run()
    assert "1–23 of 23 facts" in words(app)
    app.pills(key="fact_sources").set_value(["clinic"]).run()
    text = words(app)
    assert "1–7 of 7 facts" in text
    assert "hospital-adt" not in text
    assert len([path for path in hub.paths() if path.endswith("/chart")]) == asked


def test_reading_again_asks_the_api_again(app: AppTest, data_dir: Path, hub: HubServer) -> None:
    opened(app)
    press(app, "Read again")
    assert hub.paths().count(f"GET /api/people/{group.PERSON}/chart") == 2


def test_a_merged_person_is_read_once_under_who_remains(app: AppTest, data_dir: Path, hub: HubServer) -> None:
    survivor = "0198a000-0000-7000-8000-000000000002"
    answer = group.chart()
    answer["person"]["person_id"] = survivor
    hub.answers["GET", f"/api/people/{group.PERSON}/chart"] = (200, answer)
    opened(app)
    app.run()
    assert [path for path in hub.paths() if path.endswith("/chart")] == [f"GET /api/people/{group.PERSON}/chart"]
    assert str(app.session_state["person_id"]) == survivor


def test_a_chart_cut_short_says_so(app: AppTest, data_dir: Path, hub: HubServer) -> None:
    hub.answers["GET", f"/api/people/{group.PERSON}/chart"] = (200, group.chart() | {"is_complete": False})
    assert "oldest are missing" in words(opened(app))


def test_a_chart_is_not_offered_as_a_file(app: AppTest, data_dir: Path) -> None:
    assert len(opened(app).download_button) == 0


def test_closing_forgets_the_chart(app: AppTest, data_dir: Path) -> None:
    opened(app)
    press(app, "Close")
    assert "opened" not in app.session_state
    assert "Hemoglobin" not in words(app)


def test_an_answer_that_is_not_understood_names_no_patient(app: AppTest, data_dir: Path, hub: HubServer) -> None:
    hub.answers["GET", f"/api/people/{group.PERSON}/chart"] = (200, b'{"person": "Delgado"')
    text = words(opened(app))
    assert "is not understood" in text
    assert "Delgado" not in text.partition("is not understood")[2]


def test_a_person_who_is_gone_is_said_to_be(app: AppTest, data_dir: Path, hub: HubServer) -> None:
    del hub.answers["GET", f"/api/people/{group.PERSON}/chart"]
    assert "knows nothing about this chart" in words(opened(app))
