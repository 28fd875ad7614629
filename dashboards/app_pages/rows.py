"""Rows: what a number counts, row by row, and behind each row the resources and messages it was made from.

A number names nobody, its rows do: they are asked of the API, which puts each look on record. Which rows are shown
stands in the address; which one is looked into, never.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from html import escape
from typing import Any, Final
from uuid import UUID

import pandas as pd
import streamlit as st

from dashboards import exports, filters, layout, phrases
from dashboards.answers import MartRows, RowPerson, RowTrace, TracedMessage
from dashboards.drill import Condition, Drill
from dashboards.gate import Visit
from dashboards.warehouse import Warehouse
from hub_core.errors import NotFoundError

_ROWS_SHOWN: Final = 100
_LONG_TEXT: Final = 2_000
_PLACES: Final = ("source", "location")
_LAST: Final = (*_PLACES, "recorded_at")
"""Columns that are not what a row says but where it came from: last, or left to the trace."""
_ACRONYMS: Final = {"mrn": "MRN", "npi": "NPI", "cvx": "CVX", "icd10": "ICD-10", "loinc": "LOINC", "rxnorm": "RxNorm"}


def show(visit: Visit) -> None:
    """Show the page."""
    snapshot = filters.opened(visit)
    drill = _wanted()
    title = drill.mart.replace("_", " ").capitalize() if drill else "Rows"
    layout.head(title, "The rows behind a number. Each look is recorded with your name.", snapshot)
    if snapshot is None:
        layout.nothing_built()
        return
    if drill is None:
        st.info("Select a number on another page to see the rows it counts.", icon=":material/ads_click:")
        return
    _said(drill)
    page = _page(drill)
    try:
        found = visit.hub.rows(drill, snapshot.name, limit=_ROWS_SHOWN, offset=(page - 1) * _ROWS_SHOWN)
    except NotFoundError:
        st.info("There are no such rows in this build of the numbers.", icon=":material/filter_alt_off:")
        return
    st.session_state["rows_total"] = found.total
    chosen = _table(found, page)
    if chosen is not None:
        _row(visit, snapshot, found, chosen)


def _wanted() -> Drill | None:
    """Return the rows that the address asks for."""
    mart = st.query_params.get("mart", "")
    conditions = [Condition.read(text) for text in st.query_params.get_all("where")]
    if not mart or None in conditions:
        return None
    return Drill(mart, tuple(each for each in conditions if each is not None))


def _said(drill: Drill) -> None:
    """Show what limits the rows, and the way back."""
    back = st.query_params.get("from", "")
    pages: Mapping[str, Any] = st.session_state.get("pages", {})
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="conditions"):
        if back in pages:
            st.page_link(pages[back], label="Back", icon=":material/arrow_back:")
        said = "".join(f"<li>{escape(condition.words())}</li>" for condition in drill.conditions)
        st.html(f'<ul class="wc-conditions">{said or "<li>all</li>"}</ul>')


def _page(drill: Drill) -> int:
    """Return which page of the rows is shown; the first when others are asked for."""
    if st.session_state.get("rows_of") != drill:
        for name in ("rows_total", "rows_page"):
            st.session_state.pop(name, None)
        st.session_state["rows_of"] = drill
    pages = -(-st.session_state.get("rows_total", 0) // _ROWS_SHOWN)
    return int(st.pagination(pages, key="rows_page")) if pages > 1 else 1


def _table(found: MartRows, page: int) -> int | None:
    """Show the rows and return which one is chosen."""
    if not found.rows:
        st.info("No row fulfils this.", icon=":material/filter_alt_off:")
        return None
    first = (page - 1) * _ROWS_SHOWN
    st.caption(
        f"{phrases.count(first + 1)}–{phrases.count(first + len(found.rows))} of {phrases.count(found.total)}"
        f" {'row' if found.total == 1 else 'rows'}, newest first. Tick a row to see where it came from."
    )
    frame = _frame(found)
    event: Any = st.dataframe(
        frame,
        hide_index=True,
        column_config=layout.written(frame),
        on_select="rerun",
        selection_mode="single-row",
        key=f"rows-table-{found.mart}-{page}",
        alt=f"rows of {found.mart.replace('_', ' ')}",
    )
    exports.offer(found.mart.replace("_", "-"), frame)
    rows = event["selection"]["rows"]
    return int(rows[0]) if rows and rows[0] < len(found.rows) else None


def _frame(found: MartRows) -> pd.DataFrame:
    """Return the rows as a table for people: whom each is about, its day, what it says, and last where it is from."""
    facts = [name for name in found.columns if not name.endswith(("_id", "_ids")) and name not in _LAST]
    said = [name for name in facts if any(row[name] is not None for row in found.rows)]
    days = [name for name in said if any(isinstance(row[name], date) for row in found.rows)]
    shown = list(dict.fromkeys([*days[:1], *(name for name in said if name not in days), *days, *_PLACES, found.key]))
    shown = [name for name in shown if name in found.columns]
    people = [
        {"Person": person.name, "Born": person.birth_date, "Telephone": person.phone} if person else {}
        for person in found.people
    ]
    rows = [
        {**person, **{_title(name): _cell(row[name]) for name in shown}}
        for person, row in zip(people, found.rows, strict=True)
    ]
    return pd.DataFrame(rows)


def _cell(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _title(name: str) -> str:
    words = name.removeprefix("is_").split("_")
    return " ".join([_ACRONYMS.get(words[0], words[0].capitalize()), *words[1:]])


def _row(visit: Visit, snapshot: Warehouse, found: MartRows, number: int) -> None:
    """Show what one row was made from."""
    row, person = found.rows[number], found.people[number]
    with st.container(border=True, key="trace"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader("Where this row came from", anchor=False, width="content")
            _to_chart(row, person)
        trace = _traced(visit, snapshot, found.mart, str(row[found.key]))
        st.caption(
            "The resources it was made from, each with the message that said so."
            f" `wholechart trace {found.mart} {row[found.key]}` shows the same, and earlier versions."
        )
        newest = [(resource.reference, version) for resource in trace.resources for version in resource.versions[:1]]
        for number, (reference, version) in enumerate(newest):
            name = f"{reference.partition('/')[0]} from {version.source}, version {version.version}"
            _origin(name, reference, version.message, is_open=not number)
        for message in trace.messages:
            _origin(f"Message of {message.feed}", None, message, is_open=len(trace.messages) == 1)


def _traced(visit: Visit, snapshot: Warehouse, mart: str, key: str) -> RowTrace:
    """Return the trace of a row, asked once while it is looked at."""
    wanted = (snapshot.name, mart, key)
    if st.session_state.get("traced_row") != wanted:
        with st.spinner("Reading the messages …"):
            st.session_state["trace_read"] = visit.hub.trace(mart, key, snapshot.name)
        st.session_state["traced_row"] = wanted
    trace: RowTrace = st.session_state["trace_read"]
    return trace


def _origin(name: str, reference: str | None, message: TracedMessage | None, *, is_open: bool) -> None:
    """Show a resource, or a message that is none, and the bytes that said it."""
    with st.expander(name, icon=":material/description:", expanded=is_open):
        if message is None:
            st.caption("Written here, not received.")
            return
        place = f", record {message.record}" if message.record else ""
        came_in = f" in {message.input}" if message.input else ""
        received = phrases.clock_time(message.received_at, st.context.timezone)
        made = f"<br><code>{escape(reference)}</code>" if reference else ""
        st.html(
            f'<div class="wc-from"><b>{escape(message.kind)}</b> from feed {escape(message.feed)}{escape(came_in)}'
            f"{escape(place)} · received {escape(received)} · message <code>{escape(message.message_id)}</code>{made}"
            "</div>"
        )
        height = None if len(message.text) < _LONG_TEXT else 320
        st.code(_lines(message.text), language=None, wrap_lines=True, height=height)
        if not message.is_whole:
            st.caption("Only the beginning is shown; `wholechart trace` has the rest.")


def _lines(text: str) -> str:
    """Return a message with each segment on a line of its own."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return lines if "\n" in lines.strip() else lines.replace("~", "~\n")


def _to_chart(row: Mapping[str, Any], person: RowPerson | None) -> None:
    """Offer the way to the chart of whom the row is about."""
    if row.get("person_id") and (person is not None or "full_name" in row):
        pages: Mapping[str, Any] = st.session_state.get("pages", {})
        if st.button("Open chart", icon=":material/person:", type="tertiary") and "patient" in pages:
            st.session_state["person_id"] = UUID(str(row["person_id"]))
            st.session_state.pop("opened", None)
            st.switch_page(pages["patient"])
