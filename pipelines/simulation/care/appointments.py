"""Appointments and the visits that come of them: kept, moved, cancelled, missed, or still to come."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pipelines.simulation.care.calendar import AHEAD, DAYS, has_passed, instant, next_open
from pipelines.simulation.care.patients import Patient
from pipelines.simulation.facts import fact
from pipelines.simulation.group import VISIT_TYPES
from pipelines.simulation.spans import minutes
from pipelines.simulation.world import Booking, BookingChange, Code, Site, Visit, VisitClass

_MISSED = 0.07
_CANCELLED = 0.07
_MOVED = 0.06
_CHECKED_IN_BY_MISTAKE = 0.12
AFTERWARDS = timedelta(days=12)
"""How long something may still be added to what was done at a visit."""


@fact(frozen=True, slots=True)
class Plan:
    """Why and when somebody means to come."""

    site: Site
    day: int
    visit_type: str
    reason: Code
    others: tuple[Code, ...] = ()
    """What else is dealt with."""
    days_ahead: int = 0
    """How long before it is booked."""
    visit_class: VisitClass = "AMB"
    is_booked: bool = True


@fact(frozen=True, slots=True)
class Seen:
    """A visit that took place, with what those who write about it need."""

    visit: Visit
    day: int
    ended_at: datetime


def keep(patient: Patient, plan: Plan) -> Seen | None:
    """Let somebody come as planned, if life allows; return the visit if it takes place."""
    day = next_open(plan.site, plan.day)
    length = VISIT_TYPES[plan.visit_type].minutes
    clinician = patient.clinician(plan.site)
    if day >= DAYS + AHEAD:
        return None
    while day in patient.busy:
        day = next_open(plan.site, day + 1)
    day, minute = patient.journal.diary.slot(patient.random, plan.site, clinician, day, length)
    patient.busy.add(day)
    starts_at = instant(plan.site, day, minute)
    if not plan.is_booked:
        if day >= min(DAYS, patient.until_day):
            return None
        return _see(patient, plan, day, starts_at, clinician, None)
    return _Appointment(patient, plan, clinician, day, starts_at).follow()


class _Appointment:
    """One appointment from when it is made."""

    def __init__(self, patient: Patient, plan: Plan, clinician: str, day: int, starts_at: datetime) -> None:
        self._patient = patient
        self._plan = plan
        self._clinician = clinician
        self._day = day
        self._starts_at = starts_at
        made_day = max(day - plan.days_ahead, patient.from_day)
        made_minute = 7 * 60 + 30 + int(patient.random.random() * 600)
        if made_day >= day or made_day == patient.from_day:
            made_day, made_minute = min(made_day, day), 7 * 60 + int(patient.random.random() * 50)
        self._made_day = made_day
        self._made_at = instant(plan.site, made_day, made_minute)

    def follow(self) -> Seen | None:
        """Tell what becomes of it; return the visit if it takes place."""
        patient, plan, random = self._patient, self._plan, self._patient.random
        if self._made_day >= min(DAYS, patient.until_day):
            return None
        if self._day >= patient.until_day:
            self._book(self._cancelled_by_death())
            return None
        changes = [BookingChange(self._made_at, "booked", self._starts_at)]
        if random.random() < _MOVED and self._day - self._made_day > 3 and not self._move(changes):
            self._book(changes)
            return None
        draw = random.random()
        if draw < _CANCELLED and self._day - self._made_day > 1:
            self._add(changes, self._between(changes[-1].at), "cancelled")
        elif draw < _CANCELLED + _MISSED:
            self._add(changes, self._starts_at + minutes(30), "noshow")
            self._book(changes)
            if (
                plan.site != "cardiology"
                and has_passed(self._starts_at + minutes(60))
                and random.random() < _CHECKED_IN_BY_MISTAKE
            ):
                self._take_back()
            return None
        if changes[-1].status != "cancelled" and has_passed(self._starts_at + minutes(90)):
            return self._come(changes)
        self._book(changes)
        return None

    def _come(self, changes: list[BookingChange]) -> Seen | None:
        """Write down a visit that fulfils the appointment."""
        patient, plan = self._patient, self._plan
        key = patient.journal.key("B")
        seen = _see(patient, plan, self._day, self._starts_at, self._clinician, (key, self._made_at))
        changes.append(BookingChange(seen.ended_at, "fulfilled", self._starts_at))
        self._write(key, seen.visit.registration_id, changes)
        return seen

    def _take_back(self) -> None:
        """Write down a visit of somebody who was checked in and had never come."""
        patient, plan = self._patient, self._plan
        started_at = self._starts_at + minutes(int(patient.random.random() * 10))
        ended_at = started_at + minutes(6 + int(patient.random.random() * 20))
        write_visit(patient, plan, self._clinician, started_at, ended_at, is_cancelled=True)

    def _move(self, changes: list[BookingChange]) -> bool:
        """Move the appointment by some days; tell whether it can still be kept."""
        patient, plan = self._patient, self._plan
        length = VISIT_TYPES[plan.visit_type].minutes
        at = self._between(self._made_at)
        later = next_open(plan.site, self._day + 2 + int(patient.random.random() * 18))
        if later >= min(patient.until_day, DAYS + AHEAD) or not has_passed(at):
            return True
        day, minute = patient.journal.diary.slot(patient.random, plan.site, self._clinician, later, length)
        self._day, self._starts_at = day, instant(plan.site, day, minute)
        changes.append(BookingChange(at, "rescheduled", self._starts_at))
        return day < patient.until_day

    def _between(self, since: datetime) -> datetime:
        """Return a moment between a change and the appointment, on no particular hour."""
        moment = since + (self._starts_at - since) * (0.1 + 0.85 * self._patient.random.random())
        return moment.replace(microsecond=0)

    def _cancelled_by_death(self) -> list[BookingChange]:
        heard = instant(self._plan.site, self._patient.until_day + 2, 9 * 60 + int(self._patient.random.random() * 300))
        changes = [BookingChange(self._made_at, "booked", self._starts_at)]
        if heard < self._starts_at:
            self._add(changes, heard, "cancelled")
        else:
            self._add(changes, self._starts_at + minutes(30), "noshow")
        return changes

    def _add(self, changes: list[BookingChange], at: datetime, status: Literal["cancelled", "noshow"]) -> None:
        """Add a change, unless it lies beyond the simulated time."""
        if has_passed(at):
            changes.append(BookingChange(at, status, self._starts_at))

    def _book(self, changes: list[BookingChange]) -> None:
        """Write down an appointment of which no visit comes."""
        registration_id = self._patient.chart(self._plan.site).note(self._made_at, self._starts_at + AFTERWARDS)
        self._write(self._patient.journal.key("B"), registration_id, changes)

    def _write(self, key: str, registration_id: str, changes: list[BookingChange]) -> None:
        plan = self._plan
        length = VISIT_TYPES[plan.visit_type].minutes
        self._patient.journal.chapter.bookings.append(
            Booking(key, registration_id, plan.site, self._clinician, plan.visit_type, length, tuple(changes))
        )


def _see(
    patient: Patient, plan: Plan, day: int, starts_at: datetime, clinician: str, booking: tuple[str, datetime] | None
) -> Seen:
    """Write down a visit that begins about when it should."""
    random = patient.random
    length = VISIT_TYPES[plan.visit_type].minutes
    started_at = starts_at + minutes(int(random.random() * 16))
    ended_at = started_at + minutes(int(length * (0.7 + 0.9 * random.random())))
    visit = write_visit(patient, plan, clinician, started_at, ended_at, booking)
    return Seen(visit, day, ended_at)


def write_visit(
    patient: Patient,
    plan: Plan,
    clinician: str,
    started_at: datetime,
    ended_at: datetime,
    booking: tuple[str, datetime] | None = None,
    wards: tuple[tuple[datetime, str], ...] = (),
    *,
    is_cancelled: bool = False,
) -> Visit:
    """Write down a visit; it is still going on when it ends beyond the simulated time."""
    key, made_at = booking or (None, started_at)
    chart = patient.chart(plan.site)
    registration_id = chart.note(made_at, ended_at + AFTERWARDS)
    if key is not None:
        chart.see(registration_id, started_at)
    visit = Visit(
        patient.journal.key("V"),
        registration_id,
        plan.site,
        plan.visit_class,
        clinician,
        started_at,
        ended_at if has_passed(ended_at) else None,
        plan.reason,
        (plan.reason, *[code for code in plan.others if code.code != plan.reason.code]),
        key,
        is_cancelled,
        tuple([ward for ward in wards if has_passed(ward[0])]),
    )
    patient.journal.chapter.visits.append(visit)
    return visit
