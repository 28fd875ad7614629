"""Schedule: appointments by day, clinician and status, how many were missed, and whom nobody called back."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboards import charts, filters, layout, phrases, tables
from dashboards.drill import Condition, Drill, same, within
from dashboards.figures import schedule as figures
from dashboards.filters import Filters
from dashboards.gate import Visit
from dashboards.layout import Tile
from dashboards.tables import Column, Row
from dashboards.warehouse import Warehouse

_PAGE = "schedule"
_CLINICIANS_SHOWN = 20
_LEADS = {"Up to 7": (None, 8), "8 to 30": (8, 31), "31 to 90": (31, 91), "Over 90": (91, None)}


def show(visit: Visit) -> None:
    """Show the page."""
    snapshot = filters.opened(visit)
    layout.head("Schedule", "Appointments, who missed them, and who was never seen again.", snapshot)
    if snapshot is None:
        layout.nothing_built()
        return
    chosen = filters.choose(snapshot, visit.settings, "period", "location", "source", "day")
    attendance = figures.attendance(snapshot, chosen)
    _tiles(attendance, chosen)
    _over_time(snapshot, chosen)
    _clinicians(snapshot, chosen)
    for column, card in zip(st.columns(2, gap="small"), (_lead_times, _weekdays), strict=True):
        with column:
            card(snapshot, chosen)


def _tiles(attendance: figures.Attendance, chosen: Filters) -> None:
    bookings = within("appointments", chosen, "starts_date")

    def rows(drill: Drill) -> str:
        return drill.address(filters.remembered(), _PAGE)

    layout.tiles(
        "What became of them",
        [
            Tile(
                "Appointments",
                phrases.count(attendance.appointments),
                "Appointments that start in the period, whatever became of them.",
                rows(bookings),
            ),
            Tile("Kept", phrases.count(attendance.kept), "The patient came: arrived, checked in or fulfilled."),
            Tile(
                "Cancelled",
                phrases.count(attendance.cancelled),
                "Cancelled by either side.",
                rows(bookings.where(Condition("is_cancelled", "is", "true"))),
            ),
            Tile(
                "Missed",
                phrases.count(attendance.missed),
                "The patient neither came nor cancelled.",
                rows(bookings.where(Condition("is_no_show", "is", "true"))),
            ),
            Tile(
                "No-show rate",
                phrases.share(attendance.missed, attendance.kept + attendance.missed),
                "Missed among those kept or missed.",
            ),
            Tile(
                "To call back",
                phrases.count(attendance.lost_persons),
                f"Persons who missed {phrases.count(attendance.lost)} appointments and neither came nor booked again"
                " since. The rows have their names and telephone numbers.",
                rows(_lost(chosen)),
            ),
        ],
    )


def _over_time(snapshot: Warehouse, chosen: Filters) -> None:
    unit, frame = figures.over_time(snapshot, chosen)
    frame = frame.assign(status=frame["status"].map(lambda status: figures.STATUSES.get(status, status)))
    table = frame.rename(columns={"period": unit.capitalize(), "status": "Status", "appointments": "Appointments"})

    def draw() -> None:
        chart = charts.over_time(
            frame, unit=unit, value="appointments", split="status", split_title="Status", last="No-show"
        )
        layout.draw(chart, f"Stacked columns: appointments by {unit} and status")

    layout.card("Appointments over time", f"By {unit} in which they start (UTC).", table, "schedule-time", draw)


def _clinicians(snapshot: Warehouse, chosen: Filters) -> None:
    frame = figures.clinicians(snapshot, chosen)
    frame = frame.assign(rate=_rates(frame))
    bookings = within("appointments", chosen, "starts_date")
    columns = [
        Column("clinician", "Clinician", "text"),
        Column("appointments", "Appointments", rows=_of("practitioner_name", "clinician", bookings)),
        Column("kept", "Kept"),
        Column("cancelled", "Cancelled", rows=_of("practitioner_name", "clinician", _is(bookings, "is_cancelled"))),
        Column("missed", "Missed", rows=_of("practitioner_name", "clinician", _is(bookings, "is_no_show"))),
        Column("rate", "No-show rate", "share", help="Missed among those kept or missed."),
        Column(
            "lost",
            "Not seen again",
            rows=_of("practitioner_name", "clinician", _lost(chosen)),
            help="Missed appointments whose patient neither came nor booked again since.",
        ),
    ]
    total = tables.sums(frame, "clinician", ("appointments", "kept", "cancelled", "missed", "lost"), "All")
    total["rate"] = phrases.share(total["missed"], total["kept"] + total["missed"])
    said = "By the clinician an appointment was with. Select a number to see its rows."
    tables.card(
        "Clinicians", said, frame, columns, name="schedule-clinicians", page=_PAGE, total=total, most=_CLINICIANS_SHOWN
    )


def _lead_times(snapshot: Warehouse, chosen: Filters) -> None:
    frame = figures.lead_times(snapshot, chosen)
    missed = within("no_shows", chosen, "starts_date")
    columns = [
        Column("booked_ahead", "Days booked ahead", "text"),
        Column("missed", "Missed", rows=_lead(missed)),
        Column("seen_again", "Seen again", rows=_lead(_is(missed, "is_seen_again"))),
        Column("lost", "Not seen again", rows=_lead(_lost(chosen))),
    ]
    said = "Missed appointments by how long before they had been booked."
    tables.card("Missed appointments", said, frame, columns, name="schedule-missed", page=_PAGE)


def _weekdays(snapshot: Warehouse, chosen: Filters) -> None:
    frame = figures.weekdays(snapshot, chosen)
    frame["rate"] = (frame["missed"] / (frame["kept"] + frame["missed"])).where(frame["kept"] + frame["missed"] > 0)

    def draw() -> None:
        chart = charts.rates(frame, label="weekday", value="rate", value_title="No-show rate")
        layout.draw(chart, "Bars: no-show rate by day of the week")

    table = frame.assign(rate=_rates(frame)).rename(columns=lambda name: str(name).capitalize())
    layout.card("No-show rate by weekday", "Missed among those kept or missed.", table, "schedule-weekdays", draw)


def _rates(frame: tables.Frame) -> list[str]:
    return [
        phrases.share(int(missed), int(kept + missed))
        for kept, missed in zip(frame["kept"], frame["missed"], strict=True)
    ]


def _lost(chosen: Filters) -> Drill:
    return within("no_shows", chosen, "starts_date").where(Condition("is_seen_again", "is", "false"))


def _is(drill: Drill, column: str) -> Drill:
    return drill.where(Condition(column, "is", "true"))


def _of(column: str, name: str, drill: Drill) -> Callable[[Row], Drill]:
    """Return the way to the rows of what a line is about; the last line is about all."""
    return lambda row: drill if row[name] == "All" else drill.where(same(column, row[name]))


def _lead(drill: Drill) -> Callable[[Row], Drill]:
    """Return the way to the rows of a span of days that appointments were booked ahead."""

    def rows(row: Row) -> Drill:
        if row["booked_ahead"] not in _LEADS:
            return drill.where(Condition("days_booked_ahead", "missing"))
        first, end = _LEADS[row["booked_ahead"]]
        return drill.where(
            *([] if first is None else [Condition("days_booked_ahead", "from", str(first))]),
            *([] if end is None else [Condition("days_booked_ahead", "before", str(end))]),
        )

    return rows
