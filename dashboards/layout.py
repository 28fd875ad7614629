"""How every page is laid out: its head with the age of the data, tiles of numbers, cards of a chart with its table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboards import exports, phrases
from dashboards.charts import Drawing
from dashboards.warehouse import Warehouse
from hub_core.clock import now
from hub_core.errors import WholechartError

MARK: Final = Path(__file__).with_name("mark.svg")
"""Ours and packaged: Streamlit would fetch the picture of an icon's name from somebody else's server."""
_WORDMARK: Final = Path(__file__).with_name("wordmark.svg")
_STYLE: Final = Path(__file__).with_name("style.css")
_INK: Final = {"light": "#3c4a57", "dark": "#c3ced8"}


@dataclass(frozen=True, slots=True)
class Tile:
    """One number a manager looks for first."""

    label: str
    value: str
    help: str
    rows: str | None = None
    """The address of the rows it counts."""


def dress() -> None:
    """Load the few styles that no theme option covers."""
    st.html(_STYLE)


def sign() -> None:
    """Show whose product this is above the navigation."""
    st.logo(str(_WORDMARK), size="large", icon_image=str(MARK))


def head(title: str, said: str, warehouse: Warehouse | None = None) -> None:
    """Show a page's title, what it is for, and how old its numbers are, where they are the warehouse's."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom", key="head"):
        with st.container(gap=None, width="content"):
            st.title(title, anchor=False)
            st.caption(said)
        if warehouse is not None:
            with st.container(gap=None, width="content", key="as-of"):
                st.caption(
                    f":material/schedule: {as_of(warehouse)}",
                    help="When these numbers were built. They change together, at the next build of the warehouse.",
                )


def as_of(warehouse: Warehouse) -> str:
    """Return how old the warehouse's numbers are."""
    published = phrases.clock_time(warehouse.built_at, st.context.timezone)
    return f"As of **{published}** · {phrases.ago(warehouse.built_at, now())}"


def tiles(title: str, numbers: Sequence[Tile]) -> None:
    """Show a row of numbers, each with its label and what exactly it counts; narrow screens wrap it."""
    st.subheader(title, anchor=False)
    with st.grid(len(numbers), min_column_width=135, gap="small"):
        for tile in numbers:
            with st.container(border=True, height="stretch", gap=None, key=f"tile-{tile.label}"):
                st.metric(tile.label, tile.value, help=tile.help)
                if tile.rows:
                    about = escape(f"{tile.label}, {tile.value}: show the rows", quote=True)
                    address = escape(tile.rows, quote=True)
                    st.html(f'<a class="wc-rows" href="{address}" target="_self" aria-label="{about}">Rows</a>')


def card(title: str, said: str, table: pd.DataFrame, name: str, draw_chart: Callable[[], None]) -> None:
    """Frame a chart under its title, with its table and downloads one click away.

    Args:
        title: what it shows.
        said: one line on how to read it.
        table: the numbers behind the chart, columns named for people.
        name: names the downloads.
        draw_chart: draws it; left out when there is nothing to draw.
    """
    with st.container(border=True, height="stretch", gap="xsmall", key=f"card-{name}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(title, anchor=False, width="content")
            with st.popover("Table", icon=":material/table_view:", type="tertiary", width="content"):
                shown(table, name)
        st.caption(said)
        if table.empty:
            st.info("Nothing for the chosen filters.", icon=":material/filter_alt_off:")
        else:
            draw_chart()


def shown(table: pd.DataFrame, name: str, **columns: Any) -> None:
    """Show a table with its downloads; whole numbers, money and times are written for people."""
    st.dataframe(table, hide_index=True, column_config=written(table) | columns, alt=name.replace("-", " "))
    exports.offer(name, table)


def draw(chart: Drawing, alt_text: str) -> None:
    """Draw a chart, described for those who do not see it."""
    ink = _INK[st.context.theme.type or "light"]
    st.altair_chart(chart.configure_text(color=ink, fontSize=12), alt=alt_text)


def nothing_built() -> None:
    """Say that there is no warehouse yet, and how to get one."""
    with st.container(border=True):
        st.subheader("No numbers yet", anchor=False)
        st.markdown("The warehouse of this installation has not been built. Once messages have come in, build it:")
        st.code("wholechart build", language="shell")
        st.caption("A running house builds it by itself every few minutes.")


def trouble(error: WholechartError) -> None:
    """Say what went wrong in the words of the error, which never hold a patient's data."""
    st.error(f"{str(error)[:1].upper()}{str(error)[1:]}.", icon=":material/cloud_off:")
    st.caption("Nothing was lost. Try again in a moment; `wholechart status` tells what runs.")
    st.button("Try again", icon=":material/refresh:")


def written(table: pd.DataFrame) -> dict[str, Any]:
    """Return how each column is written, by what it holds."""
    written: dict[str, Any] = {}
    for name, values in table.items():
        first = next((value for value in values if value is not None), None)
        if type(first).__name__ == "Decimal":
            written[str(name)] = st.column_config.NumberColumn(format="dollar")
        elif isinstance(first, pd.Timestamp):
            written[str(name)] = st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm")
        elif pd.api.types.is_integer_dtype(values):
            written[str(name)] = st.column_config.NumberColumn(format="localized")
    return written
