"""Northgate works its month through the API: broken off and resumed all is equal, and what is left out is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipelines.build import build
from pipelines.demo.comparison import Comparison, compare
from pipelines.demo.northgate.month import has_worked, work_month
from pipelines.demo.scenario import Simulation
from pipelines.installation import Installation
from pipelines.simulation.northgate.place import WORKERS
from tests.integration.conftest import fresh_installation
from tests.integration.hub_api.conftest import running
from tests.simulated import copied, simulated_group

pytestmark = pytest.mark.integration

PEOPLE, SEED = 60, 3
ENOUGH = 25
"""So many things are done before somebody trips over the cable."""

NO_SHOW = {"appointments by location and status", "appointments missed, by location and month"}
COVER = {"coverages written down at the desk, by payer and rank", "answers about eligibility by payer"}
MERGE = {"patient records merged into others", "records merged at the desk, and those parted again"}
REFUSAL = {"attempts that were refused, by reason"}

Line = dict[str, Any]


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    return simulated_group(tmp_path_factory.mktemp("group") / "simulation", people=PEOPLE, seed=SEED)


@contextmanager
def worked(server: str, group: Simulation, folder: Path) -> Iterator[tuple[Installation, Comparison]]:
    """Give an installation without feeds in which the month was worked, broken off once, and what compares."""
    with fresh_installation(server, folder) as opened:
        with running(opened, opened.settings) as hub:
            with pytest.raises(_TripsOverError):
                work_month(opened, hub.url, group.northgate, trip_after(ENOUGH))
            assert not has_worked(group.northgate)
            work_month(opened, hub.url, group.northgate, lambda _: None)
            assert has_worked(group.northgate)
        build(opened.settings)
        yield opened, compare(opened.settings, *group.northgate_truths)


def test_a_month_broken_off_and_resumed_is_equal_and_done_by_those_who_may(
    server: str, group: Simulation, tmp_path: Path
) -> None:
    with worked(server, group, tmp_path) as (installation, compared):
        assert {outcome.name: outcome.unequal for outcome in compared.outcomes if not outcome.equal} == {}
        assert {outcome.name for outcome in compared.outcomes if outcome.lines} >= NO_SHOW | COVER | MERGE | REFUSAL
        with installation.database.begin() as unit:
            who = unit.driver.execute(
                "SELECT DISTINCT action, name FROM audit_event JOIN principal USING (principal_id)"
                " WHERE outcome = 'success' AND patient_id IS NOT NULL AND action <> 'eligibility.answer'"
            ).fetchall()
    by_role = {worker.name: worker.role for worker in WORKERS}
    assert {by_role.get(name) for _, name in who} == {"front_desk", "manager", "clinician", "privacy_officer"}
    assert {by_role[name] for action, name in who if action == "appointment.in_visit"} == {"clinician"}
    assert {by_role[name] for action, name in who if action == "patient.merge"} == {"privacy_officer"}


def test_what_is_left_out_makes_exactly_the_checks_concerned_unequal(
    server: str, group: Simulation, tmp_path: Path
) -> None:
    sent = copied(group, tmp_path / "simulation")
    (sent.northgate / "heard" / "heard.csv").unlink(missing_ok=True)
    covered = lines_of(sent, lambda line: line["do"] == "book" and "refused" not in line)[0]["record"]
    leave_out(sent, lambda line: line["do"] == "no-show")
    leave_out(sent, lambda line: line["do"] == "cover" and line["record"] == covered)
    leave_out(sent, lambda line: line["do"] == "merge" and "twice" in line["reason"])
    leave_out(sent, lambda line: line.get("refused") == "taken")
    with worked(server, sent, tmp_path / "house") as (_, compared):
        unequal = {outcome.name: outcome.unequal for outcome in compared.outcomes if not outcome.equal}
    persons = {"the records of each person", "persons by number of locations"}  # where no number links the two
    assert NO_SHOW | COVER | MERGE | REFUSAL <= set(unequal) <= NO_SHOW | COVER | MERGE | REFUSAL | persons
    [missed] = unequal["appointments missed, by location and month"]
    assert int(str(missed.truth)) - int(str(missed.warehouse or 0)) == 1
    [refused] = unequal["attempts that were refused, by reason"]
    assert refused.key == ("northgate", "book", "taken")


class _TripsOverError(Exception):
    """Somebody tripped over the cable."""


def trip_after(count: int) -> Callable[[int], None]:
    """Return who is told what was done, and breaks it off after so many."""
    done: list[int] = []

    def advance(more: int) -> None:
        done.append(more)
        if len(done) >= count:
            raise _TripsOverError

    return advance


def lines_of(simulation: Simulation, wanted: Callable[[Line], bool]) -> list[Line]:
    script = (simulation.northgate / "month.jsonl").read_text(encoding="utf-8").splitlines()
    return [line for line in map(json.loads, script) if wanted(line)]


def leave_out(simulation: Simulation, wanted: Callable[[Line], bool]) -> None:
    """Take the first line of its kind out of the script."""
    gone = lines_of(simulation, wanted)[0]
    kept = lines_of(simulation, lambda line: line["key"] != gone["key"])
    path = simulation.northgate / "month.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in kept), encoding="utf-8")
