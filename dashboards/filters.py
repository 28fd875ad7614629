"""What part of the group the figures are about: period, location and source, kept across pages and in the address.

They name places and times, never a person, so they may stand in an address that is shared.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from dashboards.warehouse import Parameter, Warehouse

if TYPE_CHECKING:
    from collections.abc import Sequence

EVERYTHING: Final = "All"
_PERIODS: Final = {"All time": None, "Last 12 months": 365, "Last 90 days": 90, "Last 30 days": 30, "Last 7 days": 7}
_LONGEST_BY_DAY, _LONGEST_BY_MONTH, _LONGEST_BY_QUARTER = 62, 3 * 365, 10 * 365

_PLACES = """
    SELECT DISTINCT source, location FROM (
        SELECT source, location FROM marts.feed_activity
        UNION ALL SELECT source, location FROM staging.stg_patients
        UNION ALL SELECT source, location FROM marts.encounters
        UNION ALL SELECT source, location FROM marts.appointments
        UNION ALL SELECT source, location FROM marts.claims
    )
"""


@dataclass(frozen=True, slots=True)
class Filters:
    """The chosen part: days from `starts` on and before `ends`, one location, one source; None is no limit."""

    starts: date | None = None
    ends: date | None = None
    location: str | None = None
    source: str | None = None

    def parameters(self, **more: Parameter) -> dict[str, Parameter]:
        """Return the values for a question to the warehouse."""
        return asdict(self) | more


def choose(warehouse: Warehouse) -> Filters:
    """Show the filters and return what is chosen."""
    places = warehouse.ask(_PLACES)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="filters"):
        period = _chosen("Period", "period", list(_PERIODS))
        location = _chosen("Location", "location", [EVERYTHING, *_names(places["location"])])
        source = _chosen("Source", "source", [EVERYTHING, *_names(places["source"])])
    days = _PERIODS[period]
    last_day = warehouse.built_at.date()
    return Filters(
        starts=None if days is None else last_day - timedelta(days=days - 1),
        ends=None if days is None else last_day + timedelta(days=1),
        location=None if location == EVERYTHING else location,
        source=None if source == EVERYTHING else source,
    )


def grain(first: date | None, last: date | None) -> str:
    """Return the unit of time whose bars stay readable between two days."""
    days = (last - first).days if first and last else 0
    if days <= _LONGEST_BY_DAY:
        return "day"
    if days <= _LONGEST_BY_MONTH:
        return "month"
    return "quarter" if days <= _LONGEST_BY_QUARTER else "year"


def _chosen(label: str, key: str, options: Sequence[str]) -> str:
    return str(st.selectbox(label, options, key=key, bind="query-params", persist_state="session", width=220))


def _names(column: Any) -> list[str]:
    return sorted(column.dropna().unique())
