"""Locations: each location beside the others, in people, care and money, and how they went month by month."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboards import charts, filters, layout, tables
from dashboards.drill import Condition, Drill, of_persons, same, within
from dashboards.figures import locations as figures
from dashboards.figures.reading import NOT_STATED
from dashboards.filters import Filters
from dashboards.gate import Visit
from dashboards.tables import Column, Row
from dashboards.warehouse import Warehouse

_PAGE = "locations"
_MONEY_MEASURES = ("Charged", "Paid")
_SUMMED = ("visits", "ambulatory", "emergency", "inpatient", "other", "appointments", "missed", "results")
_AMOUNTS = ("charged", "insurers_paid", "patients_paid", "denied", "open")


def show(visit: Visit) -> None:
    """Show the page."""
    snapshot = filters.opened(visit)
    layout.head("Locations", "Each location beside the others.", snapshot)
    if snapshot is None:
        layout.nothing_built()
        return
    chosen = filters.choose(snapshot, visit.settings, "period", "location", "source", "payer", "day")
    _care(snapshot, chosen)
    _money(snapshot, chosen)
    _months(snapshot, chosen)


def _care(snapshot: Warehouse, chosen: Filters) -> None:
    frame = figures.care(snapshot, chosen)
    visits = within("encounters", chosen, "started_date").where(
        *(Condition("status", "not", status) for status in figures.VISITS_LEFT_OUT)
    )
    of_class = {name: visits.where(Condition("class_code", "is", code)) for code, name in figures.CLASSES.items()}
    other = visits.where(*(Condition("class_code", "not", code) for code in figures.CLASSES))
    bookings = within("appointments", chosen, "starts_date")
    columns = [
        Column("location", "Location", "text"),
        Column("persons", "Persons", rows=partial(_persons, chosen), help="With a record here; one may be at several."),
        Column("visits", "Visits", rows=_here(visits), help="Not cancelled, by the day they began."),
        Column("ambulatory", "Office", rows=_here(of_class["ambulatory"])),
        Column("emergency", "Emergency", rows=_here(of_class["emergency"])),
        Column("inpatient", "Inpatient", rows=_here(of_class["inpatient"])),
        Column("other", "Other visits", rows=_here(other)),
        Column("appointments", "Appointments", rows=_here(bookings)),
        Column("missed", "Missed", rows=_here(bookings.where(Condition("is_no_show", "is", "true")))),
        Column("results", "Lab results", rows=_here(within("lab_results", chosen, "collected_at,issued_at"))),
    ]
    total = tables.sums(frame, "location", _SUMMED, "All") | {"persons": figures.persons(snapshot, chosen)}
    said = "Persons as they are now; all else by its day. A person at several locations is one in the sum."
    tables.card("People and care", said, frame, columns, name="locations-care", page=_PAGE, total=total)


def _money(snapshot: Warehouse, chosen: Filters) -> None:
    frame = figures.money(snapshot, chosen)
    payments = within("payments", chosen, "payment_date", has_payer=True)
    owed = within("receivables", chosen, has_payer=True).where(Condition("open_amount", "not", "0"))
    columns = [
        Column("location", "Location", "text"),
        Column("charged", "Charged", "dollars", _here(within("charges", chosen, "service_date", has_payer=True))),
        Column(
            "insurers_paid",
            "Paid by insurers",
            "dollars",
            _here(payments.where(Condition("payment_kind", "not", "patient"))),
            "Less what insurers withheld or took back.",
        ),
        Column(
            "patients_paid",
            "Paid by patients",
            "dollars",
            _here(payments.where(Condition("payment_kind", "is", "patient"))),
        ),
        Column("denied", "Denied", "dollars", _here(within("denials", chosen, "denied_date", has_payer=True))),
        Column("open", "Still owed", "dollars", _here(owed), "As this build of the numbers knows it."),
    ]
    total = tables.sums(frame, "location", _AMOUNTS, "All")
    said = "US dollars. Charged by day of service, paid by day of payment, denied by day of the answer; owed as of now."
    tables.card("Money", said, frame, columns, name="locations-money", page=_PAGE, total=total)


def _months(snapshot: Warehouse, chosen: Filters) -> None:
    measure = str(st.session_state.get("measure", figures.MEASURES[0]))
    frame = figures.months(snapshot, chosen, measure)
    is_money = measure in _MONEY_MEASURES

    def draw() -> None:
        st.segmented_control(
            "Measure", figures.MEASURES, key="measure", default=figures.MEASURES[0], required=True,
            persist_state="session", label_visibility="collapsed",
        )  # fmt: skip
        title = f"{measure}, US dollars" if is_money else measure
        chart = charts.by_month(frame, split="location", split_title="Location", value_title=title, is_money=is_money)
        layout.draw(chart, f"Lines: {measure.lower()} by month, one for each location")

    table = frame.rename(columns={"period": "Month", "location": "Location", "amount": measure})
    said = f"{measure} of each location; the first and the last month may not be whole."
    layout.card("Month by month", said, table, "locations-months", draw)
    if frame.empty and measure != figures.MEASURES[0]:
        st.button("Show visits", on_click=_show_first, icon=":material/undo:")


def _show_first() -> None:
    st.session_state["measure"] = figures.MEASURES[0]


def _here(drill: Drill) -> Callable[[Row], Drill]:
    """Return the way to the rows of the location a line is about; the last line is about all of them."""
    return lambda row: drill if row["location"] == "All" else drill.where(same("location", row["location"]))


def _persons(chosen: Filters, row: Row) -> Drill | None:
    if row["location"] == NOT_STATED:
        return None
    everybody = of_persons(chosen)
    return everybody if row["location"] == "All" else everybody.where(Condition("locations", "has", row["location"]))
