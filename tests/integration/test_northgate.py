"""Northgate works its month through the API: it can be broken off and resumed, and what is left out is found.

That all is equal where nothing is left out is tested with the feeds of the other locations (`test_demo`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest

from pipelines.build import build
from pipelines.demo.comparison import Comparison, Outcome, compare
from pipelines.demo.northgate.ledger import heard
from pipelines.demo.northgate.month import has_worked, work_month
from pipelines.demo.scenario import Simulation
from pipelines.simulation.northgate.place import WORKERS
from tests.integration.conftest import fresh_installation
from tests.integration.hub_api.conftest import running
from tests.simulated import simulated_group

pytestmark = pytest.mark.integration

PEOPLE, SEED = 60, 3
ENOUGH = 25
"""So many things are done before somebody trips over the cable."""

NO_SHOW = {"appointments by location and status", "appointments missed, by location and month"}
COVER = {"coverages written down at the desk, by payer and rank", "answers about eligibility by payer"}
MERGE = {"patient records merged into others", "records merged at the desk, and those parted again"}
REFUSAL = {"attempts that were refused, by reason"}

_ACTS = """
SELECT DISTINCT action, name FROM audit_event JOIN principal USING (principal_id)
WHERE outcome = 'success' AND patient_id IS NOT NULL
"""

Line: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Worked:
    """What came of a month of which some was left out, which was broken off once and resumed."""

    simulation: Simulation
    compared: Comparison
    acts: list[tuple[str, str]]
    """Each action on patients that succeeded, with the name of whoever did it."""

    @property
    def unequal(self) -> dict[str, Outcome]:
        return {outcome.name: outcome for outcome in self.compared.outcomes if not outcome.equal}


@pytest.fixture(scope="module")
def worked(server: str, tmp_path_factory: pytest.TempPathFactory) -> Worked:
    """Return what came of the month in a house without feeds."""
    group = simulated_group(tmp_path_factory.mktemp("group") / "simulation", people=PEOPLE, seed=SEED)
    leave_out(group, lambda line: line["do"] == "no-show")
    leave_out(group, lambda line: line["do"] == "cover")
    leave_out(group, lambda line: line["do"] == "merge" and "twice" in line["reason"])
    leave_out(group, lambda line: line.get("refused") == "taken")
    with fresh_installation(server, tmp_path_factory.mktemp("house")) as opened:
        with running(opened, opened.settings) as hub:
            with pytest.raises(_TripsOverError):
                work_month(opened, hub.url, group.northgate, trip_after(ENOUGH))
            assert not has_worked(group.northgate)
            work_month(opened, hub.url, group.northgate, lambda _: None)
        with opened.database.begin() as unit:
            acts = unit.driver.execute(_ACTS).fetchall()
        build(opened.settings)
        return Worked(group, compare(opened.settings, *group.northgate_truths), acts)


def test_a_month_broken_off_is_resumed_where_it_was(worked: Worked) -> None:
    assert has_worked(worked.simulation.northgate)
    keys = [each.key for each in heard(worked.simulation.northgate / "heard" / "heard.csv")]
    assert len(keys) == len(set(keys)) == len(lines_of(worked.simulation, lambda _: True))


def test_everything_is_done_by_those_who_may_and_nothing_by_the_administrator(worked: Worked) -> None:
    who = worked.acts
    by_role = {worker.name: worker.role for worker in WORKERS}
    assert {by_role.get(name) for _, name in who} == {"front_desk", "manager", "clinician", "privacy_officer"}
    assert {by_role[name] for action, name in who if action == "appointment.in_visit"} == {"clinician"}
    assert {by_role[name] for action, name in who if action == "patient.merge"} == {"privacy_officer"}


def test_what_is_left_out_makes_exactly_the_checks_concerned_unequal(worked: Worked) -> None:
    unequal = {name: outcome.unequal for name, outcome in worked.unequal.items()}
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
