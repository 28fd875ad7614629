"""Tables of figures for people: plain HTML that a phone can scroll and a screen reader can read, its numbers links.

A number leads to its rows (`dashboards.drill`). What is not a number of anything is text and leads nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Any, Literal, TypeAlias

import pandas as pd
import streamlit as st

from dashboards import exports, filters, phrases
from dashboards.drill import Drill

Row: TypeAlias = Mapping[str, Any]
Frame: TypeAlias = pd.DataFrame
Kind: TypeAlias = Literal["text", "count", "dollars", "share"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the name in the frame, the title above it, how it is written, and where its numbers lead."""

    name: str
    title: str
    kind: Kind = "count"
    rows: Callable[[Row], Drill | None] | None = None
    """Return the rows that a number counts."""
    help: str = ""


def show(
    frame: pd.DataFrame, columns: Sequence[Column], *, name: str, page: str, label: str, total: Row | None = None
) -> None:
    """Show a table; the first column heads each row.

    Args:
        frame: the figures, one row each.
        columns: what is shown of them, in order.
        name: names the downloads.
        page: the address of this page, to come back to.
        label: says to those who do not see it what the table holds.
        total: the last row, for all rows together.
    """
    chosen = filters.remembered()
    titles = "".join(_title(column) for column in columns)
    body = "".join(_row(row, columns, chosen, page) for row in _rows(frame))
    foot = f"<tfoot>{_row(total, columns, chosen, page)}</tfoot>" if total is not None else ""
    st.html(
        f'<div class="wc-table" role="region" tabindex="0" aria-label="{escape(label, quote=True)}">'
        f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody>{foot}</table></div>"
    )


def offered(frame: pd.DataFrame, columns: Sequence[Column], total: Row | None = None) -> pd.DataFrame:
    """Return the table as it is shown, for a file: the same columns under the same titles, numbers as numbers."""
    rows = [*_rows(frame), *([total] if total is not None else [])]
    return pd.DataFrame([{column.title: row.get(column.name) for column in columns} for row in rows])


def card(
    title: str,
    said: str,
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    name: str,
    page: str,
    total: Row | None = None,
    most: int | None = None,
    draw_chart: Callable[[], None] | None = None,
) -> None:
    """Frame a table under its title, with its downloads one click away.

    Args:
        title: what it shows.
        said: one line on how to read it.
        frame: the figures, one row each.
        columns: what is shown of them, in order.
        name: names the downloads.
        page: the address of this page.
        total: the last row, for all rows together.
        most: rows shown here; the files hold all.
        draw_chart: draws the same figures below the table.
    """
    with st.container(border=True, gap="xsmall", key=f"card-{name}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(title, anchor=False, width="content")
            with st.popover("Download", icon=":material/download:", type="tertiary", width="content"):
                exports.offer(name, offered(frame, columns, total))
        st.caption(said)
        if frame.empty:
            st.info("Nothing for the chosen filters.", icon=":material/filter_alt_off:")
            return
        show(frame.head(most) if most else frame, columns, name=name, page=page, label=title, total=total)
        if most and len(frame) > most:
            st.caption(f"The first {most} of {phrases.count(len(frame))}; the download holds all.")
        if draw_chart:
            draw_chart()


def sums(frame: pd.DataFrame, heading: str, names: Sequence[str], title: str = "Total") -> dict[str, Any]:
    """Return the row of sums of these columns, headed `title` in the column `heading`."""
    return {heading: title, **{name: sum(frame[name], start=type(_first(frame[name]))(0)) for name in names}}


def _rows(frame: pd.DataFrame) -> list[Row]:
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, values, strict=True)) for values in frame.itertuples(index=False, name=None)]


def _first(values: Any) -> Any:
    return next(iter(values), 0)


def _title(column: Column) -> str:
    help_ = f' title="{escape(column.help, quote=True)}"' if column.help else ""
    css = "" if column.kind == "text" else ' class="wc-number"'
    return f'<th scope="col"{css}{help_}>{escape(column.title)}</th>'


def _row(row: Row, columns: Sequence[Column], chosen: Mapping[str, str], page: str) -> str:
    head, *others = columns
    return (
        f'<tr><th scope="row">{_cell(row, head, head, chosen, page)}</th>'
        + "".join(f"<td{_css(row, column)}>{_cell(row, column, head, chosen, page)}</td>" for column in others)
        + "</tr>"
    )


def _css(row: Row, column: Column) -> str:
    """Return how a cell looks: numbers to the right, and nothing at all paler than something."""
    if column.kind == "text":
        return ""
    return ' class="wc-number"' if row.get(column.name) else ' class="wc-number wc-zero"'


def _cell(row: Row, column: Column, head: Column, chosen: Mapping[str, str], page: str) -> str:
    value = row.get(column.name)
    written = escape(_written(value, column.kind))
    drill = column.rows(row) if column.rows and value else None
    if drill is None:
        return written
    about = escape(f"{written}, {column.title}, {row.get(head.name)}: show the rows", quote=True)
    address = escape(drill.address(chosen, page), quote=True)
    return f'<a href="{address}" target="_self" aria-label="{about}">{written}</a>'


def _written(value: Any, kind: Kind) -> str:
    if value is None or value is pd.NA or value != value:  # a NaN is not itself
        return "–"
    if kind == "dollars":
        return phrases.cents(Decimal(value))
    return phrases.count(int(value)) if kind == "count" else str(value)
