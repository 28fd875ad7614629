"""Revenue: what was charged, paid, adjusted and denied, and who still owes what, for how long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from dashboards import charts, filters, layout, phrases, reasons, tables
from dashboards.drill import Condition, Drill, between, same, within
from dashboards.figures import revenue as figures
from dashboards.filters import Filters
from dashboards.gate import Visit
from dashboards.layout import Tile
from dashboards.tables import Column, Row
from dashboards.warehouse import Warehouse

_PAGE = "revenue"
_SHOWN = 12
_SERIES = ("Charged", "Paid", "Adjusted")
_MARTS = {"claim_adjustments": "Insurers", "account_adjustments": "Accounts"}


def show(visit: Visit) -> None:
    """Show the page."""
    snapshot = filters.opened(visit)
    layout.head("Revenue", "Charged, paid, adjusted, denied, and still owed.", snapshot)
    if snapshot is None:
        layout.nothing_built()
        return
    chosen = filters.choose(snapshot, visit.settings, "period", "location", "source", "payer", "day")
    _flow(snapshot, chosen)
    _owed(snapshot, chosen)
    _ages(snapshot, chosen)
    _months(snapshot, chosen)
    _payers(snapshot, chosen)
    _denials(snapshot, chosen)
    _adjustments(snapshot, chosen)


def _flow(snapshot: Warehouse, chosen: Filters) -> None:
    flow = figures.flow(snapshot, chosen)
    payments = within("payments", chosen, "payment_date", has_payer=True)
    denials = within("denials", chosen, "denied_date", has_payer=True)
    layout.tiles(
        "In the period",
        [
            Tile(
                "Charged",
                phrases.dollars(flow.charged),
                "Claim lines and account charges less credits, by day of service.",
                _rows(within("charges", chosen, "service_date", has_payer=True)),
            ),
            Tile(
                "Paid by insurers",
                phrases.dollars(flow.insurers_paid),
                "Less what they took back or withheld, by day of payment.",
                _rows(payments.where(Condition("payment_kind", "not", "patient"))),
            ),
            Tile(
                "Paid by patients",
                phrases.dollars(flow.patients_paid),
                "By day of payment.",
                _rows(payments.where(Condition("payment_kind", "is", "patient"))),
            ),
            Tile(
                "Denied",
                phrases.dollars(flow.denied),
                "Service lines a payer left unpaid for a reason other than the patient's share or the contract, by day"
                " of the answer.",
                _rows(denials),
            ),
            Tile(
                "Denied, unpaid",
                phrases.dollars(flow.lost),
                "Denied in the period, and not paid by a later answer.",
                _rows(denials.where(Condition("is_overturned", "is", "false"))),
            ),
        ],
    )


def _owed(snapshot: Warehouse, chosen: Filters) -> None:
    owed = figures.owed(snapshot, chosen)
    accounts = within("receivables", chosen, has_payer=True).where(*_until(chosen))
    layout.tiles(
        f"Owed as of {chosen.day:%d %b %Y}",
        [
            Tile(
                "Accounts receivable",
                phrases.dollars(owed.open),
                "Charged less paid and adjusted, of all accounts whose service was by this day; balances are those of"
                " this build.",
                _rows(accounts.where(Condition("open_amount", "not", "0"))),
            ),
            Tile(
                "Open at payers",
                phrases.dollars(owed.payer_open),
                "Not answered yet, or answered and due.",
                _rows(accounts.where(Condition("payer_open_amount", "not", "0"))),
            ),
            Tile(
                "Open at patients",
                phrases.dollars(owed.patient_open),
                "Patient responsibility: what was left to patients and is not paid yet.",
                _rows(accounts.where(Condition("patient_open_amount", "not", "0"))),
            ),
            Tile(
                "Days in A/R",
                "–" if owed.days is None else f"{owed.days:,.1f}",
                f"What is owed over the average daily charge of the {figures.CHARGE_DAYS} days up to this day.",
            ),
        ],
    )


def _ages(snapshot: Warehouse, chosen: Filters) -> None:
    frame = figures.ages(snapshot, chosen)
    names = [age.name for age in figures.AGES]
    columns = [
        Column("owed_by", "Owed by", "text"),
        *(
            Column(age.name, age.title, "dollars", _of_age(chosen, *between("aged_from_date", *age.days(chosen.day))))
            for age in figures.AGES
        ),
        *(
            [Column("undated", "No date", "dollars", _of_age(chosen, Condition("aged_from_date", "missing")))]
            if any(frame["undated"])
            else []
        ),
        Column("total", "Total", "dollars", _of_age(chosen, *_until(chosen))),
    ]
    total = tables.sums(frame, "owed_by", [*names, "undated", "total"], "All")
    said = f"US dollars owed by days since the first service, as of {chosen.day:%d %b %Y}."

    def draw() -> None:
        ages = {age.name: age.title for age in figures.AGES}
        layout.draw(
            charts.aged(frame, label="owed_by", ages=ages), "Bars: what each payer and all patients owe, split by age"
        )

    tables.card(
        "Accounts receivable by age", said, frame, columns, name="revenue-ages", page=_PAGE, total=total,
        draw_chart=draw,
    )  # fmt: skip


def _months(snapshot: Warehouse, chosen: Filters) -> None:
    frame = figures.months(snapshot, chosen)

    def draw() -> None:
        chart = charts.by_month(
            frame, split="kind", split_title="What", value_title="US dollars", is_money=True, order=_SERIES
        )
        layout.draw(chart, "Lines: charged, paid and adjusted by month")

    table = frame.rename(columns={"period": "Month", "kind": "What", "amount": "US dollars"})
    said = "Each by its own day: service, payment, posting. What was left to patients is no adjustment."
    layout.card("Month by month", said, table, "revenue-months", draw)


def _payers(snapshot: Warehouse, chosen: Filters) -> None:
    frame = figures.payers(snapshot, chosen)
    frame["rate"] = [
        phrases.share(int(won), int(all_)) for won, all_ in zip(frame["overturned"], frame["denials"], strict=True)
    ]
    charged = within("charges", chosen, "service_date", has_payer=True)
    paid = within("payments", chosen, "payment_date", has_payer=True).where(Condition("payment_kind", "not", "patient"))
    left = within("claim_payments", chosen, "payment_date", has_payer=True).where(
        Condition("patient_responsibility_amount", "not", "0")
    )
    denied = within("denials", chosen, "denied_date", has_payer=True)
    columns = [
        Column("payer", "Payer", "text"),
        Column("charged", "Charged", "dollars", _of_payer(charged)),
        Column("paid", "Paid", "dollars", _of_payer(paid)),
        Column(
            "patient_responsibility", "Left to patients", "dollars", _of_payer(left), "As the payer's answers say it."
        ),
        Column("denials", "Denials", rows=_of_payer(denied)),
        Column("denied", "Denied", "dollars", _of_payer(denied)),
        Column("rate", "Overturned", "share", help="Denials that a later answer paid."),
    ]
    total = tables.sums(
        frame, "payer", ("charged", "paid", "patient_responsibility", "denials", "denied", "overturned"), "All"
    )
    total["rate"] = phrases.share(int(total["overturned"]), int(total["denials"]))
    said = "US dollars. Charges without an insurer stand under Not stated."
    tables.card("Payers", said, frame, columns, name="revenue-payers", page=_PAGE, total=total)


def _denials(snapshot: Warehouse, chosen: Filters) -> None:
    frame = figures.denials(snapshot, chosen)
    frame["reason"] = frame["reason_code"].map(reasons.reason)
    denied = within("denials", chosen, "denied_date", has_payer=True)

    def rows(*more: Condition) -> Callable[[Row], Drill]:
        return lambda row: (
            denied.where(*more)
            if row["reason"] == "All"
            else denied.where(
                same("reason_code", row["reason_code"]),
                same("group_code", row["group_code"]),
                same("payer_name", row["payer"]),
                *more,
            )
        )

    still = Condition("is_overturned", "is", "false")
    columns = [
        Column("reason", "Reason", "text"),
        Column("payer", "Payer", "text"),
        Column("denials", "Denials", rows=rows()),
        Column("denied", "Denied", "dollars", rows()),
        Column("overturned", "Overturned", rows=rows(Condition("is_overturned", "is", "true"))),
        Column("lost", "Still unpaid", "dollars", rows(still)),
    ]
    total = tables.sums(frame, "reason", ("denials", "denied", "overturned", "lost"), "All")
    said = "By reason and payer, the most money first. Overturned: a later answer paid that line."
    tables.card(
        "Denials", said, frame, columns, name="revenue-denials", page=_PAGE, total=total | {"payer": ""}, most=_SHOWN
    )


def _adjustments(snapshot: Warehouse, chosen: Filters) -> None:
    frame = figures.adjustments(snapshot, chosen)
    frame["group"] = frame["group_code"].map(reasons.group)
    frame["reason"] = frame["reason_code"].map(reasons.reason)
    frame["by"] = frame["mart"].map(_MARTS)

    def rows(row: Row) -> Drill | None:
        if "mart" not in row:
            return None
        days = "payment_date" if row["mart"] == "claim_adjustments" else "adjusted_date"
        return within(row["mart"], chosen, days, has_payer=True).where(
            same("group_code", row["group_code"]), same("reason_code", row["reason_code"])
        )

    columns = [
        Column("reason", "Reason", "text"),
        Column("group", "Group", "text"),
        Column("by", "Made by", "text", help="Insurers in their answers; accounts by the practice itself."),
        Column("adjustments", "Adjustments", rows=rows),
        Column("adjusted", "Adjusted", "dollars", rows),
    ]
    total = tables.sums(frame, "reason", ("adjustments", "adjusted"), "All") | {"group": "", "by": ""}
    said = "US dollars by reason; the patient's share stands here too, though it stays owed. Takebacks are negative."
    tables.card("Adjustments", said, frame, columns, name="revenue-adjustments", page=_PAGE, total=total, most=_SHOWN)


def _rows(drill: Drill) -> str:
    return drill.address(filters.remembered(), _PAGE)


def _until(chosen: Filters) -> list[Condition]:
    """Return the condition that leaves out what was not owed yet on the chosen day."""
    return list(between("aged_from_date", None, chosen.day + timedelta(days=1)))


def _of_payer(drill: Drill) -> Callable[[Row], Drill]:
    return lambda row: drill if row["payer"] == "All" else drill.where(same("payer_name", row["payer"]))


def _of_age(chosen: Filters, *age: Condition) -> Callable[[Row], Drill]:
    """Return the way to the accounts of one age that a payer, or patients, owe."""
    accounts = within("receivables", chosen, has_payer=True)

    def rows(row: Row) -> Drill:
        if row["owed_by"] == "All":
            return accounts.where(*age, Condition("open_amount", "not", "0"))
        if row["is_own"]:
            return accounts.where(*age, Condition("patient_open_amount", "not", "0"))
        return accounts.where(*age, Condition("payer_open_amount", "not", "0"), same("payer_name", row["owed_by"]))

    return rows
