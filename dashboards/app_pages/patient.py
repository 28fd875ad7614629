"""Patient: find a person, then their whole chart as one timeline, read live through the API.

What is asked and what is shown stays in the visit's own memory: never in the page's address, never in a cache, never
in a file to download - an export of a chart is the API's to decide and to put on record.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape
from uuid import UUID

import streamlit as st

from dashboards import layout, phrases, timeline
from dashboards.answers import Chart, Fact, Person
from dashboards.gate import Visit
from hub_core.clock import now

_FACTS_SHOWN = 40
_PEOPLE_SHOWN = 25
_CHART_FRESH = timedelta(seconds=60)
"""For how long choosing what to see does not read, and record the reading of, the same chart again."""
_EARLIEST_BIRTH = date(1880, 1, 1)


@dataclass(frozen=True, slots=True)
class OpenChart:
    """The chart a visitor looks at, and when it was read."""

    chart: Chart
    read_at: datetime


def show(visit: Visit) -> None:
    """Show the page."""
    layout.head("Patient", "One person's whole chart, from every source. Each look is recorded with your name.")
    _search(visit)
    person_id = st.session_state.get("person_id")
    if person_id is None:
        _people(st.session_state.get("people"))
    else:
        _chart(_read(visit, person_id))


def _search(visit: Visit) -> None:
    with st.form("search", border=True, enter_to_submit=True):
        name, identifier, birth_date, button = st.columns([3, 2, 2, 1], vertical_alignment="bottom")
        wanted_name = name.text_input("Name", key="search_name", max_chars=200, autocomplete="off")
        wanted_number = identifier.text_input(
            "MRN or other number", key="search_identifier", max_chars=200, autocomplete="off"
        )
        wanted_birth = birth_date.date_input(
            "Birth date", value=None, key="search_birth_date", min_value=_EARLIEST_BIRTH, max_value="today",
            format="YYYY-MM-DD",
        )  # fmt: skip
        pressed = button.form_submit_button("Find", type="primary", icon=":material/search:", width="stretch")
    if not pressed:
        return
    _close()
    if not (wanted_name.strip() or wanted_number.strip() or wanted_birth):
        st.session_state.pop("people", None)
        st.warning("Enter a name, a number or a birth date.")
        return
    st.session_state["people"] = visit.hub.find_people(
        name=wanted_name.strip(),
        identifier=wanted_number.strip(),
        birth_date=wanted_birth.isoformat() if isinstance(wanted_birth, date) else "",
    )


def _people(people: tuple[Person, ...] | None) -> None:
    """Show who was found, each with what tells namesakes apart."""
    if people is None:
        return
    if not people:
        st.info("Nobody fits. Check the spelling, or try with less.", icon=":material/person_off:")
        return
    found = f"{phrases.count(len(people))} {'person' if len(people) == 1 else 'people'} found."
    st.caption(
        found
        if len(people) <= _PEOPLE_SHOWN
        else f"{found} The first {_PEOPLE_SHOWN} are shown: say more to see fewer."
    )
    for person in people[:_PEOPLE_SHOWN]:
        with st.container(border=True, horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            with st.container(gap=None, width="stretch"):
                st.html(f"<strong>{escape(person.name)}</strong>")
                st.html(f"<small>{escape(_particulars(person))}</small>")
            st.button("Open chart", key=f"open-{person.person_id}", on_click=_open, args=(person.person_id,))


def _chart(opened: OpenChart) -> None:
    chart = opened.chart
    _banner(chart.person, opened.read_at)
    if not chart.is_complete:
        st.warning("This chart has more facts than can be shown here; the oldest are missing.")
    kind, sources, facts = _limited(chart.facts)
    if not facts:
        st.info("No facts of this kind.", icon=":material/filter_alt_off:")
        return
    pages = -(-len(facts) // _FACTS_SHOWN)
    page = st.pagination(pages, key=f"page-{kind}-{'-'.join(sources)}") if pages > 1 else 1
    first = (page - 1) * _FACTS_SHOWN
    last = min(first + _FACTS_SHOWN, len(facts))
    st.caption(f"{phrases.count(first + 1)}–{phrases.count(last)} of {phrases.count(len(facts))} facts, newest first")
    st.html(timeline.written(facts[first : first + _FACTS_SHOWN], st.context.timezone))


def _banner(person: Person, read_at: datetime) -> None:
    with st.container(border=True, key="banner"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="top"):
            with st.container(gap=None, width="content"):
                st.html(f'<h2 class="wc-name">{escape(person.name)}</h2><div>{escape(_particulars(person))}</div>')
            with st.container(horizontal=True, width="content", vertical_alignment="center"):
                st.caption(f":material/schedule: Read {phrases.clock_time(read_at, st.context.timezone)}")
                st.button("Read again", icon=":material/refresh:", type="tertiary", on_click=_forget_reading)
                st.button("Close", icon=":material/close:", type="tertiary", on_click=_close)
        sources = len({record.source for record in person.patients})
        with st.expander(f"{phrases.plural(len(person.patients), 'record')} in {phrases.plural(sources, 'source')}"):
            st.dataframe(
                [
                    {
                        "Source": record.source,
                        "Location": record.location or "–",
                        "Number": identifier.value if identifier else "–",
                        "Given by": identifier.system if identifier else "–",
                    }
                    for record in person.patients
                    for identifier in record.identifiers or (None,)
                ],
                hide_index=True,
                alt="Identifiers of this person in each source",
            )


def _limited(facts: tuple[Fact, ...]) -> tuple[str, list[str], list[Fact]]:
    """Let the reader choose kinds and sources, and return the choice and the facts left, newest first."""
    counts = Counter(fact.category for fact in facts)
    kind = st.pills(
        "Kind", ["All", *sorted(counts)], key="kind", default="All", required=True,
        format_func=lambda name: f"{name} {len(facts) if name == 'All' else counts[name]:,}",
    )  # fmt: skip
    all_sources = sorted({fact.source for fact in facts})
    sources = (
        st.pills("Source", all_sources, key="fact_sources", selection_mode="multi") if len(all_sources) > 1 else []
    )
    kept = [fact for fact in facts if kind in ("All", fact.category) and (not sources or fact.source in sources)]
    return str(kind), list(sources or ()), timeline.newest_first(kept)


def _read(visit: Visit, person_id: UUID) -> OpenChart:
    """Return the chart, read again when it is not the one that was open or no longer fresh."""
    opened: OpenChart | None = st.session_state.get("opened")
    if opened is None or opened.chart.person.person_id != person_id or now() - opened.read_at > _CHART_FRESH:
        with st.spinner("Reading the chart …"):
            opened = OpenChart(visit.hub.chart(person_id), now())
        st.session_state["opened"] = opened
        # A person merged into another is answered with the one who remains.
        st.session_state["person_id"] = opened.chart.person.person_id
    return opened


def _particulars(person: Person) -> str:
    sources = ", ".join(sorted({record.source for record in person.patients})) or "no source"
    born = (
        f"born {person.birth_date} ({phrases.age(person.birth_date, now().date())})"
        if person.birth_date
        else "birth date not known"
    )
    return f"{born} · {person.gender or 'gender not known'} · {sources}"


def _open(person_id: UUID) -> None:
    _close()
    st.session_state["person_id"] = person_id


def _close() -> None:
    for name in ("person_id", "opened", "kind", "fact_sources"):
        st.session_state.pop(name, None)


def _forget_reading() -> None:
    st.session_state.pop("opened", None)
