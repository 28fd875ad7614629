"""Feeds: how far each feed is right now, what it could not take in and why, and how it went day by day."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
import streamlit as st

from dashboards import charts, filters, layout, phrases
from dashboards.answers import FeedState, Reject
from dashboards.figures import quality as figures
from dashboards.gate import Visit
from dashboards.layout import Tile
from dashboards.warehouse import Warehouse
from hub_core.clock import now

_REJECTS_SHOWN = 200
_BEHIND_AFTER = timedelta(minutes=5)
_ALL_FEEDS = "All feeds"


def show(visit: Visit) -> None:
    """Show the page."""
    snapshot = filters.opened(visit)
    layout.head("Feeds", "How far each feed is now, what could not be taken in, and why.")
    # Asked once per rerun and never on a timer: asking counts as use, and an unattended page must come to its end.
    states = visit.hub.feeds()
    _tiles(states)
    _table(states)
    if not states:
        return
    feed = filters.one_of("Feed", "feed", [_ALL_FEEDS, *(state.feed for state in states)], width=320)
    filters.write_address(["feed", "snapshot"])
    _rejects(visit, [state for state in states if feed in (_ALL_FEEDS, state.feed)])
    if snapshot is None:
        layout.nothing_built()
        return
    _trend(snapshot, None if feed == _ALL_FEEDS else feed)


def _tiles(states: tuple[FeedState, ...]) -> None:
    received = sum(state.received for state in states)
    rejected = sum(state.rejected for state in states)
    waits = [state.oldest_waiting_seconds for state in states if state.oldest_waiting_seconds is not None]
    layout.tiles(
        "Right now",
        [
            Tile("Feeds", phrases.count(len(states)), "Feeds of this installation."),
            Tile("Records received", phrases.count(received), "Since the installation was made."),
            Tile(
                "Rejected",
                f"{phrases.count(rejected)} · {phrases.share(rejected, received)}",
                "Kept whole, to be mended and replayed.",
            ),
            Tile("Waiting", phrases.count(sum(state.waiting for state in states)), "Stored and not yet applied."),
            Tile(
                "Oldest waiting",
                phrases.span(timedelta(seconds=max(waits))) if waits else "none",
                "How long the oldest stored record has waited to be applied.",
            ),
        ],
    )


def _table(states: tuple[FeedState, ...]) -> None:
    moment = now()
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader("Every feed", anchor=False, width="content")
            st.button("Refresh", icon=":material/refresh:", type="tertiary")
        if not states:
            st.info("No feed is configured, and nothing has come in yet.", icon=":material/sync_disabled:")
            return
        layout.shown(
            pd.DataFrame(
                [
                    {
                        "Feed": state.feed,
                        "State": _state(state),
                        "Source": state.source,
                        "Format": state.format,
                        "Received": state.received,
                        "Processed": state.processed,
                        "Filtered": state.filtered,
                        "Rejected": state.rejected,
                        "Waiting": state.waiting,
                        "Lag": _lag(state),
                        "Last received": phrases.ago(state.last_received_at, moment),
                    }
                    for state in states
                ]
            ),
            "feeds",
        )


def _state(state: FeedState) -> str:
    """Return in one word whether somebody must look at a feed."""
    if state.received == 0:
        return "Silent"
    if state.oldest_waiting_seconds is not None and timedelta(seconds=state.oldest_waiting_seconds) > _BEHIND_AFTER:
        return "Behind"
    return "Has rejects" if state.rejected else "Up to date"


def _lag(state: FeedState) -> str:
    if state.oldest_waiting_seconds is None:
        return "none"
    return phrases.span(timedelta(seconds=state.oldest_waiting_seconds))


def _rejects(visit: Visit, states: list[FeedState]) -> None:
    rejects = [
        (state.feed, reject)
        for state in states
        if state.rejected
        for reject in visit.hub.rejects(state.feed, _REJECTS_SHOWN)
    ]
    with st.container(border=True):
        st.subheader("Rejects", anchor=False)
        if not rejects:
            st.success("Nothing was rejected.", icon=":material/check_circle:")
            return
        st.caption(
            f"The newest of each feed, at most {_REJECTS_SHOWN}."
            " `wholechart messages show` opens one, `wholechart messages replay` runs it again."
        )
        layout.shown(_rejects_table(rejects), "rejects", Reason=st.column_config.TextColumn(width="large"))


def _rejects_table(rejects: list[tuple[str, Reject]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Received": phrases.clock_time(reject.created_at, st.context.timezone),
                "Feed": feed,
                "Reason": reject.reason,
                "Place": reject.place or "–",
                "Kind": reject.kind or "–",
                "Severity": reject.severity or "–",
                "Input": reject.input or "–",
                "Position": reject.position,
                "Message": reject.message_id or "–",
            }
            for feed, reject in sorted(rejects, key=_when, reverse=True)
        ]
    )


def _when(entry: tuple[str, Reject]) -> datetime:
    return entry[1].created_at or datetime.min.replace(tzinfo=now().tzinfo)


def _trend(snapshot: Warehouse, feed: str | None) -> None:
    frame = figures.trend(snapshot, feed)
    table = frame.rename(columns=lambda name: str(name).replace("_", " ").capitalize())

    def draw() -> None:
        chart = charts.fates_by_day(frame)
        layout.draw(chart, "Columns: records by day, split by processed, filtered, rejected, waiting")

    said = f"Records by the day they were received. {layout.as_of(snapshot)}"
    layout.card("Day by day", said, table, "trend", draw)
