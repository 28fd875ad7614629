"""No double booking: writers who want the same times, and whatever people do in any order (B1 to B4, and B7)."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ehr_pm.acts import act
from ehr_pm.scheduling import service
from ehr_pm.scheduling.models import Appointment
from hub_core.database import Database
from hub_core.errors import ConflictError
from tests.integration.ehr_pm.clinic import CLERK, NOW, Clinic, open_clinic, wall

_OVERLAPS = """
SELECT count(*) FROM resource_booking one JOIN resource_booking other
    ON one.taken_id = other.taken_id AND one.lane = other.lane AND one.during && other.during
    AND one.appointment_id < other.appointment_id
WHERE one.is_blocking AND other.is_blocking
"""

_BUSIEST = """
SELECT taken_id, max(at_once) FROM (
    SELECT one.taken_id, one.appointment_id, count(*) AS at_once
    FROM resource_booking one JOIN resource_booking other
        ON one.taken_id = other.taken_id AND other.during @> lower(one.during)
    WHERE one.is_blocking AND other.is_blocking AND one.kind <> 'patient'
    GROUP BY 1, 2
) GROUP BY 1
"""


def compete(database: Database, clinic: Clinic, writers: int, requests: int) -> Counter[str]:
    """Let writers ask for times of one day at random, and return how many were booked and refused."""

    def write(number: int) -> Counter[str]:
        chance, outcome = random.Random(number), Counter[str]()  # noqa: S311 - no secret
        for _ in range(requests):
            start = wall(3, 8) + timedelta(minutes=10 * chance.randrange(50))
            try:
                with act(database, CLERK, moment=NOW) as doing:
                    service.book(doing, clinic.told(start, taking=(chance.choice(clinic.clinicians), clinic.room)))
                outcome["booked"] += 1
            except ConflictError:
                outcome["refused"] += 1
        return outcome

    with ThreadPoolExecutor(writers) as pool:
        return sum(pool.map(write, range(writers)), Counter[str]())


@pytest.mark.parametrize(
    ("writers", "requests"),
    [pytest.param(4, 40, id="some"), pytest.param(8, 1200, id="many", marks=pytest.mark.slow)],
)
def test_writers_who_want_the_same_times(database: Database, writers: int, requests: int) -> None:
    clinic = open_clinic(database, clinicians=2, lanes=2, patients=writers * requests)
    outcome = compete(database, clinic, writers, requests)
    assert outcome.total() == writers * requests
    with database.begin() as unit:
        assert unit.driver.execute(_OVERLAPS).fetchall() == [(0,)]
        assert all(at_once <= 2 for _, at_once in unit.driver.execute(_BUSIEST).fetchall())
        kept = unit.driver.execute("SELECT count(*) FROM appointment").fetchall()
        assert kept == [(outcome["booked"],)]
    assert outcome["booked"] >= 9  # the room holds one visit at a time, from 8:00 to 17:00


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["book", "squeeze", "cancel", "move", "no-show"]),
        st.integers(0, 11),
        st.integers(0, 5),
    ),
    max_size=14,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_people_do_no_lane_is_taken_twice_and_what_is_given_up_is_free(
    database: Database, steps: list[tuple[str, int, int]]
) -> None:
    with database.begin() as unit:
        unit.driver.execute("TRUNCATE organization, visit_type, appointment, bookable, patient CASCADE")
    clinic = open_clinic(database, clinicians=1)
    made: list[Appointment] = []
    for verb, slot, which in steps:
        told = clinic.told(wall(3, 9) + timedelta(minutes=10 * slot))
        chosen = made[which % len(made)] if made else None
        try:
            with act(database, CLERK, moment=NOW + timedelta(days=30 if verb == "no-show" else 0)) as doing:
                if verb == "book":
                    made.append(service.book(doing, told))
                elif verb == "squeeze":
                    made.append(service.book(doing, told.model_copy(update={"override_reason": "urgent"})))
                elif chosen is None:
                    continue
                elif verb == "cancel":
                    service.cancel(doing, chosen.appointment_id, "asked to")
                elif verb == "no-show":
                    service.note_no_show(doing, chosen.appointment_id)
                else:
                    moved = told.model_copy(update={"patient_id": chosen.patient_id})
                    made.append(service.reschedule(doing, chosen.appointment_id, moved, "asked to"))
        except ConflictError:
            continue
    with database.begin() as unit:
        assert unit.driver.execute(_OVERLAPS).fetchall() == [(0,)]
        wrong = unit.driver.execute(
            "SELECT count(*) FROM appointment JOIN resource_booking USING (appointment_id)"
            " WHERE is_blocking <> (status NOT IN ('cancelled', 'noshow', 'rescheduled'))"
        ).fetchall()
        assert wrong == [(0,)]
        unexplained = unit.driver.execute(
            "SELECT count(*) FROM resource_booking b JOIN appointment USING (appointment_id)"
            " WHERE lane > 1 AND override_reason IS NULL"
        ).fetchall()
        assert unexplained == [(0,)]
        half_moved = unit.driver.execute(
            "SELECT count(*) FROM appointment old LEFT JOIN appointment new"
            " ON new.rescheduled_from = old.appointment_id"
            " WHERE (old.status = 'rescheduled') <> (new.appointment_id IS NOT NULL)"
        ).fetchall()
        assert half_moved == [(0,)]
        unaudited = unit.driver.execute(
            "SELECT count(*) FROM appointment a WHERE override_reason IS NOT NULL AND NOT EXISTS"
            " (SELECT FROM audit_event e WHERE e.resource_id = appointment_id::text AND e.detail->>'override' = 'yes')"
        ).fetchall()
        assert unaudited == [(0,)]
