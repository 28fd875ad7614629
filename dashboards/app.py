"""The app Streamlit runs: the gate first, then the pages; a new page is one line here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Final

import streamlit as st

from dashboards import filters, gate, layout
from dashboards.answers import Visitor
from dashboards.app_pages import feeds, locations, overview, patient, quality, revenue, rows, schedule
from dashboards.gate import Visit
from dashboards.hub import SessionEndedError
from hub_core.access import Action
from hub_core.errors import WholechartError
from hub_core.settings import Settings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AppPage:
    """One page: what it is called, where it is, and what shows it."""

    title: str
    url_path: str
    icon: str
    show: Callable[[Visit], None]
    needs: Action = "report.read"
    """What somebody must be allowed to do who opens it; the API says who is."""
    is_of_group: bool = False
    """Whether it is about the whole group, and so for roles that are."""
    is_listed: bool = True
    """Whether the navigation lists it; one that is not is reached from others."""

    def is_open_to(self, visitor: Visitor) -> bool:
        """Return whether somebody may open it."""
        return self.needs in visitor.actions and (not self.is_of_group or visitor.report_places is None)


PAGES: Final = (
    AppPage("Group overview", "overview", ":material/monitoring:", overview.show),
    AppPage("Locations", "locations", ":material/location_on:", locations.show),
    AppPage("Schedule", "schedule", ":material/calendar_month:", schedule.show),
    AppPage("Revenue", "revenue", ":material/payments:", revenue.show),
    AppPage("Patient", "patient", ":material/person_search:", patient.show, needs="chart.read"),
    AppPage("Feeds", "feeds", ":material/sync_alt:", feeds.show, needs="feed.read"),
    AppPage("Data quality", "quality", ":material/rule:", quality.show, is_of_group=True),
    AppPage("Rows", "rows", ":material/table_rows:", rows.show, is_listed=False),
)


def main() -> None:
    """Show the page that is asked for, to whom may see it."""
    settings = Settings()
    st.set_page_config(page_title="Wholechart", page_icon=str(layout.MARK), layout="wide")
    layout.dress()
    try:
        visit = gate.admit(settings)
    except WholechartError as error:
        trouble = error
        _navigate(lambda _: layout.trouble(trouble))
        return
    if visit is None:
        _navigate(lambda page: gate.show_login(settings, page))
    elif not any(page.is_open_to(visit.visitor) for page in PAGES):
        refused = visit
        _navigate(lambda _: _refuse(refused))
        _account(visit)
    else:
        layout.sign()
        gate.lock_when_unused(settings.session_idle_minutes)
        _account(visit)
        _show(visit)


def _show(visit: Visit) -> None:
    """Run the chosen page; the boundary where its faults end, told without what they were about."""
    first = next(page for page in PAGES if page.is_open_to(visit.visitor))
    pages = {
        page.url_path: st.Page(
            partial(page.show if page.is_open_to(visit.visitor) else _refuse, visit),
            title=page.title,
            icon=page.icon,
            url_path=page.url_path,
            default=page is first,
            visibility="visible" if page.is_listed and page.is_open_to(visit.visitor) else "hidden",
        )
        for page in PAGES
    }
    chosen = st.navigation(list(pages.values()))
    st.session_state["pages"] = pages
    filters.take_over(chosen.url_path)
    try:
        chosen.run()
    except SessionEndedError:
        st.session_state.clear()
        st.rerun()
    except WholechartError as error:
        layout.trouble(error)
    except Exception as error:  # boundary: a page; its message or traceback could name a patient
        _log.error("page %s failed: %s", chosen.url_path or "overview", _place(error))
        st.error("This page could not be shown. The dashboards' log names the place.", icon=":material/error:")


def _navigate(show: Callable[[str], None]) -> None:
    """Answer every page's address with the same page, so that a link from outside meets it and not an error."""
    pages = [
        st.Page(
            partial(show, page.url_path if number else ""),
            title="Wholechart",
            url_path=page.url_path,
            default=not number,
        )
        for number, page in enumerate(PAGES)
    ]
    st.navigation(pages, position="hidden").run()


def _refuse(_: Visit) -> None:
    st.warning("Your account may not see these pages. Ask an administrator.", icon=":material/lock:")


def _account(visit: Visit) -> None:
    """Show who is logged in, and the way out."""
    with st.sidebar:
        st.html(f"<small>Logged in as <b>{escape(visit.visitor.name)}</b></small>")
        st.button("Log out", icon=":material/logout:", on_click=_log_out, args=(visit,), width="stretch")


def _log_out(visit: Visit) -> None:
    """End the session at the API, then forget everything here."""
    try:
        visit.hub.log_out()
    except WholechartError as error:
        _log.warning("log-out: %s", error)
    st.session_state.clear()


def _place(error: Exception) -> str:
    """Return where an error arose, without what it says."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}" if last is not None else "an unknown place"
    return f"{type(error).__name__} at {where}"


if __name__ == "__main__":
    main()
