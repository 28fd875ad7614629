"""Northgate works its month through the API: by those who may, each in turn, and resumed where it was broken off.

That all is equal then, and what is left out found, is tested beside the feeds of the other locations (`test_demo`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from pipelines.demo.northgate.ledger import heard
from pipelines.demo.northgate.month import has_worked, work_month
from pipelines.demo.scenario import Simulation
from pipelines.simulation.northgate.place import WORKERS
from tests.integration.conftest import fresh_installation
from tests.integration.hub_api.conftest import running
from tests.simulated import lines_of, simulated_group

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PEOPLE, SEED = 30, 3
ENOUGH = 25
"""So many things are done before somebody trips over the cable."""

_ACTS = """
SELECT DISTINCT action, name FROM audit_event JOIN principal USING (principal_id)
WHERE outcome = 'success' AND patient_id IS NOT NULL
"""
_STEPS = "SELECT count(*) FROM appointment_status_event WHERE status IN ('arrived', 'in_visit', 'noshow')"


@dataclass(frozen=True)
class Worked:
    """What came of a month that was broken off once."""

    simulation: Simulation
    acts: list[tuple[str, str]]
    """Each action on patients that succeeded, with the name of whoever did it."""
    steps: int
    steps_entered_late: int


@pytest.fixture(scope="module")
def worked(server: str, tmp_path_factory: pytest.TempPathFactory) -> Worked:
    """Return what came of the month in a house without feeds."""
    group = simulated_group(tmp_path_factory.mktemp("group") / "simulation", people=PEOPLE, seed=SEED)
    with fresh_installation(server, tmp_path_factory.mktemp("house")) as opened:
        with running(opened, opened.settings) as hub:
            with pytest.raises(_TripsOverError):
                work_month(opened, hub.url, group.northgate, trip_after(ENOUGH))
            assert not has_worked(group.northgate)
            work_month(opened, hub.url, group.northgate, lambda _: None)
        with opened.database.begin() as unit:
            run = unit.driver.execute
            steps = run(_STEPS).fetchall(), run(f"{_STEPS} AND happened_at < recorded_at").fetchall()
            return Worked(group, run(_ACTS).fetchall(), steps[0][0][0], steps[1][0][0])


def test_a_month_broken_off_is_resumed_where_it_was(worked: Worked) -> None:
    assert has_worked(worked.simulation.northgate)
    keys = [each.key for each in heard(worked.simulation.northgate / "heard" / "heard.csv")]
    assert len(keys) == len(set(keys)) == len(lines_of(worked.simulation, lambda _: True))


def test_everything_is_done_by_those_who_may_and_nothing_by_the_administrator(worked: Worked) -> None:
    by_role = {worker.name: worker.role for worker in WORKERS}
    done_by = {name for action, name in worked.acts if action != "eligibility.answer"}
    assert {by_role.get(name) for name in done_by} == {"front_desk", "manager", "clinician", "privacy_officer"}
    assert {by_role[name] for action, name in worked.acts if action == "appointment.in_visit"} == {"clinician"}
    assert {by_role[name] for action, name in worked.acts if action == "patient.merge"} == {"privacy_officer"}
    assert {by_role[name] for action, name in worked.acts if action == "appointment.book"} == {"front_desk"}


def test_visits_are_late_entries(worked: Worked) -> None:
    assert worked.steps == worked.steps_entered_late > 0


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
