"""Visits that repeat: a rule in local wall time becomes appointments, each of which can be moved or cancelled alone."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from dateutil.rrule import rrulestr

from ehr_pm.acts import Act
from ehr_pm.scheduling.models import Appointment, AppointmentSeries
from ehr_pm.scheduling.schemas import NewSeries
from ehr_pm.scheduling.service import book
from hub_core.errors import ConflictError

LONGEST = 200
"""Visits of one series; longer ones are renewed."""


def occurrences(told: NewSeries) -> list[datetime]:
    """Return the wall times of a series (RFC 5545 section 3.3.10): the clock shows the same on either side of a change.

    Raises:
        ConflictError: if the rule cannot be read, never ends, or gives more visits than a series may have.
    """
    if "COUNT=" not in told.rrule and "UNTIL=" not in told.rrule:
        raise ConflictError("a series needs an end: COUNT or UNTIL")
    try:
        rule = rrulestr(told.rrule, dtstart=told.first.start)
        found = list(islice(rule, LONGEST + 1))
    except (ValueError, TypeError) as error:
        raise ConflictError("the rule of the series cannot be read (RFC 5545)") from error
    if not found or len(found) > LONGEST:
        raise ConflictError(f"a series has 1 to {LONGEST} visits")
    return found


def book_series(doing: Act, told: NewSeries) -> list[Appointment]:
    """Book every visit of a series, or none.

    Raises:
        NonexistentTimeError: if the clocks jump over one of them.
        ConflictError: if one of them cannot be booked; the message names its day.
    """
    starts = occurrences(told)
    first = told.first
    series = AppointmentSeries(
        patient_id=first.patient_id,
        location_id=first.location_id,
        visit_type_id=first.visit_type_id,
        local_start=first.start,
        rrule=told.rrule,
    )
    doing.add(series)
    booked = []
    for start in starts:
        visit = first.model_copy(update={"local_start": start})
        try:
            booked.append(book(doing, visit, series_id=series.series_id, original_start=start))
        except ConflictError as error:
            raise ConflictError(f"{start:%Y-%m-%d}: {error}") from error
    return booked
