"""Northgate's script can be done as it stands, and what is said to be true afterwards is what doing it gives."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.simulation.chapters import live
from pipelines.simulation.northgate.month import month_of
from pipelines.simulation.northgate.patients import MOST
from pipelines.simulation.northgate.place import CLOSED_ON, MINUTES, SESSIONS, described
from pipelines.simulation.northgate.writing import write_month

PEOPLE = 1000
BECOMES = {"no-show": "noshow", "cancel": "cancelled", "check-out": "fulfilled"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("northgate")
    write_month(month_of(live(5, 0, PEOPLE), 5), out)
    return out


@pytest.fixture(scope="module")
def script(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "month.jsonl").read_text(encoding="utf-8").splitlines()]


def truth(folder: Path, kind: str) -> list[dict[str, str]]:
    with (folder / "truth" / f"{kind}.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def done(script: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    """Return what is done of these kinds, without what must be refused."""
    return [each for each in script if each["do"] in kinds and "refused" not in each]


def test_the_clock_goes_forward_and_nothing_is_spoken_of_before_it_is_there(script: list[dict[str, Any]]) -> None:
    assert [each["at"] for each in script] == sorted(each["at"] for each in script)
    known: dict[str, str] = {}
    for each in script:
        spoken_of = {each[part] for part in ("from", "survivor", "merged") if part in each}
        if each["do"] not in ("register", "book", "move", "cover", "merge"):
            spoken_of |= {each[part] for part in ("booking", "merge") if part in each}
        if each["do"] != "register" or each.get("known"):
            spoken_of |= {each["record"]} if "record" in each else set()
        assert {known.get(name) for name in spoken_of} <= {each["lane"]}, each
        made = each.get("booking") or each.get("merge") or each["record"]
        if "refused" not in each:
            known.setdefault(made, each["lane"])


def test_no_clinician_is_promised_to_two_and_all_visits_lie_within_hours(script: list[dict[str, Any]]) -> None:
    taken: set[tuple[str, datetime]] = set()
    for each in done(script, "book", "move"):
        start = datetime.fromisoformat(each["starts"])
        ends = start + timedelta(minutes=MINUTES[each["visit_type"]])
        assert start.isoweekday() < 6
        assert start.date() != CLOSED_ON
        assert any(opens <= start.time() and ends.time() <= closes for opens, closes in SESSIONS)
        slots = {
            (each["clinician"], start + timedelta(minutes=minute))
            for minute in range(0, MINUTES[each["visit_type"]], 20)
        }
        assert taken.isdisjoint(slots)
        taken |= slots


def test_what_becomes_of_visits_follows_from_the_script(script: list[dict[str, Any]], folder: Path) -> None:
    statuses: dict[str, str] = {}
    for each in done(script, "book", "move", *BECOMES):
        if each["do"] in BECOMES:
            statuses[each["booking"]] = BECOMES[each["do"]]
        else:
            statuses[each["booking"]] = "booked"
            statuses |= {each["from"]: "cancelled"} if "from" in each else {}
    assert statuses == {row["booking_id"]: row["status"] for row in truth(folder, "bookings")}
    assert set(statuses.values()) == {"booked", "noshow", "cancelled", "fulfilled"}


def test_wall_times_are_told_in_utc_on_both_sides_of_the_change_of_clocks(
    script: list[dict[str, Any]], folder: Path
) -> None:
    wall = {each["booking"]: datetime.fromisoformat(each["starts"]) for each in done(script, "book", "move")}
    apart = {
        (
            wall[row["booking_id"]].month,
            datetime.fromisoformat(row["starts_at"]).replace(tzinfo=None) - wall[row["booking_id"]],
        )
        for row in truth(folder, "bookings")
    }
    assert apart == {(10, timedelta(hours=5)), (12, timedelta(hours=6))}


def test_payers_are_asked_about_the_cover_known_at_booking(script: list[dict[str, Any]], folder: Path) -> None:
    known: dict[str, list[str]] = {}
    asked = []
    for each in done(script, "cover", "book", "move"):
        if each["do"] == "cover":
            known.setdefault(each["record"], []).append(each["member_id"])
        else:
            asked += known.get(each["record"], [])
    said = {"00": ""} | {f"0{number}": "False" for number in range(1, 8)}
    assert Counter(said.get(member[-2:], "True") for member in asked) == Counter(
        row["is_active"] for row in truth(folder, "eligibility")
    )


def test_the_desk_meets_look_alikes_doubles_and_what_must_be_refused(
    script: list[dict[str, Any]], folder: Path
) -> None:
    known = {each["record"]: each["person"] for each in done(script, "register") if not each.get("known")}
    recognised = [each for each in script if each.get("known")]
    assert recognised
    assert all(each["person"]["birth_date"] == known[each["record"]]["birth_date"] for each in recognised)
    assert [each for each in recognised if each["person"]["given"] != known[each["record"]]["given"]]
    standing = Counter(row["is_standing"] for row in truth(folder, "merges"))
    merged = [row for row in truth(folder, "registrations") if row["merged_into"]]
    assert standing["True"] == len(merged) > 0
    assert standing["False"] > 0
    reasons = {row["reason"] for row in truth(folder, "refusals")}
    assert reasons == {"taken", "closed", "no such time", "not theirs to override", "out of order", "stranger"}


def test_everybody_of_the_script_works_there_and_most_are_known_elsewhere(
    script: list[dict[str, Any]], folder: Path
) -> None:
    workers = described()["workers"]
    assert isinstance(workers, list)
    assert {each["by"] for each in script} == {each["name"] for each in workers}
    persons = {row["person_id"] for row in truth(folder, "registrations")}
    assert 0 < len(persons) <= MOST + 10, "a household is not torn apart"
    assert len(truth(folder, "identifiers")) > len(persons) / 3
