"""The charts, drawn with Altair: plain, labelled with units, and readable in light, in dark and by colour-blind people.

Series take their colours from the theme (`.streamlit/config.toml`); only what has one meaning on every page, the fate
of a message, has fixed colours that hold on both backgrounds. Each chart stands beside its table (`layout.card`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import altair as alt
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Drawing: TypeAlias = Any
"""A chart of Altair, whose fluent methods say no type."""

FATES: Final = {
    "Processed": "#1f9e89",
    "Filtered": "#7f8fa0",
    "Rejected": "#d9600a",
    "Waiting": "#3b8bd0",
}
"""What becomes of a record that came in, and its colour: 3:1 on both backgrounds."""

AGES: Final = ("#8fb8c9", "#5d9ab3", "#2f7c9b", "#a8652a", "#b3442e")
"""How long something has been owed, from new to old: blue while it is usual, brown and red when it is not."""

_ROW_HEIGHT, _BAR_HEIGHT, _AXIS_HEIGHT = 34, 18, 75
_LEGEND_HEIGHT, _LEGEND_ROW = 29, 18
"""Pixels; a chart's height is that of all it holds, its axis and legend too."""
_TIME_FORMATS: Final = {"day": "%d %b %Y", "month": "%b %Y", "quarter": "Q%q %Y", "year": "%Y"}
_LABEL_WIDTH = 170
_FEWEST_DAYS = 14


def over_time(frame: pd.DataFrame, *, unit: str, value: str, split: str, split_title: str, last: str) -> Drawing:
    """Return stacked columns over time, one for each `period` of `unit`; the part called `last` lies on top."""
    order = _by_size(frame, split, value, last)
    written = _TIME_FORMATS[unit]
    return (
        alt.Chart(_timed(frame, "period"))
        .mark_bar()
        .encode(
            x=alt.X(f"{_time_unit(unit)}(period):T", title=unit.capitalize(), axis=_time_axis(written)),
            y=alt.Y(f"sum({value}):Q", title=value.replace("_", " ").capitalize(), axis=_whole_numbers()),
            color=alt.Color(f"{split}:N", title=None, sort=order, legend=_legend()),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("utcyearmonthdate(period):T", title=unit.capitalize(), format=written),
                alt.Tooltip(f"{split}:N", title=split_title),
                alt.Tooltip(f"{value}:Q", title=value.replace("_", " ").capitalize(), format=",d"),
            ],
        )
        .transform_calculate(rank=f"indexof({order!r}, datum.{split})")
        .properties(height=280)
    )


def ranked(frame: pd.DataFrame, *, label: str, value: str, value_title: str) -> Drawing:
    """Return one bar for each row, as ordered in the frame, its number written at its end."""
    base = alt.Chart(frame).encode(
        y=alt.Y(f"{label}:N", title=None, sort=None, axis=_names_axis()),
        x=alt.X(f"{value}:Q", title=value_title, axis=_whole_numbers(), scale=_room_for_numbers(frame[value])),
        tooltip=[
            alt.Tooltip(f"{label}:N", title=label.capitalize()),
            alt.Tooltip(f"{value}:Q", title=value_title, format=",d"),
        ],
    )
    bars = base.mark_bar(height=_BAR_HEIGHT, cornerRadiusEnd=3)
    numbers = base.mark_text(align="left", dx=5).encode(text=alt.Text(f"{value}:Q", format=",d"))
    return (bars + numbers).properties(height=_height(len(frame)))


def amounts(frame: pd.DataFrame, *, label: str, series: Mapping[str, str]) -> Drawing:
    """Return grouped bars of money for each row; `series` names the columns and how they are called."""
    named = frame[[label, *series]].rename(columns=dict(series)).astype(dict.fromkeys(series.values(), float))
    long = named.melt(label, var_name="amount", value_name="dollars")
    order = list(series.values())
    return (
        alt.Chart(long)
        .mark_bar(height=10, cornerRadiusEnd=2)
        .encode(
            y=alt.Y(f"{label}:N", title=None, sort=None, axis=_names_axis()),
            yOffset=alt.YOffset("amount:N", sort=order),
            x=alt.X("dollars:Q", title="US dollars", axis=alt.Axis(format="$,.0f", tickCount=4)),
            color=alt.Color("amount:N", title=None, sort=order, legend=_legend(1)),
            tooltip=[
                alt.Tooltip(f"{label}:N", title=label.capitalize()),
                alt.Tooltip("amount:N", title="Amount"),
                alt.Tooltip("dollars:Q", title="US dollars", format="$,.2f"),
            ],
        )
        .properties(height=(12 * len(series) + 14) * len(frame) + _AXIS_HEIGHT + _legend_height(len(series)))
    )


def by_month(
    frame: pd.DataFrame, *, split: str, split_title: str, value_title: str, is_money: bool, order: Sequence[str] = ()
) -> Drawing:
    """Return a line for each part over months; columns `period` and `amount`."""
    names = list(order) or sorted(frame[split].unique())
    written = "$,.0f" if is_money else ",d"
    axis = alt.Axis(format="$~s", tickCount=5) if is_money else _whole_numbers()
    return (
        alt.Chart(_timed(frame.assign(amount=frame["amount"].astype(float)), "period"))
        .mark_line(point=alt.OverlayMarkDef(size=28), strokeWidth=2)
        .encode(
            x=alt.X("utcyearmonth(period):T", title="Month", axis=_time_axis(_TIME_FORMATS["month"])),
            y=alt.Y("amount:Q", title=value_title, axis=axis, scale=alt.Scale(zero=True)),
            color=alt.Color(f"{split}:N", title=None, sort=names, legend=_legend()),
            tooltip=[
                alt.Tooltip("utcyearmonth(period):T", title="Month", format=_TIME_FORMATS["month"]),
                alt.Tooltip(f"{split}:N", title=split_title),
                alt.Tooltip("amount:Q", title=value_title, format=written),
            ],
        )
        .properties(height=300)
    )


def aged(frame: pd.DataFrame, *, label: str, ages: Mapping[str, str]) -> Drawing:
    """Return one bar of money for each row, split by how long it has been owed; `ages` names columns, newest first."""
    named = frame[[label, *ages]].rename(columns=dict(ages)).astype(dict.fromkeys(ages.values(), float))
    order = list(ages.values())
    long = named.melt(label, var_name="age", value_name="dollars")
    return (
        alt.Chart(long.assign(rank=long["age"].map(order.index)))
        .mark_bar(height=_BAR_HEIGHT)
        .encode(
            y=alt.Y(f"{label}:N", title=None, sort=list(frame[label]), axis=_names_axis()),
            x=alt.X("dollars:Q", title="US dollars", axis=alt.Axis(format="$~s", tickCount=5)),
            color=alt.Color(
                "age:N", title=None, scale=alt.Scale(domain=order, range=list(AGES[: len(order)])), legend=_legend()
            ),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip(f"{label}:N", title="Owed by"),
                alt.Tooltip("age:N", title="Age"),
                alt.Tooltip("dollars:Q", title="US dollars", format="$,.2f"),
            ],
        )
        .properties(height=_height(len(frame)) + _legend_height(3))
    )


def rates(frame: pd.DataFrame, *, label: str, value: str, value_title: str) -> Drawing:
    """Return one bar for each row with its share in percent written at its end; a row without one has no bar."""
    base = alt.Chart(frame).encode(
        y=alt.Y(f"{label}:N", title=None, sort=None, axis=_names_axis()),
        x=alt.X(f"{value}:Q", title=value_title, axis=alt.Axis(format="%", tickCount=5), scale=_room_for(frame[value])),
        tooltip=[
            alt.Tooltip(f"{label}:N", title=label.capitalize()),
            alt.Tooltip(f"{value}:Q", title=value_title, format=".1%"),
        ],
    )
    bars = base.mark_bar(height=_BAR_HEIGHT, cornerRadiusEnd=3)
    numbers = base.mark_text(align="left", dx=5).encode(text=alt.Text(f"{value}:Q", format=".1%"))
    return (bars + numbers).properties(height=_height(len(frame)))


def fates_by_feed(frame: pd.DataFrame) -> Drawing:
    """Return one bar for each feed, split by what became of its records."""
    return (
        alt.Chart(_fates(frame, ["feed"]))
        .mark_bar(height=_BAR_HEIGHT)
        .encode(
            y=alt.Y("feed:N", title=None, sort=list(frame["feed"]), axis=_names_axis()),
            x=alt.X("sum(records):Q", title="Records", axis=_whole_numbers()),
            color=_fate_color(),
            order=alt.Order("rank:Q"),
            tooltip=[alt.Tooltip("feed:N", title="Feed"), *_fate_tooltips()],
        )
        .properties(height=_height(len(frame)) + _legend_height(2))
    )


def fates_by_day(frame: pd.DataFrame) -> Drawing:
    """Return one column for each day, split by what became of its records."""
    return (
        alt.Chart(_timed(_fates(frame, ["day"]), "day"))
        .mark_bar()
        .encode(
            x=alt.X(
                "utcyearmonthdate(day):T",
                title="Day received (UTC)",
                axis=_time_axis("%d %b"),
                scale=_at_least_days(frame["day"]),
            ),
            y=alt.Y("sum(records):Q", title="Records", axis=_whole_numbers()),
            color=_fate_color(),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("utcyearmonthdate(day):T", title="Day (UTC)", format="%d %b %Y"),
                *_fate_tooltips(),
            ],
        )
        .properties(height=240)
    )


def _fates(frame: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Return one row for each key and fate, in the order fates are drawn."""
    columns = {fate.lower(): fate for fate in FATES}
    long = frame[[*keys, *columns]].rename(columns=columns).melt(list(keys), var_name="fate", value_name="records")
    return long.assign(rank=long["fate"].map(list(FATES).index))


def _fate_color() -> alt.Color:
    scale = alt.Scale(domain=list(FATES), range=list(FATES.values()))
    return alt.Color("fate:N", title=None, scale=scale, legend=_legend())


def _fate_tooltips() -> list[alt.Tooltip]:
    return [alt.Tooltip("fate:N", title="Became"), alt.Tooltip("records:Q", title="Records", format=",d")]


def _timed(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the frame with days as moments of UTC, so that no reader's zone moves a day."""
    return frame.assign(**{column: pd.to_datetime(frame[column], utc=True)})


def _time_unit(unit: str) -> str:
    return {"day": "utcyearmonthdate", "month": "utcyearmonth", "quarter": "utcyearquarter", "year": "utcyear"}[unit]


def _at_least_days(days: Any) -> alt.Scale:
    """Return a scale of two weeks or more that ends with the last day, so that a single day is not drawn as a wall."""
    if not len(days):
        return alt.Scale()
    last = pd.Timestamp(days.max()) + timedelta(days=1)
    first = min(pd.Timestamp(days.min()), last - timedelta(days=_FEWEST_DAYS))
    return alt.Scale(domain=[alt.DateTime(year=d.year, month=d.month, date=d.day, utc=True) for d in (first, last)])


def _by_size(frame: pd.DataFrame, split: str, value: str, last: str) -> list[str]:
    """Return the parts of a split, the largest first, so that it lies at the bottom; `last` comes last all the same."""
    sizes: Any = frame.groupby(split)[value].sum().sort_values(ascending=False, kind="stable")
    return sorted((str(name) for name in sizes.index), key=lambda name: name == last)


def _time_axis(written: str) -> alt.Axis:
    return alt.Axis(format=written, labelAngle=0, labelOverlap=True, grid=False, tickCount=8)


def _names_axis() -> alt.Axis:
    return alt.Axis(labelLimit=_LABEL_WIDTH, ticks=False, domain=False, labelPadding=8)


def _whole_numbers() -> alt.Axis:
    return alt.Axis(format=",d", tickMinStep=1, tickCount=5)


def _room_for_numbers(values: Any) -> alt.Scale:
    """Return a scale that leaves room beside the longest bar for its number."""
    return alt.Scale(domain=[0, max(1.0, float(values.max() if len(values) else 0) * 1.15)], nice=False)


def _room_for(shares: Any) -> alt.Scale:
    """Return a scale that leaves room beside the longest bar of shares for its number."""
    longest = shares.max() if len(shares) else 0
    return alt.Scale(domain=[0, max(0.01, float(longest if longest == longest else 0) * 1.15)], nice=False)


def _legend(columns: int = 2) -> alt.Legend:
    """Return a legend as wide as fits beside the names of a chart on a phone."""
    return alt.Legend(orient="top", direction="horizontal", labelLimit=_LABEL_WIDTH, columns=columns)


def _legend_height(rows: int) -> int:
    return _LEGEND_HEIGHT + _LEGEND_ROW * rows


def _height(rows: int) -> int:
    return _ROW_HEIGHT * rows + _AXIS_HEIGHT
