"""Nobody sees a page without a log-in that the API confirms, and nothing outlives it."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import gate
from dashboards.app import PAGES, AppPage
from tests.unit.dashboards import group
from tests.unit.dashboards.conftest import log_in, open_page, press, tiles, words
from tests.unit.dashboards.hub_server import HubServer


def test_without_a_session_there_is_only_the_log_in(
    app: AppTest, warehouse_dir: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(monkeypatch, None)
    app.run()
    assert "Log in" in words(app)
    assert not app.metric
    assert not app.selectbox
    assert hub.asked == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.url_path)
def test_a_session_that_ended_shows_nothing_on_any_page(
    app: AppTest, warehouse_dir: Path, hub: HubServer, page: AppPage
) -> None:
    hub.sessions.clear()
    open_page(app, page.url_path)
    assert "Log in" in words(app)
    assert not app.metric
    assert not app.dataframe
    assert hub.paths() == ["GET /api/session"]


def test_a_session_that_ends_while_looking_hides_the_page_and_forgets_the_patient(
    app: AppTest, warehouse_dir: Path, hub: HubServer
) -> None:
    open_page(app, "patient")
    app.text_input(key="search_name").input("delgado")
    press(app, "Find")
    assert "people" in app.session_state
    hub.sessions.clear()
    app.run()
    assert "Log in" in words(app)
    assert "people" not in app.session_state


def test_somebody_elses_session_inherits_nothing(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    app.run()
    app.session_state["person_id"] = group.PERSON
    hub.answers["GET", "/api/session"] = (200, group.visitor("another"))
    app.run()
    assert "person_id" not in app.session_state


def test_who_may_do_nothing_here_is_refused(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    hub.answers["GET", "/api/session"] = (200, group.visitor("clerk", "patient.read", at=[]))
    app.run()
    assert "may not see" in words(app)
    assert not app.metric


def test_a_role_at_a_location_sees_the_numbers_of_that_location(
    app: AppTest, warehouse_dir: Path, hub: HubServer
) -> None:
    whole = tiles(app.run())
    hub.answers["GET", "/api/session"] = (200, group.visitor("analyst", "report.read", at=["Oakdale"]))
    app.run()
    limited = tiles(app)
    assert limited.keys() == whole.keys()
    assert (whole["People"], limited["People"]) == ("6", "2")
    assert (whole["Encounters"], limited["Encounters"]) == ("60", "20")
    choices = next(each.options for each in app.selectbox if each.label == "Location")
    assert choices == ["All", "Oakdale"]
    assert "Riverbend" not in words(app) + str([each.value for each in app.dataframe])


@pytest.mark.parametrize("page", ["patient", "quality", "feeds"])
def test_a_page_that_needs_more_is_refused_by_its_address(
    app: AppTest, warehouse_dir: Path, hub: HubServer, page: str
) -> None:
    hub.answers["GET", "/api/session"] = (200, group.visitor("analyst", "report.read", at=["Oakdale"]))
    open_page(app, page)
    assert "may not see" in words(app)
    assert not app.dataframe


def test_tables_are_taken_away_by_who_may_export(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    assert app.run().get("download_button")
    hub.answers["GET", "/api/session"] = (200, group.visitor("clinician", "report.read"))
    assert not app.run().get("download_button")


def test_an_api_that_is_away_opens_nothing(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    hub.stop()
    app.run()
    assert "does not answer" in words(app)
    assert not app.metric


def test_an_unused_page_is_locked_without_asking_the_api(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    app.run()
    assert tiles(app)
    asked = len(hub.asked)
    app.session_state["locked"] = True
    app.run()
    assert "Locked after 15 minutes" in words(app)
    assert not app.metric
    assert len(hub.asked) == asked


def test_the_lock_waits_for_the_idle_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def watch(minutes_unused: int) -> None:
        from datetime import timedelta

        import streamlit as st

        from dashboards.gate import lock_when_unused
        from hub_core.clock import now

        if "locked" not in st.session_state:
            st.session_state["used_at"] = now() - timedelta(minutes=minutes_unused)
            st.session_state["opened"] = "a chart"
            lock_when_unused(15)

    used = AppTest.from_function(watch, args=(14,)).run()
    assert "opened" in used.session_state
    unused = AppTest.from_function(watch, args=(15,)).run()
    assert unused.session_state["locked"]
    assert "opened" not in unused.session_state


def test_logging_out_ends_the_session_at_the_api(app: AppTest, warehouse_dir: Path, hub: HubServer) -> None:
    app.run()
    press(app, "Log out")
    assert "POST /logout" in hub.paths()
    assert group.SESSION not in hub.sessions
    assert "Log in" in words(app)
    assert not app.metric


@pytest.mark.parametrize("cookie", ["", "short", "a" * 201, "line\r\nX-Other: 1", "semi;colon-semi;colon"])
def test_a_cookie_that_is_no_session_is_not_sent_on(cookie: str) -> None:
    assert gate._SECRET.fullmatch(cookie) is None


def test_the_log_in_leads_back_to_the_page_on_the_same_host(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(monkeypatch, None)
    app.context["url"] = "http://localhost:8421/feeds"
    open_page(app, "feeds")
    link = next(element.body for element in app.html if "wc-button" in element.body)
    assert 'href="http://localhost:' in link
    assert "next=http%3A%2F%2Flocalhost%3A8421%2Ffeeds" in link
