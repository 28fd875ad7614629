"""Group overview: how many people, what was done for them, what was billed and paid, and what the feeds brought."""

from __future__ import annotations

import streamlit as st

from dashboards import charts, filters, layout, phrases
from dashboards.drill import Condition, Drill, of_persons, within
from dashboards.figures import overview as figures
from dashboards.figures import revenue, schedule
from dashboards.figures.reading import NOT_STATED
from dashboards.filters import Filters
from dashboards.gate import Visit
from dashboards.layout import Tile
from dashboards.warehouse import Warehouse

_TESTS_DRAWN = 8
_PAYERS_DRAWN = 6
_SPLITS = ("Class", "Location")
_AMOUNTS = {"charged": "Charged", "paid": "Paid", "patient_responsibility": "Patient responsibility"}
_PAGE = "overview"


def show(visit: Visit) -> None:
    """Show the page."""
    snapshot = filters.opened(visit)
    layout.head("Group overview", "All locations and sources of the group, joined.", snapshot)
    if snapshot is None:
        layout.nothing_built()
        return
    chosen = filters.choose(snapshot, visit.settings, "period", "location", "source", "day")
    _people_and_care(snapshot, chosen)
    _money(snapshot, chosen)
    st.space("small")
    _encounters(snapshot, chosen)
    for pair in ((_appointments, _lab_tests), (_payers, _messages)):
        for column, card in zip(st.columns(2, gap="small"), pair, strict=True):
            with column:
                card(snapshot, chosen)
    _records(snapshot, chosen)


def _rows(drill: Drill) -> str:
    return drill.address(filters.remembered(), _PAGE)


def _people_and_care(snapshot: Warehouse, chosen: Filters) -> None:
    volume = figures.volume(snapshot, chosen)
    layout.tiles(
        "People and care",
        [
            Tile(
                "People",
                phrases.count(volume.people),
                "Persons with a record in the chosen location and source.",
                _rows(of_persons(chosen)),
            ),
            Tile(
                "Patient records",
                phrases.count(volume.records),
                "Records of patients; one person may have several.",
                _rows(within("patient_records", chosen)),
            ),
            Tile("Sources", phrases.count(volume.sources), "Systems that keep these patient records."),
            Tile(
                "Encounters",
                phrases.count(volume.encounters),
                "Visits and stays that began in the period.",
                _rows(within("encounters", chosen, "started_date")),
            ),
            Tile(
                "Lab results",
                phrases.count(volume.lab_results),
                "Results collected in the period.",
                _rows(within("lab_results", chosen, "collected_at,issued_at")),
            ),
            Tile(
                "Appointments",
                phrases.count(volume.appointments),
                "Appointments that start in the period.",
                _rows(within("appointments", chosen, "starts_date")),
            ),
        ],
    )


def _money(snapshot: Warehouse, chosen: Filters) -> None:
    money = figures.money(snapshot, chosen)
    layout.tiles(
        "Money",
        [
            Tile(
                "Charged",
                phrases.dollars(money.charged),
                "What was charged less what was taken back, by day of service.",
                _rows(within("charges", chosen, "service_date")),
            ),
            Tile(
                "Paid",
                phrases.dollars(money.paid),
                "What insurers and patients paid, by day of payment.",
                _rows(within("payments", chosen, "payment_date")),
            ),
            Tile(
                "Patient responsibility",
                phrases.dollars(money.patient_responsibility),
                "What payers left to patients, by day of payment.",
                _rows(
                    within("claim_payments", chosen, "payment_date").where(
                        Condition("patient_responsibility_amount", "not", "0")
                    )
                ),
            ),
            Tile(
                "Denied claims",
                f"{phrases.count(money.denied)} · {phrases.share(money.denied, money.answers)}",
                "Answers of payers that deny the claim, or pay nothing and leave nothing to the patient; and their"
                " share of all answers. The page Revenue has each denied line.",
            ),
        ],
    )


def _encounters(snapshot: Warehouse, chosen: Filters) -> None:
    split = str(st.session_state.get("split", _SPLITS[0]))
    unit, frame = figures.encounters(snapshot, chosen, split.lower())
    table = frame.rename(columns={"period": unit.capitalize(), "part": split, "encounters": "Encounters"})

    def draw() -> None:
        st.segmented_control(
            "Split by", _SPLITS, key="split", default=_SPLITS[0], required=True, persist_state="session",
            label_visibility="collapsed",
        )  # fmt: skip
        layout.draw(
            charts.over_time(frame, unit=unit, value="encounters", split="part", split_title=split, last=NOT_STATED),
            f"Stacked columns: encounters by {unit} and {split.lower()}",
        )

    said = f"By {unit} in which they began (UTC), split by {split.lower()}."
    layout.card("Encounters over time", said, table, "encounters", draw)


def _appointments(snapshot: Warehouse, chosen: Filters) -> None:
    frame = figures.appointments(snapshot, chosen)
    frame["status"] = frame["status"].map(lambda status: schedule.STATUSES.get(status, status))

    def draw() -> None:
        chart = charts.ranked(frame, label="status", value="appointments", value_title="Appointments")
        layout.draw(chart, "Bars: appointments by status")

    table = frame.rename(columns=str.capitalize)
    layout.card("Appointments", "By their present status.", table, "appointments", draw)


def _lab_tests(snapshot: Warehouse, chosen: Filters) -> None:
    frame = figures.lab_tests(snapshot, chosen)

    def draw() -> None:
        chart = charts.ranked(frame.head(_TESTS_DRAWN), label="test", value="results", value_title="Results")
        layout.draw(chart, "Bars: the most frequent tests by number of results")

    said = f"The {min(_TESTS_DRAWN, len(frame))} most frequent of {phrases.count(len(frame))} tests."
    layout.card("Lab results", said, frame.rename(columns=str.capitalize), "lab-results", draw)


def _payers(snapshot: Warehouse, chosen: Filters) -> None:
    frame = revenue.payers(snapshot, chosen)

    def draw() -> None:
        chart = charts.amounts(frame.head(_PAYERS_DRAWN), label="payer", series=_AMOUNTS)
        layout.draw(chart, "Bars: charged, paid and patient responsibility by payer")

    table = frame[["payer", *_AMOUNTS]].rename(columns={"payer": "Payer", **_AMOUNTS})
    layout.card("Payers", "Charged by day of service; paid by day of payment.", table, "payers", draw)


def _messages(snapshot: Warehouse, chosen: Filters) -> None:
    frame = figures.messages(snapshot, chosen)

    def draw() -> None:
        chart = charts.fates_by_feed(frame)
        layout.draw(chart, "Bars: records by feed, split by processed, filtered, rejected, waiting")

    said = "Records received in the period and what became of them."
    layout.card("Messages by feed", said, frame.rename(columns=str.capitalize), "messages", draw)


def _records(snapshot: Warehouse, chosen: Filters) -> None:
    frame = figures.records(snapshot, chosen)
    with st.container(border=True):
        st.subheader("Patient records by source and location", anchor=False)
        layout.shown(
            frame.rename(columns={"source": "Source", "location": "Location", "records": "Records"}), "records"
        )
