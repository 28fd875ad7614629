"""A clinic to measure in: clinicians who are there day and night, patients, and many who do something at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import text

from ehr_pm.acts import Act, Actor, act
from ehr_pm.organisation import service as organisation
from ehr_pm.organisation.schemas import NewLocation, NewOrganization
from ehr_pm.scheduling import setup
from ehr_pm.scheduling.schemas import NewAppointment, NewBookable, NewRule, NewVisitType
from hub_core.clock import now

if TYPE_CHECKING:
    from pipelines.installation import Installation

WRITERS = 8
CLERK = Actor(uuid4(), location="bench", purpose="TREAT")
_CLINICIANS, _PATIENTS = 12, 500
_SLOTS_A_DAY = 46
_INSERT_PATIENTS = """
INSERT INTO patient
    (patient_id, mrn, home_location_id, family, given, birth_date, gender, created_at, changed_at, version)
SELECT gen_random_uuid(), 'B' || n, :location, 'Family ' || n, 'Given', '1990-01-01', 'unknown', now(), now(), 1
FROM generate_series(1, :count) n RETURNING patient_id
"""


@dataclass(frozen=True, slots=True)
class Clinic:
    """What can be booked by whom."""

    location_id: UUID
    visit_type_id: UUID
    clinicians: tuple[UUID, ...]
    patients: tuple[UUID, ...]

    def visit(self, number: int) -> NewAppointment:
        """Return a visit; each number is another time or clinician, so that no two are in each other's way."""
        slot, clinician = divmod(number, len(self.clinicians))
        day, half_hour = divmod(slot, _SLOTS_A_DAY)
        midnight = datetime.combine(now().date() + timedelta(days=10 + day), clock_time())
        return NewAppointment(
            patient_id=self.patients[number % len(self.patients)],
            location_id=self.location_id,
            visit_type_id=self.visit_type_id,
            bookable_ids=(self.clinicians[clinician],),
            local_start=midnight + half_hour * timedelta(minutes=30),
        )


def open_clinic(installation: Installation) -> Clinic:
    """Return a clinic of twelve clinicians, whose clocks show UTC."""
    with act(installation.database, CLERK) as doing:
        body = organisation.add_organization(doing, NewOrganization(name="Bench"))
        told = NewLocation(key="bench", organization_id=body.organization_id, name="Bench", zone="UTC")
        location = organisation.add_location(doing, told)
        visit = setup.add_visit_type(doing, NewVisitType(key="visit", name="Visit", minutes=30))
        clinicians = tuple(_clinician(doing, location.location_id, number) for number in range(_CLINICIANS))
        values = {"location": location.location_id, "count": _PATIENTS}
        patients: tuple[UUID, ...] = tuple(doing.session.execute(text(_INSERT_PATIENTS), values).scalars())
        return Clinic(location.location_id, visit.visit_type_id, clinicians, patients)


def at_once(works: Iterable[Callable[[], object]]) -> list[float]:
    """Do things, eight at a time, and return how many seconds each took."""

    def timed(work: Callable[[], object]) -> float:
        before = time.perf_counter()
        work()
        return time.perf_counter() - before

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(timed, works))


def _clinician(doing: Act, location_id: UUID, number: int) -> UUID:
    told = NewBookable(location_id=location_id, kind="practitioner", subject_id=uuid4(), name=f"Clinician {number}")
    bookable_id = setup.add_bookable(doing, told).bookable_id
    for weekday in range(1, 8):
        hours = NewRule(
            bookable_id=bookable_id,
            weekday=weekday,
            starts=clock_time(),
            ends=clock_time(23, 30),
            valid_from=date(2026, 1, 1),
        )
        setup.add_rule(doing, hours)
    return bookable_id
