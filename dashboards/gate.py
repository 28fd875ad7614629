"""The gate before every page: who is logged in, asked of the API at each rerun, and what a stranger sees instead.

Nothing about a visitor outlives their log-in: when it ends, changes or goes unused, all they looked at is forgotten
here. The page of somebody who walked away is locked without asking the API, because asking would count as use.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from urllib.parse import urlencode, urlsplit

import httpx
import streamlit as st

from dashboards import layout
from dashboards.answers import Visitor
from dashboards.hub import SESSION_COOKIE, Hub, SessionEndedError, open_client
from hub_core.clock import now
from hub_core.settings import Settings

_SECRET = re.compile(r"[A-Za-z0-9_-]{16,200}")
_WATCH_SECONDS = 30
_EVERY_ADDRESS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - recognised, not bound to


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who may look at the pages, and the API asked in their name."""

    visitor: Visitor
    hub: Hub
    settings: Settings


def admit(settings: Settings) -> Visit | None:
    """Return the visit of whoever is logged in, or None and forget all that was shown before.

    Raises:
        HubUnavailableError: if the API cannot say who it is.
    """
    if st.session_state.get("locked"):
        return None
    secret = session_secret()
    hub = Hub(_client(_inside_address(settings)), secret) if secret else None
    try:
        visitor = hub.visitor() if hub else None
    except SessionEndedError:
        visitor = None
    if hub is None or visitor is None:
        st.session_state.clear()
        return None
    if st.session_state.setdefault("visitor", visitor) != visitor:
        st.session_state.clear()
        st.session_state["visitor"] = visitor
    st.session_state["used_at"] = now()
    return Visit(visitor, hub, settings)


def session_secret() -> str | None:
    """Return the secret of the browser's session, if it looks like one."""
    secret = st.context.cookies.get(SESSION_COOKIE, "")
    return secret if _SECRET.fullmatch(secret) else None


@st.fragment(run_every=_WATCH_SECONDS)
def lock_when_unused(minutes: int) -> None:
    """Lock the page after as long without use as ends a log-in, so that a chart does not stay on an empty desk."""
    if now() - st.session_state.get("used_at", now()) >= timedelta(minutes=minutes):
        st.session_state.clear()
        st.session_state["locked"] = True
        st.rerun()


def show_login(settings: Settings, page: str) -> None:
    """Show the way to the log-in, which leads back to `page`, and nothing else."""
    _, middle, _ = st.columns([1, 2, 1])
    with middle, st.container(border=True, horizontal_alignment="center", key="login"):
        st.image(str(layout.MARK), width=56, alt="")
        st.title("Wholechart", anchor=False, width="content", text_alignment="center")
        if st.session_state.get("locked"):
            st.markdown(f"Locked after {settings.session_idle_minutes} minutes without use.", text_alignment="center")
            st.button("Continue", type="primary", on_click=_unlock)
        else:
            st.markdown("Log in to see your group's numbers and charts.", text_alignment="center")
            # A link of our own: Streamlit's button would open a second tab.
            address = escape(login_address(settings, page), quote=True)
            st.html(f'<a class="wc-button" href="{address}" target="_self">Log in</a>', width="content")


def login_address(settings: Settings, page: str) -> str:
    """Return the address of the log-in that leads back to `page`, on the browser's host, as cookies are per host."""
    reached = urlsplit(st.context.url or settings.dashboards_url)
    host = reached.hostname or settings.host
    host = f"[{host}]" if ":" in host else host
    api = settings.public_url or f"{reached.scheme}://{host}:{settings.api_port}"
    back = f"{reached.scheme}://{reached.netloc}/{page}"
    return f"{api}/login?{urlencode({'next': back})}"


def _unlock() -> None:
    st.session_state.clear()


def _inside_address(settings: Settings) -> str:
    """Return where this process reaches the API: directly, without the proxy people come through."""
    host = "127.0.0.1" if settings.host in _EVERY_ADDRESS else settings.host
    return f"http://[{host}]:{settings.api_port}" if ":" in host else f"http://{host}:{settings.api_port}"


@st.cache_resource(show_spinner=False)
def _client(address: str) -> httpx.Client:
    return open_client(address)
