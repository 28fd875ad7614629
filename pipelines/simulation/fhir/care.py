"""Visits and appointments at cardiology, version by version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pipelines.simulation.fhir.parties import LOCATION, ORGANIZATION, clinician_reference
from pipelines.simulation.fhir.writing import (
    BASE,
    PRACTICE,
    TERMINOLOGY,
    Content,
    Version,
    concept,
    instant,
    reference,
    term,
)
from pipelines.simulation.group import VISIT_TYPES
from pipelines.simulation.spans import minutes
from pipelines.simulation.world import Booking, BookingChange, Chapter, Visit

_DISPLAYS = {"AMB": "ambulatory", "EMER": "emergency", "IMP": "inpatient encounter", "VR": "virtual"}
_CLASSES = {
    code: {"system": f"{TERMINOLOGY}/v3-ActCode", "code": code, "display": display}
    for code, display in _DISPLAYS.items()
}
_ATTENDER = [term("v3-ParticipationType", "ATND", "attender")]
_CLINIC = reference("Location", LOCATION, PRACTICE.name)
_HOME = reference("Organization", ORGANIZATION, PRACTICE.name)
_TAKEN_BACK_AFTER = timedelta(minutes=10)


def care(chapter: Chapter) -> Iterator[list[Version]]:
    """Yield the versions of each visit and each appointment."""
    for visit in chapter.visits:
        if visit.site == PRACTICE.site:
            yield _visit(visit)
    for booking in chapter.bookings:
        if booking.site == PRACTICE.site:
            yield [_appointment(booking, change) for change in booking.changes]


def _visit(visit: Visit) -> list[Version]:
    steps: list[tuple[datetime, str]] = [(visit.started_at, "in-progress")]
    if visit.is_cancelled:
        steps.append((visit.started_at + _TAKEN_BACK_AFTER, "cancelled"))
    elif visit.ended_at is not None:
        steps.append((visit.ended_at, "finished"))
    return [Version(since, "Encounter", visit.visit_id, _encounter(visit, status)) for since, status in steps]


def _encounter(visit: Visit, status: str) -> Content:
    period = {"start": instant(visit.started_at)}
    if status == "finished" and visit.ended_at:
        period["end"] = instant(visit.ended_at)
    reasons = dict.fromkeys((visit.reason, *(visit.diagnoses if status == "finished" else ())))
    content: Content = {
        "identifier": [{"system": f"{BASE}/visit", "value": visit.visit_id}],
        "status": status,
        "class": _CLASSES[visit.visit_class],
        "type": [{"text": "Cardiology visit"}],
        "subject": reference("Patient", visit.registration_id),
        "participant": [{"type": _ATTENDER, "individual": clinician_reference(visit.clinician)}],
        "period": period,
        "reasonCode": [concept(code) for code in reasons],
        "location": [{"location": _CLINIC}],
        "serviceProvider": _HOME,
    }
    if visit.booking_id:
        content["appointment"] = [reference("Appointment", visit.booking_id)]
    return content


def _appointment(booking: Booking, change: BookingChange) -> Version:
    status = "booked" if change.status == "rescheduled" else change.status
    kind = VISIT_TYPES[booking.visit_type]
    people = (reference("Patient", booking.registration_id), clinician_reference(booking.clinician), _CLINIC)
    content: Content = {
        "identifier": [{"system": f"{BASE}/appointment", "value": booking.booking_id}],
        "status": status,
        "appointmentType": {**term(f"{BASE}/visit-type", kind.key, kind.name), "text": kind.name},
        "start": instant(change.starts_at),
        "end": instant(change.starts_at + minutes(booking.minutes)),
        "minutesDuration": booking.minutes,
        "created": instant(booking.changes[0].at),
        "participant": [{"actor": actor, "status": "accepted"} for actor in people],
    }
    if status == "cancelled":
        content["cancelationReason"] = {"text": "Patient cannot come"}
    return Version(change.at, "Appointment", booking.booking_id, content)
