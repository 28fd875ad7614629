"""What part of the group the figures are about: period, place, payer, and as of when; kept across pages and reloads.

They name places, payers and times, never a person, so they may stand in an address that is shared. The visit remembers
them; each page writes those it uses into its address, and takes over what an address says that somebody opens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import streamlit as st

from dashboards import phrases
from dashboards.warehouse import Parameter, Warehouse, open_warehouse
from hub_core.snapshot import kept_snapshots

if TYPE_CHECKING:
    from dashboards.gate import Visit
    from hub_core.settings import Settings

EVERYTHING: Final = "All"
NEWEST: Final = "newest"
Name: TypeAlias = Literal["period", "location", "source", "payer", "day"]
NAMES: Final[tuple[str, ...]] = ("period", "location", "source", "payer", "day", "snapshot", "feed")
"""Every filter there is, as an address calls it."""

_PERIODS: Final = {"All time": None, "Last 12 months": 365, "Last 90 days": 90, "Last 30 days": 30, "Last 7 days": 7}
_LONGEST_BY_DAY, _LONGEST_BY_MONTH, _LONGEST_BY_QUARTER = 62, 3 * 365, 10 * 365
_REMEMBERED, _WRITTEN, _PAGE = "chosen", "chosen_in_address", "chosen_on_page"

_PLACES = """
    SELECT DISTINCT source, location FROM (
        SELECT source, location FROM marts.feed_activity
        UNION ALL SELECT source, location FROM marts.patient_records
        UNION ALL SELECT source, location FROM marts.encounters
        UNION ALL SELECT source, location FROM marts.appointments
        UNION ALL SELECT source, location FROM marts.claims
    )
"""
_PAYERS = """
    SELECT DISTINCT payer_name FROM (
        SELECT payer_name FROM marts.claims
        UNION ALL SELECT payer_name FROM marts.claim_payments
        UNION ALL SELECT payer_name FROM marts.charges
        UNION ALL SELECT payer_name FROM marts.receivables
    ) WHERE payer_name IS NOT NULL ORDER BY ALL
"""
# What has happened, not what is planned: neither a booking ahead nor a clock that is wrong moves the last day.
_LAST_DAY = """
    SELECT coalesce(max(day), $built) AS last_day FROM (
        SELECT max(started_date) AS day FROM marts.encounters WHERE started_date <= $built
        UNION ALL SELECT max(service_start_date) FROM marts.claims WHERE service_start_date <= $built
        UNION ALL SELECT max(payment_date) FROM marts.claim_payments WHERE payment_date <= $built
    )
"""


@dataclass(frozen=True, slots=True)
class Filters:
    """The chosen part: days from `starts` on and before `ends`, a location, a source, a payer; None is no limit."""

    starts: date | None = None
    ends: date | None = None
    location: str | None = None
    source: str | None = None
    payer: str | None = None
    day: date = date.max
    """The day as of which ages are counted and periods end: the last one on which something happened, or earlier."""
    received_from: date | None = None
    """The same period on this house's own clock, which runs on when a source has ended: for what came in."""

    def parameters(self, **more: Parameter) -> dict[str, Parameter]:
        """Return the values for a question to the warehouse."""
        return asdict(self) | more


def take_over(page: str) -> None:
    """Take over what the address says, when it is not what was written there: a link, a bookmark, the way back.

    The navigation carries nothing along, so an address without filters keeps what is chosen, when it is another page's.

    Args:
        page: the address of the page that is shown.
    """
    said = {name: st.query_params[name] for name in NAMES if name in st.query_params}
    if st.session_state.get(_PAGE) != page:
        st.session_state[_PAGE] = page
        st.session_state[_WRITTEN] = {}
    if said != st.session_state[_WRITTEN]:
        st.session_state[_REMEMBERED], st.session_state[_WRITTEN] = said, dict(said)
        for name in NAMES:
            st.session_state.pop(name, None)


def remembered() -> dict[str, str]:
    """Return what is chosen and not the default, as an address says it."""
    return dict(st.session_state.get(_REMEMBERED, {}))


def opened(visit: Visit) -> Warehouse | None:
    """Return the snapshot that is chosen, the newest unless another is, or None when nothing was built yet.

    It holds the locations that the visitor's roles reach, and no others.
    """
    wanted = st.session_state.get("snapshot") or remembered().get("snapshot")
    kept = kept_snapshots(visit.settings)
    chosen = next((each for each in kept if each.build_id == wanted), kept[0] if kept else None)
    return None if chosen is None else open_warehouse(chosen, visit.visitor.report_places)


def choose(warehouse: Warehouse, settings: Settings, *names: Name) -> Filters:
    """Show these filters and return what is chosen; the others limit nothing on this page."""
    places = warehouse.ask(_PLACES)
    last_day = warehouse.ask(_LAST_DAY, {"built": warehouse.built_at.date()})["last_day"].item()
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="filters"):
        period = one_of("Period", "period", list(_PERIODS)) if "period" in names else next(iter(_PERIODS))
        location = _place("Location", "location", places) if "location" in names else None
        source = _place("Source", "source", places) if "source" in names else None
        payer = _payer(warehouse) if "payer" in names else None
        day = _day(last_day) if "day" in names else None
        _snapshot(settings)
    write_address([*names, "snapshot"])
    until = min(day or last_day, last_day)
    days = _PERIODS[period]
    return Filters(
        starts=None if days is None else until - timedelta(days=days - 1),
        ends=None if days is None and until == last_day else until + timedelta(days=1),
        location=location,
        source=source,
        payer=payer,
        day=until,
        received_from=None if days is None else warehouse.built_at.date() - timedelta(days=days - 1),
    )


def keep(name: str, value: str, default: str) -> None:
    """Remember what is chosen; the default needs no remembering."""
    chosen = st.session_state.setdefault(_REMEMBERED, {})
    if value == default:
        chosen.pop(name, None)
    else:
        chosen[name] = value


def write_address(names: Sequence[str], more: Mapping[str, str] | None = None) -> None:
    """Write what is chosen into the page's address, so that it can be shared and survives loading it again."""
    written = {name: value for name, value in remembered().items() if name in names}
    st.session_state[_WRITTEN] = written
    address = {**(more or {}), **written}
    if st.query_params.to_dict() != address:
        st.query_params.from_dict(address)


def grain(first: date | None, last: date | None) -> str:
    """Return the unit of time whose bars stay readable between two days."""
    days = (last - first).days if first and last else 0
    if days <= _LONGEST_BY_DAY:
        return "day"
    if days <= _LONGEST_BY_MONTH:
        return "month"
    return "quarter" if days <= _LONGEST_BY_QUARTER else "year"


def one_of(label: str, name: str, options: Sequence[str], written: Callable[[str], str] = str, width: int = 160) -> str:
    """Show one filter, the first option its default; a value that is not offered is not taken."""
    if st.session_state.get(name) not in options:
        wanted = remembered().get(name)
        st.session_state[name] = wanted if wanted in options else options[0]
    chosen = str(st.selectbox(label, options, key=name, format_func=written, width=width))
    keep(name, chosen, options[0])
    return chosen


def _place(label: str, column: str, places: Any) -> str | None:
    chosen = one_of(label, column, [EVERYTHING, *sorted(places[column].dropna().unique())])
    return None if chosen == EVERYTHING else chosen


def _payer(warehouse: Warehouse) -> str | None:
    chosen = one_of("Payer", "payer", [EVERYTHING, *warehouse.ask(_PAYERS)["payer_name"]])
    return None if chosen == EVERYTHING else chosen


def _day(last_day: date) -> date | None:
    """Show the choice of a day; none means the last one, so that tomorrow's build moves it."""
    wanted = st.session_state["day"] if "day" in st.session_state else _date(remembered().get("day", ""))
    st.session_state["day"] = wanted if wanted is not None and wanted <= last_day else None
    chosen: date | None = st.date_input(
        "As of day", key="day", max_value=last_day, format="YYYY-MM-DD", width=150,
        help=f"Periods end and ages count at this day. Empty is the last day of the data, {last_day:%d %b %Y}.",
    )  # fmt: skip
    keep("day", "" if chosen is None else chosen.isoformat(), "")
    return chosen


def _snapshot(settings: Settings) -> None:
    """Let an earlier build be chosen, where one is kept."""
    kept = kept_snapshots(settings)
    if len(kept) < 2:
        return
    times = {each.build_id: phrases.clock_time(each.built_at, st.context.timezone) for each in kept}
    builds = [each.build_id for each in kept]
    written = {NEWEST: "The newest", **times}
    if one_of("Build", "snapshot", [NEWEST, *builds[1:]], lambda build: written[build], 230) != NEWEST:
        st.badge("Earlier build", icon=":material/history:", color="orange")


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
