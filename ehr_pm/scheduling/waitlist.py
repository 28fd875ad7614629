"""The waitlist: who would come sooner, and filling a time that was given free with the first of them who can."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ehr_pm.acts import Act
from ehr_pm.organisation.models import Location
from ehr_pm.rows import get
from ehr_pm.scheduling import repository
from ehr_pm.scheduling.models import Appointment, VisitType, WaitlistEntry
from ehr_pm.scheduling.schemas import NewAppointment, NewWaitlistEntry
from ehr_pm.scheduling.service import book, release_expired_holds
from hub_core.errors import ConflictError, NotFoundError


def join(doing: Act, told: NewWaitlistEntry) -> WaitlistEntry:
    """Put a patient on the waitlist.

    Raises:
        NotFoundError: if the location, the visit type or whom they want to see is not known.
    """
    get(doing.session, Location, told.location_id, "location")
    get(doing.session, VisitType, told.visit_type_id, "visit type")
    if told.bookable_id is not None:
        repository.bookables(doing.session, [told.bookable_id])
    row = WaitlistEntry(**told.model_dump())
    doing.add(row)
    doing.noted("waitlist.join", patient_id=row.patient_id, entry_id=str(row.entry_id))
    return row


def withdraw(doing: Act, entry_id: UUID) -> None:
    """Take a patient off the waitlist.

    Raises:
        ConflictError: if the entry was filled or withdrawn before.
    """
    row = get(doing.session, WaitlistEntry, entry_id, "waitlist entry")
    if row.state != "waiting":
        raise ConflictError(f"this waitlist entry is {row.state}")
    doing.change(row, state="withdrawn")
    doing.noted("waitlist.withdraw", patient_id=row.patient_id, entry_id=str(row.entry_id))


def give(doing: Act, entry_id: UUID, start: datetime, bookable_id: UUID) -> Appointment:
    """Book an opening for somebody on the waitlist who wants it, and take them off.

    Raises:
        NotFoundError: if the entry or whom it is with is not known.
        ConflictError: if the entry was filled or withdrawn before, or the time is taken by now.
    """
    entry = get(doing.session, WaitlistEntry, entry_id, "waitlist entry")
    if entry.state != "waiting":
        raise ConflictError(f"this waitlist entry is {entry.state}")
    told = NewAppointment(
        patient_id=entry.patient_id,
        location_id=entry.location_id,
        visit_type_id=entry.visit_type_id,
        bookable_ids=(bookable_id,),
        local_start=start,
    )
    booked = book(doing, told)
    doing.change(entry, state="filled", appointment_id=booked.appointment_id)
    doing.noted("waitlist.fill", patient_id=entry.patient_id, entry_id=str(entry_id))
    return booked


def fill(doing: Act, freed: Appointment) -> Appointment | None:
    """Book the time of an appointment that was given free for the first on the waitlist who can have it.

    Somebody on the list who has another appointment at that time is passed over, and stays on it.
    """
    ids = tuple(each.taken_id for each in freed.bookings if each.kind != "patient")
    on = freed.local_start.date()
    waiting = repository.waiting(doing.session, freed.location_id, freed.visit_type_id, on)
    # Before anything that may be undone: what a hold that ran out becomes must not be undone with it.
    release_expired_holds(doing, taking=[*ids, *(entry.patient_id for entry in waiting)])
    for entry in waiting:
        if entry.bookable_id is not None and entry.bookable_id not in ids:
            continue
        told = NewAppointment(
            patient_id=entry.patient_id,
            location_id=freed.location_id,
            visit_type_id=freed.visit_type_id,
            bookable_ids=ids,
            local_start=freed.local_start,
        )
        try:
            with doing.session.begin_nested():
                booked = book(doing, told)
        except ConflictError:
            continue
        except NotFoundError:  # what was booked is no longer in use
            return None
        doing.change(entry, state="filled", appointment_id=booked.appointment_id)
        return booked
    return None
