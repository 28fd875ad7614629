"""Visits booked by eight at once, beside the bare rows of the same bookings under the same constraint."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count, islice
from typing import TYPE_CHECKING
from uuid import uuid4

from benchmarks.clinic import CLERK, Clinic, at_once, open_clinic
from benchmarks.measuring import Contender, Figure, Work, milliseconds, percentile, take_turns
from benchmarks.scratch import scratch_installation
from ehr_pm.acts import act
from ehr_pm.coverage import eligibility
from ehr_pm.scheduling import service
from hub_core.collecting import collect_rarely

if TYPE_CHECKING:
    from pipelines.installation import Installation

_BOOKINGS = 400
_OURS, _BARE = "wholechart", "bare rows"
_APPOINTMENT = """
INSERT INTO appointment (appointment_id, patient_id, location_id, visit_type_id, status, starts_at, ends_at,
    local_start, created_at, changed_at, version)
VALUES (%s, %s, %s, %s, 'booked', %s, %s::timestamptz + interval '30 minutes', %s, now(), now(), 1)
"""
_BOOKING = """
INSERT INTO resource_booking (appointment_id, taken_id, kind, lane, during)
VALUES (%s, %s, %s, 1, tstzrange(%s, %s::timestamptz + interval '30 minutes'))
"""


def measure(scale: float) -> Figure:
    """Return bookings per second of eight writers, and how long one waits."""
    bookings = max(16, int(_BOOKINGS * scale))
    waits: dict[str, list[float]] = {_OURS: [], _BARE: []}
    with scratch_installation() as installation, _as_in_the_hub():
        clinic, numbers = open_clinic(installation), count()
        ways = {_OURS: partial(_book, installation, clinic), _BARE: partial(_insert, installation, clinic)}
        rates = take_turns({name: _contender(way, numbers, bookings, waits[name]) for name, way in ways.items()})
    return Figure(
        benchmark="booking",
        unit="bookings per second, 8 writers",
        results=rates.wall,
        input=f"{bookings} visits of 12 clinicians, each at a time of its own",
        notes="wholechart: hours and lanes checked, rows, reminders, eligibility, FHIR, search index, audit and"
        " announcement in one durable transaction. The bare rows are the appointment and its two bookings.",
        details={f"p95 ms: {name}": milliseconds(percentile(waits[name], 0.95)) for name in waits},
    )


@contextmanager
def _as_in_the_hub() -> Iterator[None]:
    """Look for rubbish as rarely as the process does in which people book."""
    thresholds = gc.get_threshold()
    collect_rarely()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)


def _contender(way: Callable[[int], None], numbers: count[int], bookings: int, waits: list[float]) -> Contender:
    def make_ready() -> Work:
        works = [partial(way, number) for number in islice(numbers, bookings)]

        def work() -> int:
            waits.extend(at_once(works))
            return bookings

        return work

    return make_ready


def _book(installation: Installation, clinic: Clinic, number: int) -> None:
    with act(installation.database, CLERK) as doing:
        eligibility.queue_for_appointment(doing, service.book(doing, clinic.visit(number)))


def _insert(installation: Installation, clinic: Clinic, number: int) -> None:
    told, appointment_id = clinic.visit(number), uuid4()
    start = told.local_start
    with installation.database.begin() as unit:
        ids = (appointment_id, told.patient_id, told.location_id, told.visit_type_id)
        unit.driver.execute(_APPOINTMENT, (*ids, start, start, start))
        for taken_id, kind in ((told.bookable_ids[0], "practitioner"), (told.patient_id, "patient")):
            unit.driver.execute(_BOOKING, (appointment_id, taken_id, kind, start, start))
