"""Data quality: what each feed sent and did, each finding with the way to its message, and what the build checked."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from dashboards import filters, layout, phrases, tables
from dashboards.drill import Condition, Drill, of_persons, same, within
from dashboards.figures import quality as figures
from dashboards.filters import Filters
from dashboards.gate import Visit
from dashboards.hub import SessionEndedError
from dashboards.layout import Tile
from dashboards.tables import Column, Row
from dashboards.warehouse import Warehouse
from hub_core.errors import AccessDeniedError

_PAGE = "quality"
_ENGINES = {"great_expectations": "Great Expectations", "dbt": "dbt"}
_COUNTED = ("messages", "received", "processed", "filtered", *figures.KINDS)


def show(visit: Visit) -> None:
    """Show the page."""
    snapshot = filters.opened(visit)
    layout.head("Data quality", "What came in, what was wrong with it, and what was checked.", snapshot)
    if snapshot is None:
        layout.nothing_built()
        return
    chosen = filters.choose(snapshot, visit.settings, "location", "source")
    _tiles(snapshot, chosen)
    _feeds(snapshot, chosen)
    _records(snapshot, chosen)
    _checks(snapshot)
    _practice(visit)


def _tiles(snapshot: Warehouse, chosen: Filters) -> None:
    feeds = figures.feeds(snapshot, chosen)
    found = figures.findings(snapshot, chosen)
    counts = {kind: int(found.loc[found["kind"] == kind, "findings"].sum()) for kind in figures.KINDS}
    received = int(feeds["received"].sum())
    layout.tiles(
        "Since the first message",
        [
            Tile("Records received", phrases.count(received), "What the feeds sent, repeated ones too."),
            *(
                Tile(title, phrases.count(counts[kind]), _HELP[kind], _rows(_findings(chosen, kind)))
                for kind, title in figures.KINDS.items()
            ),
        ],
    )


def _feeds(snapshot: Warehouse, chosen: Filters) -> None:
    frame = figures.feeds(snapshot, chosen)
    activity = within("feed_activity", chosen)
    columns = [
        Column("feed", "Feed", "text"),
        Column("messages", "Messages", rows=_of_feed(activity)),
        Column("received", "Received", help="Records; a message or file may hold several. Repeated ones count."),
        Column("processed", "Processed"),
        Column("filtered", "Filtered", help="Not for us: the feed's filters say so."),
        *(
            Column(kind, title, rows=_of_feed(_findings(chosen, kind)), help=_HELP[kind])
            for kind, title in figures.KINDS.items()
        ),
    ]
    total = tables.sums(frame, "feed", _COUNTED, "All")
    said = "By feed, since its first message. Select a number to see its findings, and from there the message itself."
    tables.card("Feeds", said, frame, columns, name="quality-feeds", page=_PAGE, total=total)


def _records(snapshot: Warehouse, chosen: Filters) -> None:
    frame = figures.records(snapshot, chosen)
    records = within("patient_records", chosen)

    def rows(*more: Condition) -> Callable[[Row], Drill]:
        return lambda row: (
            records.where(*more)
            if row["source"] == "All"
            else records.where(same("source", row["source"]), same("location", row["location"]), *more)
        )

    columns = [
        Column("source", "Source", "text"),
        Column("location", "Location", "text"),
        Column("records", "Patient records", rows=rows()),
        Column("persons", "Persons", rows=lambda row: of_persons(chosen) if row["source"] == "All" else None),
        Column(
            "merged",
            "Merged away",
            rows=rows(Condition("is_merged", "is", "true")),
            help="The source itself joined them with another record.",
        ),
        Column(
            "stubs",
            "Only referred to",
            rows=rows(Condition("is_stub", "is", "true")),
            help="Known by being named in other messages.",
        ),
    ]
    total = tables.sums(frame, "source", ("records", "merged", "stubs"), "All") | {"location": ""}
    joined = figures.joined(snapshot, chosen)
    total["persons"] = int(joined["persons"].sum())
    several = int(joined.loc[joined["sources"] > 1, "persons"].sum())
    known = f"{phrases.count(several)} of {phrases.count(total['persons'])} persons are known to more than one source."
    tables.card(
        "Persons and their records", f"A person at several sources is one in the sum. {known}", frame, columns,
        name="quality-records", page=_PAGE, total=total,
    )  # fmt: skip


def _checks(snapshot: Warehouse) -> None:
    """Show what was checked before these numbers were published: a check of severity error stops that by failing."""
    checks = figures.checks(snapshot)
    if checks.empty:
        return
    passed = int(checks["is_passed"].sum())
    missed = len(checks) - passed
    with st.container(border=True, key="card-quality"):
        st.subheader("Quality checks", anchor=False)
        st.caption("Run before these numbers were published; one of severity error that fails stops them.")
        if missed:
            st.warning(
                f"{phrases.count(missed)} of {phrases.count(len(checks))} checks warn; they stand first in the table.",
                icon=":material/rule:",
            )
        else:
            st.success(f"All {phrases.count(passed)} checks passed.", icon=":material/verified:")
        layout.shown(_checks_table(checks), "quality-checks")


def _practice(visit: Visit) -> None:
    """Show where rows of the practice do not fit the record or the source that keeps them, to whoever may know."""
    try:
        found = visit.hub.misfits()
    except SessionEndedError:
        raise
    except AccessDeniedError:
        return
    with st.container(border=True, key="card-practice"):
        st.subheader("Practice and record", anchor=False)
        st.caption("As of now: rows compared with the record each night, and what other systems keep that did not fit.")
        if not found:
            st.success("Nothing is found.", icon=":material/verified:")
            return
        counts = pd.Series([each.words for each in found]).value_counts()
        st.warning(f"{phrases.count(len(found))} findings of {len(counts)} kinds.", icon=":material/rule:")
        frame = pd.DataFrame(
            {
                "What": [each.words for each in found],
                "About": [each.subject for each in found],
                "Location": [each.location for each in found],
                "Kept by": [each.source for each in found],
                "Found": [each.found_at for each in found],
            }
        )
        layout.shown(frame, "quality-practice")


def _checks_table(checks: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Checked": checks["subject"],
            "Check": checks["check_name"],
            "Outcome": ["Passed" if passed else "Did not pass" for passed in checks["is_passed"]],
            "Severity": checks["severity"],
            "Rows": checks["rows_checked"].astype("Int64"),
            "By": checks["engine"].map(lambda name: _ENGINES.get(name, name)),
        }
    )


def _findings(chosen: Filters, kind: str) -> Drill:
    return within("findings", chosen).where(Condition("finding_kind", "is", kind))


def _of_feed(drill: Drill) -> Callable[[Row], Drill]:
    return lambda row: drill if row["feed"] == "All" else drill.where(same("feed", row["feed"]))


def _rows(drill: Drill) -> str:
    return drill.address(filters.remembered(), _PAGE)


_HELP = {
    "rejected": "Records that could not be taken in, or not whole.",
    "repeated": "Messages that came again with the same bytes, and were stored once.",
    "out_of_order": "Messages sent before one that had already come, by up to a day.",
    "late": "Messages sent more than a day before one that had already come.",
    "event_after_message": "Visits said to have begun more than an hour after the message about them was sent: a clock"
    " or a time zone is wrong.",
}
